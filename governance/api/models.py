"""Models, versions and datasets over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters as filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance import services
from governance.api.asset_serializers import (
    CardWrite,
    DatasetSerializer,
    ModelSerializer,
    ModelWrite,
    VersionSerializer,
    VersionWrite,
)
from governance.api.base import GovernanceViewSet, WhyWrite, use_case_for
from governance.forms.filters import DatasetFilter, OfUseCase
from governance.models import AiModel, Dataset, ModelVersion
from governance.selectors import usable_datasets, visible_datasets
from kernel.errors import Invalid
from kernel.viewsets import ReadOnlyViewSet
from portfolio.api.use_cases import user_of, validated

TAG = ["models"]


class ModelFilter(OfUseCase):
    class Meta:
        model = AiModel
        fields: ClassVar[list[str]] = ["name"]


class VersionFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="model__use_case__key", help_text="Key of a use case.")
    model = filters.CharFilter(field_name="model__name", help_text="Name of a model.")

    class Meta:
        model = ModelVersion
        fields: ClassVar[list[str]] = ["state", "label"]


@extend_schema_view(
    list=extend_schema(summary="List models", tags=TAG), retrieve=extend_schema(summary="Read a model", tags=TAG)
)
class ModelViewSet(GovernanceViewSet):
    """Models of use cases that the caller may see."""

    queryset = AiModel.objects.none()
    model = AiModel
    related = ("use_case__unit", "owner")
    ordering = ("-created_at", "-pk")
    serializer_class = ModelSerializer
    serializers: ClassVar[Mapping[str, Any]] = {"create": ModelWrite}
    filterset_class = ModelFilter

    @extend_schema(summary="Register a model", request=ModelWrite, responses={201: ModelSerializer}, tags=TAG)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = use_case_for(request, given.pop("use_case"), "model.register")
        model = services.register_model(use_case=use_case, by=user_of(request), **given)
        return Response(ModelSerializer(model).data, status=status.HTTP_201_CREATED)


@extend_schema_view(
    list=extend_schema(summary="List versions", tags=TAG), retrieve=extend_schema(summary="Read a version", tags=TAG)
)
class VersionViewSet(GovernanceViewSet):
    """Versions of models, newest first."""

    queryset = ModelVersion.objects.none()
    model = ModelVersion
    related = ("model__use_case__unit", "author", "approved_by")
    ordering = ("-registered_at", "-pk")
    serializer_class = VersionSerializer
    serializers: ClassVar[Mapping[str, Any]] = {"create": VersionWrite, "card": CardWrite, "retire": WhyWrite}
    filterset_class = VersionFilter
    rights: ClassVar[dict[str, str]] = {
        "card": "version.register",
        "approve": "version.approve",
        "promote": "deployment.promote",
        "retire": "model.retire",
    }

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().prefetch_related("datasets")

    @extend_schema(summary="Register a version", request=VersionWrite, responses={201: VersionSerializer}, tags=TAG)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = use_case_for(request, given.pop("use_case"), "version.register")
        name, wanted = given.pop("model"), given.pop("datasets")
        model = AiModel.objects.filter(use_case=use_case, name=name).select_related("use_case__unit").first()
        if model is None:
            said = _("%(use_case)s has no model %(name)s.") % {"use_case": use_case.key, "name": name}
            raise Invalid(said, errors={"model": [said]})
        datasets = list(usable_datasets(user_of(request), use_case).filter(pk__in=wanted))
        if len(datasets) != len(set(wanted)):
            said = _("Some datasets do not exist, or may not be used here.")
            raise Invalid(said, errors={"datasets": [said]})
        version = services.register_version(model=model, by=user_of(request), datasets=datasets, **given)
        return Response(VersionSerializer(version).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Write sections of the card", request=CardWrite, responses=VersionSerializer, tags=TAG)
    @action(detail=True, methods=["patch"])
    def card(self, request: Request, pk: str) -> Response:
        given = validated(self, request)
        return self._answer(services.edit_card(version=self.get_object(), by=user_of(request), **given))

    @extend_schema(summary="Approve a version that somebody else registered", request=None, tags=TAG)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        return self._answer(services.approve_version(version=self.get_object(), by=user_of(request)))

    @extend_schema(summary="Promote a candidate", request=None, tags=TAG)
    @action(detail=True, methods=["post"])
    def promote(self, request: Request, pk: str) -> Response:
        return self._answer(services.promote_version(version=self.get_object(), by=user_of(request)))

    @extend_schema(summary="Retire a version", request=WhyWrite, responses=VersionSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:
        given = validated(self, request)
        return self._answer(services.retire_version(version=self.get_object(), by=user_of(request), **given))

    def _answer(self, version: ModelVersion) -> Response:
        return Response(VersionSerializer(version).data)


@extend_schema_view(
    list=extend_schema(summary="List datasets", tags=["datasets"]),
    retrieve=extend_schema(summary="Read a dataset", tags=["datasets"]),
)
class DatasetViewSet(ReadOnlyViewSet):
    """Datasets of units that the caller may look into, and those behind versions that they may see."""

    queryset = Dataset.objects.none()
    ordering = ("name", "pk")
    serializer_class = DatasetSerializer
    filterset_class = DatasetFilter

    def get_queryset(self) -> QuerySet[Dataset]:
        return visible_datasets(user_of(self.request))
