"""Profiles and drift reports over REST. They only shape: services check and decide."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters as filters
from rest_framework import serializers

from monitoring.comparing import EFFECTS, Role
from monitoring.models import DataProfile, DriftReport, DriftResult
from monitoring.profiles.sql import DIALECTS
from monitoring.statistic import PEERS


class TermsShape(serializers.Serializer[Any]):
    """What a comparison holds against. What is not given is as usual, or stays as it is."""

    effect = serializers.ChoiceField(required=False, choices=EFFECTS, help_text="The statistic that decides; psi.")
    limit = serializers.FloatField(required=False, help_text="From this effect on a feature drifts; 0.1.")
    alpha = serializers.FloatField(required=False, help_text="Divided by the number of features; 0.05.")
    missing_points = serializers.FloatField(required=False, help_text="Shift of missing values that counts; 2.")
    new_share = serializers.FloatField(required=False, help_text="Percent of rows with new categories; 1.")
    least_rows = serializers.IntegerField(required=False, help_text="Below it nothing is said of a feature; 30.")
    warn_share = serializers.FloatField(required=False, help_text="Percent of drifted features to watch from; 30.")
    act_share = serializers.FloatField(required=False, help_text="Percent of drifted features that are drift; 50.")
    by = serializers.ChoiceField(
        required=False, choices=PEERS, allow_blank=True, help_text="Another tool's definitions where they differ."
    )
    roles = serializers.DictField(
        required=False, child=serializers.ChoiceField(choices=[r.value for r in Role]), help_text="By column."
    )
    weights = serializers.DictField(required=False, child=serializers.FloatField(), help_text="By column; 1.")
    watched = serializers.ListField(
        required=False, child=serializers.CharField(), help_text="Features whose PSI becomes a series."
    )


class DataProfileSerializer(serializers.ModelSerializer[DataProfile]):
    use_case = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    version = serializers.SlugRelatedField[Any](slug_field="label", read_only=True)
    ignored = serializers.ListField(child=serializers.CharField(), read_only=True)
    terms = TermsShape(read_only=True)

    class Meta:
        model = DataProfile
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "use_case",
            "version",
            "purpose",
            "name",
            "origin",
            "path",
            "source",
            "query",
            "ignored",
            "reference",
            "in_force",
            "terms",
            "window_start",
            "window_end",
            "state",
            "progress",
            "error",
            "rows",
            "columns",
            "sha256",
            "requested_by",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields


class BroughtAnswer(serializers.Serializer[Any]):
    column = serializers.CharField()
    rows = serializers.JSONField(required=False, help_text="Rows of its query.")
    words = serializers.JSONField(required=False, help_text="In place of rows, where only the other query could run.")


class DataProfileWrite(serializers.Serializer[Any]):
    """Where the rows are (path, or source and query), or the profile itself if it was made elsewhere."""

    use_case = serializers.CharField(help_text="Key of the use case.")
    name = serializers.CharField(max_length=200)
    purpose = serializers.ChoiceField(choices=DataProfile.Purpose.choices, default=DataProfile.Purpose.CURRENT)
    version = serializers.CharField(required=False, allow_blank=True, help_text="Label of a version of the model.")
    path = serializers.CharField(
        required=False, allow_blank=True, help_text="Parquet, CSV or DuckDB below the configured folders."
    )
    source = serializers.UUIDField(  # type: ignore[assignment]  # the field of that name, not the source of a field
        required=False, allow_null=True, help_text="An SQL source (PostgreSQL)."
    )
    query = serializers.CharField(required=False, allow_blank=True, help_text="Its SELECT, or a table of DuckDB.")
    profile = serializers.JSONField(required=False, help_text="A profile in the format tollgate-profile/1.")
    answers = BroughtAnswer(
        many=True, required=False, help_text="What the queries of the reference in force answered where the data is."
    )
    reference = serializers.UUIDField(required=False, help_text="With answers: the reference that gave the queries.")
    columns = serializers.ListField(
        required=False, child=serializers.CharField(max_length=200), help_text="With answers: all columns of the data."
    )
    window_start = serializers.DateTimeField(required=False, allow_null=True)
    window_end = serializers.DateTimeField(required=False, allow_null=True)
    ignored = serializers.ListField(
        required=False, child=serializers.CharField(), help_text="Of a reference: columns to leave out."
    )
    terms = TermsShape(required=False, help_text="Of a reference.")


class QueryAsk(serializers.Serializer[Any]):
    dialect = serializers.ChoiceField(choices=sorted(DIALECTS))
    rows = serializers.CharField(max_length=500, help_text="What stands after FROM: a table or a view.")


class QueryAnswer(serializers.Serializer[Any]):
    column = serializers.CharField()
    query = serializers.CharField()
    otherwise = serializers.CharField(
        allow_blank=True, help_text="If that fails because the column holds words now: its answer is sent as words."
    )


class ReferenceQueryAsk(QueryAsk):
    use_case = serializers.CharField(help_text="Key of the use case.")
    version = serializers.CharField(required=False, allow_blank=True, help_text="Label of a version of the model.")


class ReferenceQueryAnswer(serializers.Serializer[Any]):
    reference = serializers.UUIDField()
    queries = QueryAnswer(many=True)


class DriftReportSerializer(serializers.ModelSerializer[DriftReport]):
    use_case = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    version = serializers.SlugRelatedField[Any](slug_field="label", read_only=True)
    terms = TermsShape(read_only=True)

    class Meta:
        model = DriftReport
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "use_case",
            "version",
            "reference",
            "current",
            "made_at",
            "as_of",
            "terms",
            "verdict",
            "share",
            "compared",
            "drifted",
            "rows",
            "reference_rows",
            "sha256",
        )
        read_only_fields = fields


class DriftResultSerializer(serializers.ModelSerializer[DriftResult]):
    reasons = serializers.ListField(child=serializers.CharField(), read_only=True)
    measured = serializers.DictField(
        child=serializers.DictField(child=serializers.CharField()),
        read_only=True,
        help_text="By statistic: value, p, error (the most by which it may be off) and note.",
    )

    class Meta:
        model = DriftResult
        fields: ClassVar[tuple[str, ...]] = (
            "place",
            "name",
            "kind",
            "role",
            "state",
            "is_drifted",
            "reasons",
            "weight",
            "effect_key",
            "effect",
            "p_value",
            "measured",
        )
        read_only_fields = fields


class DataProfileFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")
    version = filters.CharFilter(field_name="version__label", help_text="Label of a version of the model.")

    class Meta:
        model = DataProfile
        fields: ClassVar[list[str]] = ["purpose", "state", "in_force"]


class DriftReportFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")
    version = filters.CharFilter(field_name="version__label", help_text="Label of a version of the model.")
    since = filters.IsoDateTimeFilter(field_name="as_of", lookup_expr="gte", help_text="Of data from then on.")

    class Meta:
        model = DriftReport
        fields: ClassVar[list[str]] = ["verdict"]
