"""Sampled outputs and their reviews over REST: systems send, people decide."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters as filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import can, for_user
from accounts.api.idempotency import IdempotentMixin
from kernel.errors import Invalid
from kernel.viewsets import ReadOnlyViewSet, ViewSet
from monitoring import output_wire, services, wire
from monitoring.api.output_shapes import (
    AnswerWrite,
    OutputBatchAnswer,
    OutputBatchWrite,
    OutputDetail,
    OutputSerializer,
    OutputVerdictSerializer,
    ReviewItemSerializer,
    SamplingPlanSerializer,
)
from monitoring.api.points import JSON, NDJSON, refuse_too_large
from monitoring.models import Output, ReviewItem, SamplingPlan, Verdict
from monitoring.reviewing import LOGS, REVIEW, owed_outputs
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated

TAG = ["output review"]
VIEW = "use_case.view"

EXAMPLE = OpenApiExample(
    "One output, redacted by its sender",
    value={
        "use_case": "UC-0042",
        "version": "1.4",
        "outputs": [
            {
                "external_id": "req-9812",
                "at": "2026-11-21T10:00:00Z",
                "segment": "motor",
                "confidence": 0.62,
                "summary": "Claim is routed to fast settlement",
                "payload": {"claim": "Rear bumper, parked car"},
                "redacted": ["name", "policy number"],
                "acted_by": "handler@example.com",
            }
        ],
    },
    request_only=True,
)


class OutputBatchView(IdempotentMixin, APIView):
    """`POST /api/v1/outputs:batch`."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_too_large(request)

    @extend_schema(
        operation_id="outputs_batch",
        summary="Send outputs",
        description=(
            "All outputs are stored or none: the first mistake is named by its place. A JSON list of outputs, an "
            "object with `outputs` and what they share, or NDJSON (`application/x-ndjson`), an output a line; `Content-"
            "Encoding: gzip` is taken; at most 10 MB and 10,000 outputs. An output that is there already with the same "
            "content changes nothing; with another content the batch is refused. Redact personal data before you send, "
            "or give `payload_url`: it is shown as a link and never fetched. What is not drawn for review keeps no "
            "payload. Needs `monitor.ingest` on the use case."
        ),
        request={JSON: OutputBatchWrite, NDJSON: OpenApiTypes.STR},
        responses=OutputBatchAnswer,
        examples=[EXAMPLE],
        tags=TAG,
    )
    def post(self, request: Request) -> Response:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        if kind not in {JSON, NDJSON}:
            raise Invalid(f"Content-Type: {JSON}, {NDJSON}")
        body = wire.unpack(request.body, request.headers.get("Content-Encoding", "").strip().lower())
        batch = output_wire.read(body, by_line=kind == NDJSON, now=timezone.now())
        taken = services.push_outputs(batch=batch, by=user_of(request), digest=hashlib.sha256(body).hexdigest())
        return Response(OutputBatchAnswer(taken).data)


class OutputFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")
    version = filters.CharFilter(field_name="version__label", help_text="Label of a version of the model.")
    since = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte", help_text="Made at or after.")

    class Meta:
        model = Output
        fields: ClassVar[list[str]] = ["external_id", "case_id", "segment", "sampled"]


@extend_schema_view(
    list=extend_schema(summary="List outputs", tags=TAG),
    retrieve=extend_schema(
        summary="Read an output",
        description="What it held is given to whoever reviews there or may read logs (`inference_log.view`).",
        responses=OutputDetail,
        tags=TAG,
    ),
)
class OutputViewSet(ReadOnlyViewSet):
    """Outputs that systems handed over, the newest first."""

    queryset = Output.objects.none()
    ordering = ("-at", "-pk")
    serializer_class = OutputSerializer
    filterset_class = OutputFilter

    def get_queryset(self) -> QuerySet[Output]:
        return for_user(Output.objects.select_related("use_case", "version"), user_of(self.request), VIEW)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        output = self.get_object()
        user = user_of(request)
        may_read = can(user, REVIEW, output) or can(user, LOGS, output)
        return Response(OutputDetail({"output": output, "held": output if may_read else None}).data)


class ReviewItemFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="output__use_case__key", help_text="Key of a use case.")

    class Meta:
        model = ReviewItem
        fields: ClassVar[list[str]] = ["state", "why", "answer", "output"]


