"""Events as REST clients read them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ledger.models import Event


class EventSerializer(serializers.ModelSerializer[Event]):
    """One event in a list: everything but its body."""

    use_case = serializers.CharField(source="use_case_id", allow_null=True, read_only=True)
    unit = serializers.CharField(source="unit_path", read_only=True)
    changes = serializers.SerializerMethodField()
    note = serializers.CharField(read_only=True)

    class Meta:
        model = Event
        fields: tuple[str, ...] = (
            "index",
            "at",
            "action",
            "subject_type",
            "subject_id",
            "subject_label",
            "use_case",
            "unit",
            "actor_id",
            "actor_kind",
            "auth_method",
            "request_id",
            "changes",
            "note",
            "before_digest",
            "after_digest",
            "leaf_hash",
        )
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_changes(self, event: Event) -> dict[str, Any]:
        """By field: ``before`` and ``after``; a personal value is ``{"sha256": …}``."""
        return event.changes


class EventDetailSerializer(EventSerializer):
    """One event with its body, exactly as it was hashed."""

    class Meta(EventSerializer.Meta):
        fields = (*EventSerializer.Meta.fields, "body")
        read_only_fields = fields
