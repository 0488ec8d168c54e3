"""Issues and incidents over REST."""

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
from governance.api.post_mortems import PostMortemMixin, PostMortemWrite
from governance.api.serializers import (
    CauseWrite,
    IncidentChange,
    IncidentSerializer,
    IncidentWrite,
    IssueSerializer,
    IssueWrite,
    ResolutionWrite,
)
from governance.forms.filters import IncidentFilter, IssueFilter
from governance.models import Incident, Issue
from portfolio.api.use_cases import user_of, validated

ISSUES = ["issues"]
INCIDENTS = ["incidents"]


@extend_schema_view(
    list=extend_schema(summary="List issues", tags=ISSUES), retrieve=extend_schema(summary="Read an issue", tags=ISSUES)
)
class IssueViewSet(GovernanceViewSet):
    """Assumptions, security and audit findings, conditions, actions and breaches."""

    queryset = Issue.objects.none()
    model = Issue
    related = ("use_case__unit", "owner", "raised_by", "closed_by")
    ordering = ("-raised_at", "-pk")
    serializer_class = IssueSerializer
    serializers: ClassVar[Mapping[str, Any]] = {"create": IssueWrite, "close": ResolutionWrite}
    filterset_class = IssueFilter

    @extend_schema(summary="Raise an issue", request=IssueWrite, responses={201: IssueSerializer}, tags=ISSUES)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = use_case_for(request, given.pop("use_case"), "finding.raise")
        issue = services.raise_issue(use_case=use_case, by=user_of(request), **given)
        return Response(IssueSerializer(issue).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Close an issue", request=ResolutionWrite, responses=IssueSerializer, tags=ISSUES)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        given = validated(self, request)
        issue = services.close_issue(issue=self.get_object(), by=user_of(request), **given)
        return Response(IssueSerializer(issue).data)


@extend_schema_view(
    list=extend_schema(summary="List incidents", tags=INCIDENTS),
    retrieve=extend_schema(summary="Read an incident", tags=INCIDENTS),
)
class IncidentViewSet(PostMortemMixin, GovernanceViewSet):
    """What went wrong in use."""

    queryset = Incident.objects.none()
    model = Incident
    related = ("use_case__unit", "reported_by", "closed_by")
    ordering = ("-occurred_at", "-pk")
    serializer_class = IncidentSerializer
    serializers: ClassVar[Mapping[str, Any]] = {
        "create": IncidentWrite,
        "partial_update": IncidentChange,
        "close": CauseWrite,
        "post_mortem": PostMortemWrite,
    }
    filterset_class = IncidentFilter

    @extend_schema(
        summary="Report an incident", request=IncidentWrite, responses={201: IncidentSerializer}, tags=INCIDENTS
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = use_case_for(request, given.pop("use_case"), "incident.report")
        incident = services.report_incident(use_case=use_case, by=user_of(request), **given)
        return Response(IncidentSerializer(incident).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Handle an incident", request=IncidentChange, responses=IncidentSerializer, tags=INCIDENTS)
    def partial_update(self, request: Request, pk: str) -> Response:
        changes = validated(self, request, partial=True)
        incident = services.edit_incident(incident=self.get_object(), changes=changes, by=user_of(request))
        return Response(IncidentSerializer(incident).data)

    @extend_schema(summary="Close an incident", request=CauseWrite, responses=IncidentSerializer, tags=INCIDENTS)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        given = validated(self, request)
        incident = services.close_incident(incident=self.get_object(), by=user_of(request), **given)
        return Response(IncidentSerializer(incident).data)