@extend_schema_view(
    list=extend_schema(summary="List reviews", tags=TAG), retrieve=extend_schema(summary="Read a review", tags=TAG)
)
class OutputReviewViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Reviews that are owed or were given. Who acted on an output is not offered it."""

    queryset = ReviewItem.objects.none()
    ordering = ("due_at", "slot", "pk")
    serializer_class = ReviewItemSerializer
    filterset_class = ReviewItemFilter
    serializers: ClassVar[Mapping[str, Any]] = {"answer": AnswerWrite}

    def get_queryset(self) -> QuerySet[ReviewItem]:
        rows = ReviewItem.objects.select_related("output__use_case__unit", "output__version")
        user = user_of(self.request)
        seen = for_user(rows, user, VIEW)
        if self.action in {"list", "retrieve"}:
            seen = seen.exclude(state="done", output__in=owed_outputs(user))
        return seen

    @extend_schema(
        summary="Take the next output of your queue",
        description="204 when nothing is left. It is yours for 20 minutes.",
        request=None,
        responses={200: ReviewItemSerializer, 204: None},
        filters=False,
        tags=TAG,
    )
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def next(self, request: Request) -> Response:
        item = services.claim_next(by=user_of(request))
        if item is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(ReviewItemSerializer(item).data)

    @extend_schema(summary="Take this output", request=None, responses=ReviewItemSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def claim(self, request: Request, pk: str) -> Response:
        return Response(ReviewItemSerializer(services.claim_output(item=self.get_object(), by=user_of(request))).data)

    @extend_schema(
        summary="Agree, disagree or override", request=AnswerWrite, responses={201: OutputVerdictSerializer}, tags=TAG
    )
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: str) -> Response:
        item = self.get_object()
        verdict = services.review_output(item=item, by=user_of(request), **validated(self, request))
        return Response(OutputVerdictSerializer(verdict).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Pass it on to others", request=None, responses={204: None}, tags=TAG)
    @action(detail=True, methods=["post"], url_path="pass-on")
    def pass_on(self, request: Request, pk: str) -> Response:
        services.skip_output(item=self.get_object(), by=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class VerdictFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="item__output__use_case__key", help_text="Key of a use case.")
    output = filters.UUIDFilter(field_name="item__output", help_text="Id of an output.")
    since = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte", help_text="Given at or after.")

    class Meta:
        model = Verdict
        fields: ClassVar[list[str]] = ["kind", "reason_code"]


@extend_schema_view(
    list=extend_schema(summary="List verdicts", tags=TAG), retrieve=extend_schema(summary="Read a verdict", tags=TAG)
)
class VerdictViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """What reviewers said, sealed, the newest first; for whoever reviews there or may read logs."""

    queryset = Verdict.objects.none()
    ordering = ("-at", "-pk")
    serializer_class = OutputVerdictSerializer
    filterset_class = VerdictFilter

    def get_queryset(self) -> QuerySet[Verdict]:
        user = user_of(self.request)
        read = for_user(Verdict.objects.all(), user, LOGS).values("pk")
        seen = for_user(Verdict.objects.all(), user, VIEW).values("pk")
        blind = Q(item__output__in=owed_outputs(user))
        return Verdict.objects.filter(Q(pk__in=read) & ~blind | Q(pk__in=seen, reviewer=user))

    @extend_schema(
        summary="Take back a verdict of yours",
        description="Within 10 minutes; it is recorded as another verdict and the output is yours to review again.",
        request=None,
        responses=ReviewItemSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request: Request, pk: str) -> Response:
        item = services.take_back_verdict(verdict=self.get_object(), by=user_of(request))
        return Response(ReviewItemSerializer(item).data)


@extend_schema_view(
    list=extend_schema(summary="List sampling plans", tags=TAG),
    retrieve=extend_schema(summary="Read a sampling plan", tags=TAG),
)
class SamplingPlanViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Which outputs people look at, by the key of the use case."""

    queryset = SamplingPlan.objects.none()
    ordering = ("use_case__key",)
    serializer_class = SamplingPlanSerializer
    lookup_field = "use_case__key"
    lookup_url_kwarg = "key"
    lookup_value_regex = "[-a-zA-Z0-9_]+"

    def get_queryset(self) -> QuerySet[SamplingPlan]:
        return for_user(SamplingPlan.objects.select_related("use_case"), user_of(self.request), VIEW)

    @extend_schema(
        summary="Set the sampling plan",
        description="What is left out stays as it is. Needs `oversight.configure`.",
        request=SamplingPlanSerializer,
        responses=SamplingPlanSerializer,
        tags=TAG,
    )
    def partial_update(self, request: Request, key: str) -> Response:
        use_case = visible_use_case(request, key)
        given = validated(self, request, partial=True)
        return Response(
            SamplingPlanSerializer(services.set_sampling_plan(use_case=use_case, plan=given, by=user_of(request))).data
        )
