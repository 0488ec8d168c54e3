"""Sources over REST: connect, try, change, pause, resume, pull."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import for_user
from accounts.api.idempotency import IdempotentMixin
from kernel.viewsets import ViewSet
from monitoring import services, source_text
from monitoring.api.filters import SourceFilter
from monitoring.api.source_shapes import (
    BackfillWrite,
    CloneWrite,
    PreviewAnswer,
    PullSerializer,
    SourceChange,
    SourceSerializer,
    SourceTextWrite,
    SourceTrial,
    SourceWrite,
)
from monitoring.models import Source
from monitoring.pulling import Preview
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated

TAG = ["sources"]


@extend_schema_view(
    list=extend_schema(summary="List sources", tags=TAG), retrieve=extend_schema(summary="Read a source", tags=TAG)
)
class SourceViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Places that metrics are pulled from. Secrets go in and never come out."""

    queryset = Source.objects.none()
    ordering = ("-created_at",)
    serializer_class = SourceSerializer
    filterset_class = SourceFilter
    serializers: ClassVar[Mapping[str, Any]] = {
        "create": SourceWrite,
        "partial_update": SourceChange,
        "test": SourceTrial,
        "backfill": BackfillWrite,
        "clone": CloneWrite,
        "from_yaml": SourceTextWrite,
    }

    def get_queryset(self) -> QuerySet[Source]:
        return for_user(Source.objects.select_related("use_case"), user_of(self.request), "use_case.view")

    @extend_schema(summary="Connect a source", request=SourceWrite, responses={201: SourceSerializer}, tags=TAG)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given.pop("use_case"))
        config = given.pop("config", {})
        source = services.connect_source(use_case=use_case, config=config, by=user_of(request), **given)
        return Response(SourceSerializer(source).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Change a source", request=SourceChange, responses=SourceSerializer, tags=TAG)
    def partial_update(self, request: Request, pk: str) -> Response:
        source = self.get_object()
        changes = validated(self, request, partial=True)
        secret = changes.pop("secret", None)
        changed = services.edit_source(source=source, changes=changes, secret=secret, by=user_of(request))
        return Response(SourceSerializer(changed).data)

    @extend_schema(summary="Pause a source", request=None, responses=SourceSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        return Response(SourceSerializer(services.pause_source(source=self.get_object(), by=user_of(request))).data)

    @extend_schema(summary="Resume a source", request=None, responses=SourceSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        return Response(SourceSerializer(services.resume_source(source=self.get_object(), by=user_of(request))).data)

    @extend_schema(summary="Pull now", request=None, responses={202: SourceSerializer}, tags=TAG)
    @action(detail=True, methods=["post"])
    def pull(self, request: Request, pk: str) -> Response:
        source = services.pull_now(source=self.get_object(), by=user_of(request))
        return Response(SourceSerializer(source).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Delete a source", description="Its series and points stay.", tags=TAG)
    def destroy(self, request: Request, pk: str) -> Response:
        services.delete_source(source=self.get_object(), by=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Read again from a moment on", request=BackfillWrite, responses={202: SourceSerializer}, tags=TAG
    )
    @action(detail=True, methods=["post"])
    def backfill(self, request: Request, pk: str) -> Response:
        source = self.get_object()
        found = services.backfill_source(source=source, by=user_of(request), **validated(self, request))
        return Response(SourceSerializer(found).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Clone a source",
        description="The copy is paused and has no secret.",
        request=CloneWrite,
        responses={201: SourceSerializer},
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def clone(self, request: Request, pk: str) -> Response:
        source, given = self.get_object(), validated(self, request)
        use_case = visible_use_case(request, given["use_case"]) if given.get("use_case") else None
        copy = services.clone_source(source=source, use_case=use_case, name=given.get("name", ""), by=user_of(request))
        return Response(SourceSerializer(copy).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Test settings",
        description="Asks the source now, with these settings in place of the stored ones, and stores nothing.",
        request=SourceTrial,
        responses=PreviewAnswer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        source = self.get_object()
        return _answer(services.try_source(source=source, by=user_of(request), **validated(self, request)))

    @extend_schema(
        summary="Preview the first points",
        description="Asks the source now and stores nothing.",
        request=None,
        responses=PreviewAnswer,
        filters=False,
        tags=TAG,
    )
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def preview(self, request: Request, pk: str) -> Response:
        return _answer(services.try_source(source=self.get_object(), by=user_of(request)))

    @extend_schema(summary="List its pulls", responses=PullSerializer(many=True), filters=False, tags=TAG)
    @action(detail=True, methods=["get"], filterset_class=None, ordering=("-started_at",))
    def pulls(self, request: Request, pk: str) -> Response:
        page = self.paginate_queryset(self.get_object().pulls.all())
        return self.get_paginated_response(PullSerializer(page, many=True).data)

    @extend_schema(
        summary="Read a source as YAML",
        description="Without its secret.",
        responses=SourceTextWrite,
        filters=False,
        tags=TAG,
    )
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def yaml(self, request: Request, pk: str) -> Response:
        source = self.get_object()
        return Response({"use_case": source.use_case.key, "text": source_text.write(source)})

    @extend_schema(
        summary="Connect a source from YAML", request=SourceTextWrite, responses={201: SourceSerializer}, tags=TAG
    )
    @action(detail=False, methods=["post"], url_path="from-yaml", filterset_class=None)
    def from_yaml(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given["use_case"])
        found = source_text.read(given["text"])
        told = {name: getattr(found, name) for name in found.__slots__}
        source = services.connect_source(use_case=use_case, secret=given.get("secret"), by=user_of(request), **told)
        return Response(SourceSerializer(source).data, status=status.HTTP_201_CREATED)


def _answer(found: Preview) -> Response:
    names = [words.stored() for words in found.names]
    return Response({"samples": found.samples, "more": found.more, "error": found.error, "names": names})
