"""Evidence and validation runs over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from governance import services
from governance.api.base import GovernanceViewSet, WhyWrite, evidence_of, use_case_for, version_of
from governance.api.serializers import (
    EvidenceSerializer,
    EvidenceWrite,
    ValidationRunSerializer,
    ValidationRunWrite,
)
from governance.forms.filters import EvidenceFilter, ValidationFilter
from governance.models import Evidence, ValidationRun
from governance.views.evidence import download
from kernel.errors import Invalid
from portfolio.api.use_cases import user_of, validated
from portfolio.models import UseCase

TAG = ["evidence"]
RUNS = ["validation runs"]


@extend_schema_view(
    list=extend_schema(summary="List evidence", tags=TAG), retrieve=extend_schema(summary="Read evidence", tags=TAG)
)
class EvidenceViewSet(GovernanceViewSet):
    """Files, links and attestations of use cases that the caller may see. Added, verified, withdrawn; never edited."""

    queryset = Evidence.objects.none()
    model = Evidence
    related = ("use_case__unit", "added_by", "verified_by")
    ordering = ("-added_at", "-pk")
    parser_classes = (JSONParser, MultiPartParser, FormParser)
    serializer_class = EvidenceSerializer
    serializers: ClassVar[Mapping[str, Any]] = {"create": EvidenceWrite, "withdraw": WhyWrite}
    filterset_class = EvidenceFilter
    rights: ClassVar[dict[str, str]] = {"verify": "evidence.verify"}

    @extend_schema(
        summary="Add evidence",
        description="A file as multipart/form-data; a link or an attestation as JSON too. Machines never attest.",
        request={"multipart/form-data": EvidenceWrite, "application/json": EvidenceWrite},
        responses={201: EvidenceSerializer},
        tags=TAG,
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = use_case_for(request, given.pop("use_case"), "evidence.upload")
        found = _add(use_case, given, user_of(request))
        headers = {"Location": f"/api/v1/evidence/{found.pk}/"}
        return Response(EvidenceSerializer(found).data, status=status.HTTP_201_CREATED, headers=headers)

    @extend_schema(summary="Verify evidence that somebody else added", request=None, tags=TAG)
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, pk: str) -> Response:
        found = services.verify_evidence(evidence=self.get_object(), by=user_of(request))
        return Response(EvidenceSerializer(found).data)

    @extend_schema(summary="Withdraw evidence", request=WhyWrite, responses=EvidenceSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        given = validated(self, request)
        found = services.withdraw_evidence(evidence=self.get_object(), by=user_of(request), **given)
        return Response(EvidenceSerializer(found).data)

    @extend_schema(
        summary="Download the file", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, tags=TAG
    )
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: str) -> HttpResponseBase:
        return download(get_object_or_404(self.get_queryset(), pk=pk, kind=Evidence.Kind.FILE))


@extend_schema_view(
    list=extend_schema(summary="List validation runs", tags=RUNS),
    retrieve=extend_schema(summary="Read a validation run", tags=RUNS),
)
class ValidationRunViewSet(GovernanceViewSet):
    """Tests of versions, newest first. Appended; a correction is a new run."""

    queryset = ValidationRun.objects.none()
    model = ValidationRun
    related = ("use_case__unit", "version", "recorded_by", "signed_by")
    ordering = ("-performed_at", "-pk")
    serializer_class = ValidationRunSerializer
    serializers: ClassVar[Mapping[str, Any]] = {"create": ValidationRunWrite}
    filterset_class = ValidationFilter
    rights: ClassVar[dict[str, str]] = {"sign": "validation.sign_independent"}

    @extend_schema(
        summary="Record a validation run",
        description="With source and external_id the same run is recorded once: sending it again answers with it, "
        "sending it with another content is a conflict.",
        request=ValidationRunWrite,
        responses={201: ValidationRunSerializer},
        tags=RUNS,
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = use_case_for(request, given.pop("use_case"), "validation.record")
        given["version"] = version_of(use_case, given["version"])
        given["evidence"] = evidence_of(use_case, given["evidence"])
        run = services.record_validation(use_case=use_case, by=user_of(request), **given)
        headers = {"Location": f"/api/v1/validation-runs/{run.pk}/"}
        return Response(ValidationRunSerializer(run).data, status=status.HTTP_201_CREATED, headers=headers)

    @extend_schema(summary="Sign an independent run", request=None, tags=RUNS)
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: str) -> Response:
        return Response(
            ValidationRunSerializer(services.sign_independent(run=self.get_object(), by=user_of(request))).data
        )


def _add(use_case: UseCase, given: dict[str, Any], by: Any) -> Evidence:
    kind = given.pop("kind")
    given["version"] = version_of(use_case, given["version"])
    file, url, role = given.pop("file", None), given.pop("url"), given.pop("role")
    items, sample_size = given.pop("items"), given.pop("sample_size")
    if kind == "attestation":
        if not role:
            _missing("role", _("Say in which role you attest."))
        given["evidence_type"] = given["evidence_type"] or "attestation"
        return services.attest(use_case=use_case, role=role, items=items, sample_size=sample_size, by=by, **given)
    if kind == "link":
        return services.add_link(use_case=use_case, url=url, by=by, **given)
    if file is None:
        _missing("file", _("Send the file as a part of multipart/form-data."))
    return services.add_file(use_case=use_case, upload=file, by=by, **given)


def _missing(field: str, said: str) -> None:
    raise Invalid(said, errors={field: [said]})
