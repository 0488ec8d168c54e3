"""The shapes of models, versions and datasets over REST."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from governance.api.base import Person
from governance.api.serializers import Row
from governance.catalogue import card_completeness
from governance.models import AiModel, Dataset, ModelVersion


class ModelSerializer(Row):
    owner = Person(read_only=True, allow_null=True)

    class Meta:
        model = AiModel
        fields = ("id", "use_case", "name", "kind", "provider", "registry_uri", "owner", "created_at")
        read_only_fields = fields


class ModelWrite(serializers.Serializer[Any]):
    use_case = serializers.SlugField()
    name = serializers.CharField(max_length=200)
    kind = serializers.CharField(required=False, allow_blank=True, default="", max_length=60)
    provider = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    registry_uri = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)


class VersionSerializer(serializers.ModelSerializer[ModelVersion]):
    """A version with its bundle, metrics (decimal strings) and card."""

    use_case = serializers.CharField(source="model.use_case.key", read_only=True)
    model_name = serializers.CharField(source="model.name", read_only=True)
    author = Person(read_only=True)
    approved_by = Person(read_only=True, allow_null=True)
    metrics = serializers.DictField(child=serializers.CharField(), read_only=True)
    card = serializers.DictField(child=serializers.CharField(), read_only=True)
    bundle = serializers.DictField(read_only=True)
    card_completeness = serializers.SerializerMethodField()
    datasets: Any = serializers.PrimaryKeyRelatedField(many=True, read_only=True)

    class Meta:
        model = ModelVersion
        fields = (
            "id",
            "use_case",
            "model",
            "model_name",
            "label",
            "number",
            "state",
            "significant",
            "change_note",
            "bundle",
            "metrics",
            "card",
            "card_completeness",
            "datasets",
            "author",
            "registered_at",
            "approved_by",
            "approved_at",
            "live_at",
            "retired_at",
        )
        read_only_fields = fields

    def get_card_completeness(self, row: ModelVersion) -> int:
        return card_completeness(row.card or {})


class VersionWrite(serializers.Serializer[Any]):
    """A version to register; ``model`` is the model's name in the use case."""

    use_case = serializers.SlugField()
    model = serializers.CharField(max_length=200)
    label = serializers.CharField(max_length=60)  # type: ignore[assignment]  # a field of that name, as in the model
    bundle = serializers.DictField(required=False, default=dict)
    metrics = serializers.DictField(required=False, default=dict)
    card = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False, default=dict)
    datasets = serializers.ListField(child=serializers.UUIDField(), required=False, default=list)
    change_note = serializers.CharField(required=False, allow_blank=True, default="")
    significant = serializers.BooleanField(required=False, default=True)


class CardWrite(serializers.Serializer[Any]):
    card = serializers.DictField(child=serializers.CharField(allow_blank=True))


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset; ``unit`` is the code of the unit that it belongs to."""

    unit = serializers.CharField(source="unit.code", read_only=True)
    steward = Person(read_only=True, allow_null=True)
    certified_by = Person(read_only=True, allow_null=True)

    class Meta:
        model = Dataset
        fields = (
            "id",
            "unit",
            "name",
            "description",
            "sensitivity",
            "lineage",
            "steward",
            "certified_by",
            "certified_at",
            "certified_until",
        )
        read_only_fields = fields
