"""Inventories over REST: hand a file in, see what it would do, follow what became of it."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import require
from accounts.api.idempotency import IdempotentMixin
from accounts.models import User
from portfolio.importing.reach import ACTION
from portfolio.models import ImportRun
from portfolio.services.imports import confirm_import, look_into, prepare_import

TAGS = ["imports"]


class ImportRequest(serializers.Serializer[Any]):
    """A file, the profile that it is read by, and whether only to look."""

    file = serializers.FileField(help_text="CSV or XLSX, at most 50 MB.")
    profile = serializers.CharField(help_text="The name of an import profile, such as us-federal-2024.")
    dry_run = serializers.BooleanField(default=False, help_text="Say what would happen, change nothing.")


class ImportProblemSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="As a spreadsheet counts: the header is row 1.")
    column = serializers.CharField()
    message = serializers.CharField()


class ImportTotals(serializers.Serializer[Any]):
    """rows = created + updated + unchanged + duplicates."""

    rows = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    problems = ImportProblemSerializer(many=True)


class ImportRunSerializer(serializers.ModelSerializer[ImportRun]):
    """An import as far as it has come."""

    problems = ImportProblemSerializer(many=True)

    class Meta:
        model = ImportRun
        fields = (
            "id",
            "profile",
            "file_name",
            "file_sha256",
            "state",
            "rows",
            "rows_done",
            "created",
            "updated",
            "unchanged",
            "duplicates",
            "problems",
            "error",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields


class ImportsView(IdempotentMixin, APIView):
    """Hand an inventory in."""

    parser_classes = (MultiPartParser, FormParser)

    @extend_schema(
        summary="Import an inventory",
        description="Reads the file at once, so that a broken one is refused here; a worker then imports it. "
        "With `dry_run` nothing is kept and the totals are the answer.",
        request={"multipart/form-data": ImportRequest},
        responses={200: ImportTotals, 202: ImportRunSerializer},
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        user = cast(User, request.user)
        require(user, ACTION)
        shape = ImportRequest(data=request.data)
        shape.is_valid(raise_exception=True)
        given = shape.validated_data
        if given["dry_run"]:
            plan = look_into(upload=given["file"], profile=given["profile"], by=user)
            return Response(plan.summary())
        run = prepare_import(upload=given["file"], profile=given["profile"], by=user)
        run = confirm_import(run=run, by=user)
        headers = {"Location": f"/api/v1/imports/{run.pk}/"}
        return Response(ImportRunSerializer(run).data, status=status.HTTP_202_ACCEPTED, headers=headers)


class ImportView(APIView):
    """One import."""

    @extend_schema(summary="Read an import", operation_id="imports_retrieve", responses=ImportRunSerializer, tags=TAGS)
    def get(self, request: Request, pk: UUID) -> Response:
        require(cast(User, request.user), ACTION)
        return Response(ImportRunSerializer(get_object_or_404(ImportRun, pk=pk)).data)


urlpatterns = [
    path("imports/", ImportsView.as_view(), name="import-list"),
    path("imports/<uuid:pk>/", ImportView.as_view(), name="import-detail"),
]
