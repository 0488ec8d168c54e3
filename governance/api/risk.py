"""Classifications, the risk register and scored questionnaires over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance import services
from governance.api.base import GovernanceViewSet, use_case_for
from governance.api.risk_serializers import (
    ClassificationSerializer,
    ClassificationWrite,
    QuestionnaireSerializer,
    QuestionnaireWrite,
    RiskSerializer,
    TierWrite,
)
from governance.forms.filters import OfUseCase
from governance.models import QuestionnaireResponse, RiskClassification, RiskItem
from governance.services.questionnaires import known_questionnaire
from portfolio.api.use_cases import user_of, validated

RISK = ["risk"]
SCORED = ["questionnaires"]


class ClassificationFilter(OfUseCase):
    class Meta:
        model = RiskClassification
        fields: ClassVar[list[str]] = ["tier", "is_current", "provisional"]


class RiskFilter(OfUseCase):
    class Meta:
        model = RiskItem
        fields: ClassVar[list[str]] = ["state", "residual"]


class ResponseFilter(OfUseCase):
    class Meta:
        model = QuestionnaireResponse
        fields: ClassVar[list[str]] = ["questionnaire", "is_current"]


@extend_schema_view(
    list=extend_schema(summary="List risk classifications", tags=RISK),
    retrieve=extend_schema(summary="Read a risk classification", tags=RISK),
)
class ClassificationViewSet(GovernanceViewSet):
    """Results of the risk questionnaire, newest first; one of a use case is current."""

    queryset = RiskClassification.objects.none()
    model = RiskClassification
    related = ("use_case__unit", "classified_by", "confirmed_by", "override_by")
    ordering = ("-classified_at", "-pk")
    serializer_class = ClassificationSerializer
    serializers: ClassVar[Mapping[str, Any]] = {"create": ClassificationWrite, "raise_tier": TierWrite}
    filterset_class = ClassificationFilter
    rights: ClassVar[dict[str, str]] = {"confirm": "risk.confirm_tier", "raise_tier": "risk.raise_tier"}

    @extend_schema(
        summary="Classify a use case", request=ClassificationWrite, responses={201: ClassificationSerializer}, tags=RISK
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = use_case_for(request, given.pop("use_case"), "risk.classify")
        found = services.classify(use_case=use_case, by=user_of(request), **given)
        return Response(ClassificationSerializer(found).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Confirm the tier", request=None, tags=RISK)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        found = services.confirm_tier(classification=self.get_object(), by=user_of(request))
        return Response(ClassificationSerializer(found).data)

    @extend_schema(summary="Raise the tier", request=TierWrite, responses=ClassificationSerializer, tags=RISK)
    @action(detail=True, methods=["post"], url_path="raise")
    def raise_tier(self, request: Request, pk: str) -> Response:
        given = validated(self, request)
        found = services.override_tier(classification=self.get_object(), by=user_of(request), **given)
        return Response(ClassificationSerializer(found).data)


@extend_schema_view(
    list=extend_schema(summary="List risks", tags=RISK), retrieve=extend_schema(summary="Read a risk", tags=RISK)
)
class RiskViewSet(GovernanceViewSet):
    """The risk register."""

    queryset = RiskItem.objects.none()
    model = RiskItem
    related = ("use_case", "owner", "accepted_by")
    ordering = ("-raised_at", "-pk")
    serializer_class = RiskSerializer
    filterset_class = RiskFilter


@extend_schema_view(
    list=extend_schema(summary="List answer sets", tags=SCORED),
    retrieve=extend_schema(summary="Read an answer set", tags=SCORED),
)
class QuestionnaireViewSet(GovernanceViewSet):
    """Answers to the scored questionnaires with their scores; one set of each is current."""

    queryset = QuestionnaireResponse.objects.none()
    model = QuestionnaireResponse
    related = ("use_case", "answered_by")
    ordering = ("-answered_at", "-pk")
    serializer_class = QuestionnaireSerializer
    serializers: ClassVar[Mapping[str, Any]] = {"create": QuestionnaireWrite}
    filterset_class = ResponseFilter

    @extend_schema(
        summary="Answer a questionnaire",
        request=QuestionnaireWrite,
        responses={201: QuestionnaireSerializer},
        tags=SCORED,
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        asked = known_questionnaire(given["questionnaire"])
        use_case = use_case_for(request, given.pop("use_case"), asked.action)
        found = services.answer_questionnaire(use_case=use_case, by=user_of(request), **given)
        return Response(QuestionnaireSerializer(found).data, status=status.HTTP_201_CREATED)
