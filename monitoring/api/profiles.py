"""Profiles and drift over REST: ask for them, send them ready-made, read what came of comparing them."""

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
from kernel.viewsets import ReadOnlyViewSet, ViewSet
from monitoring import profiling, reporting, services
from monitoring.addressing import version_of
from monitoring.api.profile_shapes import (
    DataProfileFilter,
    DataProfileSerializer,
    DataProfileWrite,
    DriftReportFilter,
    DriftReportSerializer,
    DriftResultSerializer,
    QueryAnswer,
    QueryAsk,
    ReferenceQueryAnswer,
    ReferenceQueryAsk,
    TermsShape,
)
from monitoring.models import DataProfile, DriftReport, Source
from monitoring.profiles.sql import DIALECTS, query, words_query
from monitoring.profiles.wire import as_json
from monitoring.services.places import Where, Window
from monitoring.services.profiles import Answers, Wanted, in_force
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated

TAG = ["drift"]
VIEW = "use_case.view"


@extend_schema_view(
    list=extend_schema(summary="List profiles of data", tags=TAG),
    retrieve=extend_schema(summary="Read what is known of a profile", tags=TAG),
)
class DataProfileViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Counts of the columns of some rows. Rows are read by workers, never here."""

    queryset = DataProfile.objects.none()
    ordering = ("-created_at",)
    serializer_class = DataProfileSerializer
    filterset_class = DataProfileFilter
    serializers: ClassVar[Mapping[str, Any]] = {
        "create": DataProfileWrite,
        "terms": TermsShape,
        "queries": QueryAsk,
        "queries_in_force": ReferenceQueryAsk,
    }

    def get_queryset(self) -> QuerySet[DataProfile]:
        rows = DataProfile.objects.select_related("use_case", "version").defer("body")
        return for_user(rows, user_of(self.request), VIEW)

    @extend_schema(
        summary="Profile data",
        description=(
            "With `path`, or `source` and `query`, a worker counts the rows where they are and answers later (202; "
            "read `state`). With `profile` the counts are taken as they are sent: read and checked at once, compared "
            "by a worker (202); that needs `monitor.ingest` only. So are `answers` to the queries of the reference in "
            "force (`POST /api/v1/profiles/queries/`). A `profile` sent as reference needs "
            "`monitor.configure` and is in force at once (201). Counts in its frame are made by the queries of "
            "`POST /api/v1/profiles/{id}/queries/`."
        ),
        request=DataProfileWrite,
        responses={201: DataProfileSerializer, 202: DataProfileSerializer},
        tags=TAG,
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        # Machines send without reading.
        is_sent = "profile" in given or "answers" in given
        use_case = visible_use_case(request, given["use_case"], "monitor.ingest" if is_sent else VIEW)
        shared = {
            "use_case": use_case,
            "name": given["name"],
            "version": version_of(use_case, given.get("version", "")),
            "by": user_of(request),
        }
        window = Window(given.get("window_start"), given.get("window_end"))
        wanted = Wanted(given.get("ignored", ()), given.get("terms", {}))
        is_reference = given["purpose"] == DataProfile.Purpose.REFERENCE
        if "profile" in given:
            as_reference = wanted if is_reference else None
            made = services.push_profile(told=given["profile"], window=window, as_reference=as_reference, **shared)
            answer = status.HTTP_201_CREATED if is_reference else status.HTTP_202_ACCEPTED
            return Response(DataProfileSerializer(made).data, status=answer)
        if "answers" in given:
            answers = Answers(given.get("reference"), given["answers"], given.get("columns", ()))
            made = services.push_answers(answers=answers, window=window, **shared)
            return Response(DataProfileSerializer(made).data, status=status.HTTP_202_ACCEPTED)
        where = Where(given.get("path", ""), self._source(given.get("source")), given.get("query", ""))
        if is_reference:
            asked = services.profile_reference(where=where, wanted=wanted, **shared)
        else:
            asked = services.profile_current(where=where, window=window, **shared)
        return Response(DataProfileSerializer(asked).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Agree other terms", request=TermsShape, responses=DataProfileSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def terms(self, request: Request, pk: str) -> Response:
        changes = validated(self, request)
        return _answer(services.agree_terms(reference=self.get_object(), changes=changes, by=user_of(request)))

    @extend_schema(
        summary="Compare it again by the terms of today", request=None, responses=DataProfileSerializer, tags=TAG
    )
    @action(detail=True, methods=["post"])
    def compare(self, request: Request, pk: str) -> Response:
        return _answer(services.compare_again(profile=self.get_object(), by=user_of(request)))

    @extend_schema(summary="Cancel a profile", request=None, responses=DataProfileSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        return _answer(services.cancel_profile(profile=self.get_object(), by=user_of(request)))

    @extend_schema(summary="Try a profile again", request=None, responses=DataProfileSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        return _answer(services.retry_profile(profile=self.get_object(), by=user_of(request)))

    @extend_schema(
        summary="Read the counts", responses=OpenApiTypes.OBJECT, filters=False, tags=TAG, description="The profile."
    )
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def body(self, request: Request, pk: str) -> Response:
        return Response(as_json(profiling.body_of(_made(self.get_object()))))

    @extend_schema(
        summary="The queries that count in its frame",
        description="One for each column, to be run where the data is; their answers make a profile to send.",
        request=QueryAsk,
        responses=QueryAnswer(many=True),
        filters=False,
        tags=TAG,
    )
    @action(detail=True, methods=["post"], pagination_class=None, filterset_class=None)
    def queries(self, request: Request, pk: str) -> Response:
        return Response(_queries(_made(self.get_object()), validated(self, request)))

    @extend_schema(
        operation_id="profiles_queries_in_force",
        summary="The queries that count in the frame of the reference in force",
        description="For whoever sends profiles: `monitor.ingest` suffices. Their answers are sent as `answers`.",
        request=ReferenceQueryAsk,
        responses=ReferenceQueryAnswer,
        filters=False,
        tags=TAG,
    )
    @action(detail=False, methods=["post"], url_path="queries", pagination_class=None, filterset_class=None)
    def queries_in_force(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given["use_case"], "monitor.ingest")
        reference = in_force(use_case, version_of(use_case, given.get("version", "")))
        return Response({"reference": reference.pk, "queries": _queries(reference, given)})

    def _source(self, pk: object) -> Source | None:
        if pk is None:
            return None
        return get_object_or_404(for_user(Source.objects.all(), user_of(self.request), VIEW), pk=pk)


@extend_schema_view(
    list=extend_schema(summary="List drift reports", tags=TAG),
    retrieve=extend_schema(summary="Read a drift report", tags=TAG),
)
class DriftReportViewSet(ReadOnlyViewSet):
    """What came of comparing profiles with their references. Reports are never changed."""

    queryset = DriftReport.objects.none()
    ordering = ("-as_of",)
    serializer_class = DriftReportSerializer
    filterset_class = DriftReportFilter

    def get_queryset(self) -> QuerySet[DriftReport]:
        rows = DriftReport.objects.select_related("use_case", "version")
        return for_user(rows, user_of(self.request), VIEW)

    @extend_schema(
        summary="List its features, the gravest first",
        responses=DriftResultSerializer(many=True),
        filters=False,
        tags=TAG,
    )
    @action(detail=True, methods=["get"], filterset_class=None, ordering=("place",))
    def features(self, request: Request, pk: str) -> Response:
        page = self.paginate_queryset(self.get_object().results.all())
        return self.get_paginated_response(DriftResultSerializer(page, many=True).data)

    @extend_schema(
        summary="The report as it was sealed",
        description="Canonical JSON; the SHA-256 of these bytes is the report's `sha256`.",
        responses={(200, "application/json"): OpenApiTypes.BINARY},
        filters=False,
        tags=TAG,
    )
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def document(self, request: Request, pk: str) -> HttpResponse:
        report = self.get_object()
        return HttpResponse(reporting.document(report, report.results.all()), content_type="application/json")


def _queries(reference: DataProfile, given: Mapping[str, Any]) -> list[dict[str, str]]:
    frame = profiling.body_of(reference).as_reference()
    dialect, rows = DIALECTS[given["dialect"]], given["rows"]
    return [
        {
            "column": name,
            "query": query(column, rows, dialect),
            "otherwise": words_query(column, rows, dialect) if column.lattice else "",
        }
        for name, column in frame.columns.items()
    ]


def _answer(profile: DataProfile) -> Response:
    return Response(DataProfileSerializer(profile).data)


def _made(profile: DataProfile) -> DataProfile:
    if profile.state != DataProfile.ProfileState.DONE:
        raise Conflict("The profile is not made yet.")
    return profile
