"""Texts and embeddings over REST. They only shape: services check and decide."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from monitoring.models import ContentComparison, ContentSetup
from monitoring.services.contents import ACT, WARN


class PlaceShape(serializers.Serializer[Any]):
    """Where rows lie: a path, or a source and its query."""

    path = serializers.CharField(
        required=False, allow_blank=True, help_text="Parquet, CSV or DuckDB below the configured folders."
    )
    source = serializers.UUIDField(  # type: ignore[assignment]  # the field of that name, not the source of a field
        required=False, allow_null=True, help_text="An SQL source (PostgreSQL)."
    )
    query = serializers.CharField(required=False, allow_blank=True, help_text="Its SELECT, or a table of DuckDB.")


class ContentSetupWrite(PlaceShape):
    use_case = serializers.CharField(help_text="Key of the use case.")
    kind = serializers.ChoiceField(choices=ContentSetup.Kind.choices)
    column = serializers.CharField(max_length=100, help_text="Its name, or for vectors a pattern such as emb_*.")
    version = serializers.CharField(required=False, allow_blank=True, help_text="Label of a version of the model.")
    warn = serializers.FloatField(default=WARN, help_text="To be watched from this AUC on.")
    act = serializers.FloatField(default=ACT, help_text="Drift from this AUC on.")


class ContentComparisonWrite(PlaceShape):
    setup = serializers.UUIDField(help_text="What is watched, by its id.")
    name = serializers.CharField(max_length=200)
    window_start = serializers.DateTimeField(required=False, allow_null=True)
    window_end = serializers.DateTimeField(required=False, allow_null=True)


class ContentSetupSerializer(serializers.ModelSerializer[ContentSetup]):
    use_case = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    version = serializers.SlugRelatedField[Any](slug_field="label", read_only=True)

    class Meta:
        model = ContentSetup
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "use_case",
            "version",
            "kind",
            "column",
            "origin",
            "path",
            "source",
            "query",
            "warn",
            "act",
            "in_force",
            "created_by",
            "created_at",
        )
        read_only_fields = fields


class ContentComparisonSerializer(serializers.ModelSerializer[ContentComparison]):
    use_case = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    column = serializers.SlugRelatedField[Any](slug_field="column", read_only=True, source="setup")
    measured = serializers.SerializerMethodField(help_text="Counts and digests by side, and the method.")

    class Meta:
        model = ContentComparison
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "use_case",
            "setup",
            "column",
            "name",
            "origin",
            "path",
            "source",
            "query",
            "window_start",
            "window_end",
            "as_of",
            "state",
            "progress",
            "error",
            "verdict",
            "auc",
            "auc_low",
            "auc_high",
            "warn",
            "act",
            "measured",
            "sha256",
            "requested_by",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_measured(self, row: ContentComparison) -> Any:
        return row.measured


class ContentSetupFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")

    class Meta:
        model = ContentSetup
        fields: ClassVar[list[str]] = ["kind", "in_force"]


class ContentComparisonFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")
    setup = filters.UUIDFilter(field_name="setup_id", help_text="What is watched.")
    since = filters.IsoDateTimeFilter(field_name="as_of", lookup_expr="gte", help_text="Of rows from then on.")

    class Meta:
        model = ContentComparison
        fields: ClassVar[list[str]] = ["state", "verdict"]
