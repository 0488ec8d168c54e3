"""Drafts of policies over REST: their text, what it changes, and the verbs until another person publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.idempotency import IdempotentMixin
from accounts.api.serializers import PersonRef
from gates.api.simulations import SimulationSerializer, detail
from gates.in_force import body_of
from gates.models import Policy, PolicyVersion, Simulation
from gates.policy_access import drafts_for, visible_turns
from gates.policy_changes import changes
from gates.services.policies import (
    discard_draft,
    propose_draft,
    publish_draft,
    rebase_draft,
    save_draft,
    send_back_draft,
    start_draft,
    start_extension,
    text_digest,
    text_of,
)
from gates.services.simulations import simulate_draft, stop_simulation
from kernel.errors import Conflict, Invalid
from kernel.viewsets import ViewSet
from portfolio.api.use_cases import unit_by_code, user_of, validated

TAG = ["policy drafts"]


class PolicyDraftRow(serializers.ModelSerializer[PolicyVersion]):
    """A version that is not published. ``base`` is the version that it changes."""

    policy = serializers.CharField(source="policy.key", read_only=True)
    title = serializers.CharField(source="policy.title", read_only=True)
    unit = serializers.CharField(source="policy.unit.code", read_only=True, allow_null=True, default=None)
    version = serializers.CharField(source="label", read_only=True)
    base = serializers.CharField(source="base.label", read_only=True, allow_null=True, default=None)
    created_by = PersonRef(read_only=True, allow_null=True)
    text_digest = serializers.SerializerMethodField()

    class Meta:
        model = PolicyVersion
        fields: tuple[str, ...] = (
            "id",
            "policy",
            "title",
            "unit",
            "version",
            "state",
            "base",
            "note",
            "digest",
            "text_digest",
            "created_by",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(str)
    def get_text_digest(self, version: PolicyVersion) -> str:
        return text_digest(version)


class PolicyDraftDetail(PolicyDraftRow):
    """With its text: of a unit's extension what it adds and tightens, else the whole policy."""

    text = serializers.SerializerMethodField()

    class Meta(PolicyDraftRow.Meta):
        fields = (*PolicyDraftRow.Meta.fields, "text")
        read_only_fields = fields

    @extend_schema_field(str)
    def get_text(self, version: PolicyVersion) -> str:
        return text_of(version)


class PolicyDraftWrite(serializers.Serializer[Any]):
    """Either ``policy``, to change it, or ``unit``, to begin what that unit adds to the organisation's policy."""

    policy = serializers.SlugField(required=False, max_length=60, help_text="Key of the policy to change.")
    unit = serializers.SlugField(required=False, max_length=50, help_text="Code of the unit that extends.")
    version = serializers.CharField(max_length=40, help_text="Higher than the one in force, such as 1.1.0.")
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)


class PolicyTextWrite(serializers.Serializer[Any]):
    text = serializers.CharField(trim_whitespace=False)
    seen = serializers.CharField(max_length=64, help_text="`text_digest` of the text that you started from.")
    note = serializers.CharField(required=False, allow_blank=True, max_length=4000)


class PolicyNoteWrite(serializers.Serializer[Any]):
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)


class PolicyReasonWrite(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class PolicyDiscardWrite(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)


class PolicyChangeSerializer(serializers.Serializer[Any]):
    gate = serializers.CharField(help_text="`general` for what concerns no single gate.")
    rule = serializers.CharField(help_text="A criterion, or what else is changed.")
    title = serializers.CharField(allow_blank=True)
    what = serializers.CharField()
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)
    effect = serializers.ChoiceField(choices=["tightened", "loosened", "changed", "reworded"])


class PolicyDiffSerializer(serializers.Serializer[Any]):
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField()
    changes = PolicyChangeSerializer(many=True)


def difference(before: PolicyVersion | None, after: PolicyVersion) -> dict[str, Any]:
    found = changes(body_of(before), body_of(after)) if before is not None else []
    label = before.label if before is not None else None
    return {"before": label, "after": after.label, "changes": [change.plain() for change in found]}


