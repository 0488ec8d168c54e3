"""Texts and embeddings over REST: watch a column, have newer rows compared, read what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import for_user
from accounts.api.idempotency import IdempotentMixin
from kernel.errors import Conflict
from kernel.viewsets import ViewSet
from monitoring import content_reports, services
from monitoring.addressing import version_of
from monitoring.api.content_shapes import (
    ContentComparisonFilter,
    ContentComparisonSerializer,
    ContentComparisonWrite,
    ContentSetupFilter,
    ContentSetupSerializer,
    ContentSetupWrite,
)
from monitoring.models import ContentComparison, ContentSetup, Source
from monitoring.services.contents import Content
from monitoring.services.places import Where, Window
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated

TAG = ["drift"]
VIEW = "use_case.view"


@extend_schema_view(
    list=extend_schema(summary="List texts and embeddings that are watched", tags=TAG),
    retrieve=extend_schema(summary="Read what is watched of texts or embeddings", tags=TAG),
)
class ContentSetupViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Columns of texts and embeddings that are watched, each with the place of its reference rows."""

    queryset = ContentSetup.objects.none()
    ordering = ("-created_at",)
    serializer_class = ContentSetupSerializer
    filterset_class = ContentSetupFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": ContentSetupWrite}

    def get_queryset(self) -> QuerySet[ContentSetup]:
        return for_user(ContentSetup.objects.select_related("use_case", "version"), user_of(self.request), VIEW)

    @extend_schema(
        summary="Watch texts or embeddings",
        description="Replaces what was watched of the same column and version before. No row is read yet.",
        request=ContentSetupWrite,
        responses={201: ContentSetupSerializer},
        tags=TAG,
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given["use_case"], VIEW)
        setup = services.watch_content(
            use_case=use_case,
            content=Content(given["kind"], given["column"], given["warn"], given["act"]),
            where=_where(request, given),
            version=version_of(use_case, given.get("version", "")),
            by=user_of(request),
        )
        return Response(ContentSetupSerializer(setup).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Watch it no more", request=None, responses=ContentSetupSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def unwatch(self, request: Request, pk: str) -> Response:
        setup = services.unwatch_content(setup=self.get_object(), by=user_of(request))
        return Response(ContentSetupSerializer(setup).data)


@extend_schema_view(
    list=extend_schema(summary="List comparisons of texts and embeddings", tags=TAG),
    retrieve=extend_schema(summary="Read a comparison of texts or embeddings", tags=TAG),
)
class ContentComparisonViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """How well a classifier tells newer texts or embeddings from those of the reference. Reports are never changed."""

    queryset = ContentComparison.objects.none()
    ordering = ("-as_of",)
    serializer_class = ContentComparisonSerializer
    filterset_class = ContentComparisonFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": ContentComparisonWrite}

    def get_queryset(self) -> QuerySet[ContentComparison]:
        return for_user(ContentComparison.objects.select_related("use_case", "setup"), user_of(self.request), VIEW)

    @extend_schema(
        summary="Compare newer texts or embeddings",
        description="A worker reads the rows where they are and answers later: read `state`, then `verdict`.",
        request=ContentComparisonWrite,
        responses={202: ContentComparisonSerializer},
        tags=TAG,
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        setups = ContentSetup.objects.select_related("use_case__unit")
        row = services.compare_content(
            setup=get_object_or_404(for_user(setups, user_of(request), VIEW), pk=given["setup"]),
            name=given["name"],
            where=_where(request, given),
            window=Window(given.get("window_start"), given.get("window_end")),
            by=user_of(request),
        )
        return Response(ContentComparisonSerializer(row).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Cancel a comparison", request=None, responses=ContentComparisonSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        row = services.cancel_content_comparison(comparison=self.get_object(), by=user_of(request))
        return Response(ContentComparisonSerializer(row).data)

    @extend_schema(summary="Try a comparison again", request=None, responses=ContentComparisonSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        row = services.retry_content_comparison(comparison=self.get_object(), by=user_of(request))
        return Response(ContentComparisonSerializer(row).data)

    @extend_schema(
        summary="The report as it was sealed",
        description="Canonical JSON; the SHA-256 of these bytes is the report's `sha256`.",
        responses={(200, "application/json"): OpenApiTypes.BINARY},
        filters=False,
        tags=TAG,
    )
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def document(self, request: Request, pk: str) -> HttpResponse:
        row = self.get_object()
        if row.state != ContentComparison.JobState.DONE:
            raise Conflict("The comparison is not made yet.")
        return HttpResponse(content_reports.document(row), content_type="application/json")


def _where(request: Request, given: Mapping[str, Any]) -> Where:
    source = None
    if given.get("source") is not None:
        source = get_object_or_404(for_user(Source.objects.all(), user_of(request), VIEW), pk=given["source"])
    return Where(given.get("path", ""), source, given.get("query", ""))
