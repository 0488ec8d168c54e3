"""Post-mortems over REST: read, written and approved on their incident."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from governance import services
from governance.failure_modes import failure_modes
from governance.models import PostMortem
from kernel.errors import Invalid
from portfolio.api.use_cases import user_of, validated

TAG = ["incidents"]


class PostMortemSerializer(serializers.ModelSerializer[PostMortem]):
    owner = serializers.UUIDField(source="owner_id")
    written_by = serializers.UUIDField(source="written_by_id", allow_null=True)
    approved_by = serializers.UUIDField(source="approved_by_id", allow_null=True)
    action = serializers.UUIDField(source="action_id", allow_null=True, help_text="The corrective action, an issue.")
    causes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = PostMortem
        fields = (
            "id",
            "what_happened",
            "causes",
            "why",
            "what_changes",
            "owner",
            "due_on",
            "written_by",
            "written_at",
            "approved_by",
            "sealed_at",
            "sha256",
            "action",
        )
        read_only_fields = fields


class PostMortemWrite(serializers.Serializer[Any]):
    what_happened = serializers.CharField()
    causes = serializers.ListField(
        child=serializers.ChoiceField(choices=[(mode.key, mode.name) for mode in failure_modes().values()]),
        allow_empty=False,
    )
    why = serializers.CharField()
    what_changes = serializers.CharField()
    owner = serializers.UUIDField(help_text="Who sees to what changes.")
    due_on = serializers.DateField()


class PostMortemMixin:
    """The verbs about the post-mortem of one incident."""

    get_object: Any

    @extend_schema(methods=["GET"], summary="Read the post-mortem", responses=PostMortemSerializer, tags=TAG)
    @extend_schema(
        methods=["PUT"],
        summary="Write the post-mortem",
        request=PostMortemWrite,
        responses=PostMortemSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["get", "put"], url_path="post-mortem")
    def post_mortem(self, request: Request, pk: str) -> Response:
        incident = self.get_object()
        if request.method != "PUT":
            return Response(PostMortemSerializer(_written(incident.pk)).data)
        given = validated(self, request)
        owner = User.objects.filter(pk=given.pop("owner")).first()
        if owner is None:
            said = _("There is no such person.")
            raise Invalid(said, errors={"owner": [said]})
        made = services.write_post_mortem(incident=incident, owner=owner, by=user_of(request), **given)
        return Response(PostMortemSerializer(made).data)

    @extend_schema(
        summary="Approve and seal the post-mortem",
        description="By somebody else than its author, once the incident is closed.",
        request=None,
        responses=PostMortemSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"], url_path="approve-post-mortem")
    def approve_post_mortem(self, request: Request, pk: str) -> Response:
        written = _written(self.get_object().pk)
        return Response(
            PostMortemSerializer(services.approve_post_mortem(post_mortem=written, by=user_of(request))).data
        )


def _written(incident_id: UUID) -> PostMortem:
    found = PostMortem.objects.select_related("incident__use_case__unit").filter(incident=incident_id).first()
    if found is None:
        raise Http404
    return found
