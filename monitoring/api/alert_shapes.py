"""The shapes of alerts over REST."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from governance.models import Incident
from monitoring.models import Alert, AlertComment


class AlertSerializer(serializers.ModelSerializer[Alert]):
    use_case = serializers.CharField(source="series.use_case.key")
    metric = serializers.CharField(source="series.metric")
    acknowledged_by = serializers.UUIDField(source="acknowledged_by_id", allow_null=True)
    assigned_to = serializers.UUIDField(source="assigned_to_id", allow_null=True)
    resolved_by = serializers.UUIDField(source="resolved_by_id", allow_null=True)
    incident = serializers.UUIDField(source="incident_id", allow_null=True)
    decided_by = serializers.UUIDField(source="decided_by_id", allow_null=True)
    response_unit = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)

    class Meta:
        model = Alert
        fields = (
            "id",
            "use_case",
            "metric",
            "series",
            "rule",
            "level",
            "severity",
            "state",
            "message",
            "value",
            "limit",
            "point_time",
            "opened_at",
            "act_since",
            "last_seen_at",
            "acknowledged_by",
            "acknowledged_at",
            "acknowledge_by",
            "resolve_by",
            "response_by",
            "response_unit",
            "assigned_to",
            "snoozed_until",
            "snooze_reason",
            "resolved_by",
            "resolved_at",
            "resolution",
            "incident",
            "outcome",
            "outcome_reason",
            "decided_by",
            "decided_at",
        )
        read_only_fields = fields


class AlertSnoozeWrite(serializers.Serializer[Any]):
    until = serializers.DateTimeField(help_text="In the future, at most 90 days ahead.")
    reason = serializers.CharField()


class AlertAssignWrite(serializers.Serializer[Any]):
    to = serializers.UUIDField(allow_null=True, help_text="Who sees to it; null: nobody.")


class AlertResolveWrite(serializers.Serializer[Any]):
    reason = serializers.CharField()


class AlertCommentWrite(serializers.Serializer[Any]):
    text = serializers.CharField()


class AlertCommentSerializer(serializers.ModelSerializer[AlertComment]):
    author = serializers.UUIDField(source="author_id")

    class Meta:
        model = AlertComment
        fields = ("id", "text", "author", "written_at")
        read_only_fields = fields


class AlertReportWrite(serializers.Serializer[Any]):
    """What is left out is filled in from the alert."""

    severity = serializers.ChoiceField(required=False, choices=Incident.Severity.choices)
    title = serializers.CharField(required=False, max_length=300)
    description = serializers.CharField(required=False)