@extend_schema_view(list=extend_schema(summary="List drafts", tags=TAG))
class PolicyDraftViewSet(IdempotentMixin, mixins.ListModelMixin, ViewSet):
    """Versions that are not published, of the policies that the caller may draft or publish."""

    queryset = PolicyVersion.objects.none()
    ordering = ("-created_at", "pk")
    serializer_class = PolicyDraftRow
    lookup_value_regex = "[0-9a-f-]{36}"
    serializers: ClassVar[Mapping[str, Any]] = {
        "create": PolicyDraftWrite,
        "retrieve": PolicyDraftDetail,
        "text": PolicyTextWrite,
        "propose": PolicyNoteWrite,
        "send_back": PolicyReasonWrite,
        "discard": PolicyDiscardWrite,
    }

    def get_queryset(self) -> QuerySet[PolicyVersion]:
        return drafts_for(user_of(self.request))

    @extend_schema(summary="Read a draft", responses=PolicyDraftDetail, tags=TAG)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(PolicyDraftDetail(self.get_object()).data)

    @extend_schema(summary="Start a draft", request=PolicyDraftWrite, responses={201: PolicyDraftDetail}, tags=TAG)
    def create(self, request: Request) -> Response:
        given, by = validated(self, request), user_of(request)
        if bool(given.get("policy")) == bool(given.get("unit")):
            said = "Name either the policy to change or the unit that extends it."
            raise Invalid(said, errors={"policy": [said]})
        if given.get("unit"):
            version = start_extension(unit=unit_by_code(given["unit"]), by=by, label=given["version"])
        else:
            policy = Policy.objects.select_related("unit").filter(key=given["policy"]).first()
            if policy is None:
                said = f"There is no policy with the key {given['policy']}."
                raise Invalid(said, errors={"policy": [said]})
            version = start_draft(policy=policy, by=by, label=given["version"], note=given["note"])
        headers = {"Location": f"/api/v1/policy-drafts/{version.pk}/"}
        return Response(PolicyDraftDetail(version).data, status=status.HTTP_201_CREATED, headers=headers)

    @extend_schema(
        summary="Replace the text of a draft",
        description="422 with every problem by line and column when it is no sound policy, 409 when somebody saved "
        "since; nothing is changed then. A proposed draft becomes a draft again.",
        request=PolicyTextWrite,
        responses=PolicyDraftDetail,
        tags=TAG,
    )
    @action(detail=True, methods=["put"])
    def text(self, request: Request, pk: str) -> Response:
        version, given = self.get_object(), validated(self, request)
        return self._answer(save_draft(version=version, by=user_of(request), **given))

    @extend_schema(summary="Propose a draft for publication", responses=PolicyDraftDetail, tags=TAG)
    @action(detail=True, methods=["post"])
    def propose(self, request: Request, pk: str) -> Response:
        version, given = self.get_object(), validated(self, request)
        return self._answer(propose_draft(version=version, by=user_of(request), **given))

    @extend_schema(
        summary="Publish a proposed draft",
        description="By a person who is signed in and wrote nothing of it (SOD-09); tokens never publish.",
        request=None,
        responses=PolicyDraftDetail,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        return self._answer(publish_draft(version=self.get_object(), by=user_of(request)))

    @extend_schema(summary="Send a proposed draft back", responses=PolicyDraftDetail, tags=TAG)
    @action(detail=True, methods=["post"], url_path="send-back")
    def send_back(self, request: Request, pk: str) -> Response:
        version, given = self.get_object(), validated(self, request)
        return self._answer(send_back_draft(version=version, by=user_of(request), **given))

    @extend_schema(summary="Give a draft up", responses=PolicyDraftDetail, tags=TAG)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: str) -> Response:
        version, given = self.get_object(), validated(self, request)
        return self._answer(discard_draft(version=version, by=user_of(request), **given))

    @extend_schema(summary="Take the version in force as base", request=None, responses=PolicyDraftDetail, tags=TAG)
    @action(detail=True, methods=["post"])
    def rebase(self, request: Request, pk: str) -> Response:
        return self._answer(rebase_draft(version=self.get_object(), by=user_of(request)))

    @extend_schema(summary="What a draft changes", responses=PolicyDiffSerializer, tags=TAG)
    @action(detail=True, methods=["get"])
    def diff(self, request: Request, pk: str) -> Response:
        version = self.get_object()
        return Response(difference(version.base, version))

    @extend_schema(
        summary="Simulate a draft on the whole portfolio",
        description="Runs in the background; read it at the address in `Location`.",
        request=None,
        responses={202: SimulationSerializer},
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def simulate(self, request: Request, pk: str) -> Response:
        version = self.get_object()
        made = simulate_draft(version=version, by=user_of(request))
        headers = {"Location": f"/api/v1/policy-drafts/{version.pk}/simulation/?run={made.pk}"}
        return Response(detail(made, version, []), status=status.HTTP_202_ACCEPTED, headers=headers)

    @extend_schema(
        summary="Read a simulation",
        description="How far it is; once done what it found, of the use cases that the caller may see.",
        parameters=[
            OpenApiParameter("run", OpenApiTypes.UUID, description="An earlier run; without it, the newest."),
            OpenApiParameter("direction", str, description="blocks, releases, at_risk, secured, more or less."),
        ],
        responses=SimulationSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["get"])
    def simulation(self, request: Request, pk: str) -> Response:
        version = self.get_object()
        found = self._run(version, request.query_params.get("run", ""))
        turns = visible_turns(user_of(request), found.result)
        if wanted := request.query_params.get("direction"):
            turns = [turn for turn in turns if turn["direction"] == wanted]
        return Response(detail(found, version, turns))

    @extend_schema(summary="Stop a simulation", request=None, responses=SimulationSerializer, tags=TAG)
    @action(detail=True, methods=["post"], url_path="simulation/stop")
    def stop_simulation(self, request: Request, pk: str) -> Response:
        version = self.get_object()
        stopped = stop_simulation(simulation=self._run(version, ""), by=user_of(request))
        return Response(detail(stopped, version, []))

    def _run(self, version: PolicyVersion, wanted: str) -> Simulation:
        runs = version.simulations.select_related("draft__policy__unit", "against").order_by("-asked_at")
        found = next((run for run in runs if not wanted or str(run.pk) == wanted), None)
        if found is None:
            raise Conflict("This draft was not simulated yet.", hint="Ask for it with POST …/simulate/.")
        return found

    def _answer(self, version: PolicyVersion) -> Response:
        return Response(PolicyDraftDetail(version).data)
