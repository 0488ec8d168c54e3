"""Documents over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance import services
from governance.api.base import GovernanceViewSet, evidence_of, use_case_for, version_of
from governance.api.serializers import DocumentSerializer, DocumentWrite
from governance.forms.filters import DocumentFilter
from governance.models import Document
from portfolio.api.use_cases import user_of, validated

TAG = ["documents"]


@extend_schema_view(
    list=extend_schema(summary="List documents", tags=TAG), retrieve=extend_schema(summary="Read a document", tags=TAG)
)
class DocumentViewSet(GovernanceViewSet):
    """Every revision of the documents of use cases that the caller may see."""

    queryset = Document.objects.none()
    model = Document
    related = ("use_case__unit", "written_by", "reviewed_by", "approved_by")
    ordering = ("-written_at", "-pk")
    serializer_class = DocumentSerializer
    serializers: ClassVar[Mapping[str, Any]] = {"create": DocumentWrite}
    filterset_class = DocumentFilter
    rights: ClassVar[dict[str, str]] = {"review": "evidence.verify", "approve": "evidence.verify"}

    @extend_schema(
        summary="Write the next revision", request=DocumentWrite, responses={201: DocumentSerializer}, tags=TAG
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = use_case_for(request, given.pop("use_case"), "evidence.upload")
        given["describes"] = version_of(use_case, given["describes"])
        given["evidence"] = evidence_of(use_case, given["evidence"])
        document = services.write_document(use_case=use_case, by=user_of(request), **given)
        return Response(DocumentSerializer(document).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Review a draft", request=None, tags=TAG)
    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str) -> Response:
        document = services.review_document(document=self.get_object(), by=user_of(request))
        return Response(DocumentSerializer(document).data)

    @extend_schema(summary="Approve a reviewed document", request=None, tags=TAG)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        document = services.approve_document(document=self.get_object(), by=user_of(request))
        return Response(DocumentSerializer(document).data)
