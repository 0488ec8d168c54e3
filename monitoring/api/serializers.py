"""The shapes of monitoring over REST. They only shape: services check and decide."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from monitoring.catalogue import DIRECTIONS, KINDS
from monitoring.condition import conditions
from monitoring.models import Alert, Rule, Series
from monitoring.rules import MOST_AMONG

BY_CATALOGUE = "Omitted: as the metric catalogue says."
BY_DEFAULT = "Kind of rule; a fixed limit unless given."


def condition_choices() -> list[tuple[str, str]]:
    return [(kind.key, str(kind.label)) for kind in conditions]


class SeriesSerializer(serializers.ModelSerializer[Series]):
    use_case = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    version = serializers.SlugRelatedField[Any](slug_field="label", read_only=True)
    kinds = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Series
        fields = (
            "id",
            "use_case",
            "metric",
            "name",
            "unit",
            "direction",
            "kinds",
            "version",
            "segment",
            "window_seconds",
            "expected_every_seconds",
            "keep_days",
            "kept_from",
            "baseline",
            "baseline_at",
            "enabled",
            "source",
            "last_time",
            "last_value",
            "last_n",
            "created_at",
        )
        read_only_fields = fields


class _SeriesShape(serializers.Serializer[Any]):
    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    unit = serializers.CharField(required=False, allow_blank=True, max_length=40, help_text=BY_CATALOGUE)
    direction = serializers.ChoiceField(required=False, choices=DIRECTIONS, help_text=BY_CATALOGUE)
    kinds = serializers.ListField(required=False, child=serializers.ChoiceField(choices=KINDS), help_text=BY_CATALOGUE)
    window_seconds = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    expected_every_seconds = serializers.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="Longer is silence; 0 expects nothing."
    )


class SeriesWrite(_SeriesShape):
    use_case = serializers.CharField(help_text="Key of the use case.")
    metric = serializers.CharField(max_length=60, help_text="Key of the metric catalogue, or an own key.")
    segment = serializers.CharField(required=False, allow_blank=True, max_length=100)
    version = serializers.CharField(required=False, allow_blank=True, help_text="Label of a version of the model.")
    baseline = serializers.FloatField(required=False)
    with_rule = serializers.BooleanField(
        required=False, help_text="Start with the catalogue's rule, where it has limits for the metric."
    )


class SeriesChange(_SeriesShape):
    keep_days = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=36_500,
        help_text="Days that points are kept; 0 is for ever; null is what the house keeps. Rollups stay.",
    )
    enabled = serializers.BooleanField(required=False)


class BaselineWrite(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True, help_text="null takes the baseline away.")


class BatchAnswer(serializers.Serializer[Any]):
    received = serializers.IntegerField(help_text="Points of the batch, each key once.")
    stored = serializers.IntegerField(help_text="New points and new revisions.")
    revised = serializers.IntegerField(help_text="Of these, values that replace an earlier value of the same key.")
    unchanged = serializers.IntegerField(help_text="Points that were there already, with the same value.")
    batches = serializers.ListField(child=serializers.UUIDField(), help_text="Audit entries, one a use case.")


class PointShape(serializers.Serializer[Any]):
    """One point. Its series by number, or by use case and metric (and segment and version)."""

    series = serializers.IntegerField(required=False)
    use_case = serializers.CharField(required=False)
    metric = serializers.CharField(required=False)
    segment = serializers.CharField(required=False)
    version = serializers.CharField(required=False)
    unit = serializers.CharField(required=False, help_text="Refused unless it is the unit of the series.")
    time = serializers.DateTimeField(help_text="ISO 8601 with a zone, at most 5 minutes ahead.")
    value = serializers.FloatField()
    step = serializers.IntegerField(required=False, help_text="Tells points of one time apart; 0 unless given.")
    n = serializers.IntegerField(required=False, help_text="Observations behind the value.")


class BatchWrite(serializers.Serializer[Any]):
    """Points, and beside them what they all share: series, use_case, metric, segment, version, unit."""

    points = PointShape(many=True)


class BucketShape(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    time = serializers.DateTimeField(help_text="Of the newest point in the bucket.")
    min = serializers.FloatField()
    max = serializers.FloatField()
    mean = serializers.FloatField()
    last = serializers.FloatField()
    count = serializers.IntegerField()


class PointsAnswer(serializers.Serializer[Any]):
    series = serializers.IntegerField()
    metric = serializers.CharField()
    unit = serializers.CharField()
    start = serializers.DateTimeField(help_text="As asked, or the time of the first point.")
    end = serializers.DateTimeField()
    buckets = BucketShape(many=True, required=False)
    points = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="With buckets=0: time, step, value, n."
    )
    truncated = serializers.BooleanField(help_text="There are more points than were given; ask from the last time on.")


class RuleSerializer(serializers.ModelSerializer[Rule]):
    class Meta:
        model = Rule
        fields = (
            "id",
            "series",
            "name",
            "condition",
            "params",
            "op",
            "warn",
            "act",
            "warn_high",
            "act_high",
            "clear",
            "clear_high",
            "needed",
            "among",
            "min_n",
            "reaction",
            "runbook_url",
            "enabled",
            "created_at",
        )
        read_only_fields = fields


class RuleLimits(serializers.Serializer[Any]):
    """What a rule asks for. ``op`` and limits of a comparison are how far the value may fall, rise or move away."""

    params = serializers.DictField(
        required=False,
        child=serializers.CharField(),
        help_text="Settings of its kind, such as weeks or measured_in (percent, absolute).",
    )
    op = serializers.ChoiceField(required=False, choices=Rule.Op.choices)
    warn = serializers.FloatField(required=False, allow_null=True)
    act = serializers.FloatField(required=False, allow_null=True)
    warn_high = serializers.FloatField(required=False, allow_null=True, help_text="Upper limit of a band.")
    act_high = serializers.FloatField(required=False, allow_null=True, help_text="Upper limit of a band.")
    clear = serializers.FloatField(required=False, allow_null=True, help_text="What ends an alert; else the limit.")
    clear_high = serializers.FloatField(required=False, allow_null=True, help_text="Upper limit of a band.")
    needed = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_AMONG, help_text="So many beyond it fire,"
    )
    among = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_AMONG, help_text="of so many newest values."
    )
    min_n = serializers.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="Values from fewer observations say nothing."
    )


class _RuleShape(RuleLimits):
    name = serializers.CharField(required=False, max_length=200)
    runbook_url = serializers.URLField(required=False, allow_blank=True, max_length=500)
    reaction = serializers.CharField(required=False, allow_blank=True, max_length=300)


class RuleWrite(_RuleShape):
    """Without op and limits, those of the metric catalogue."""

    series = serializers.IntegerField()
    condition = serializers.ChoiceField(required=False, choices=(), help_text=BY_DEFAULT)

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        fields["condition"].choices = condition_choices()
        return fields


class TrialWrite(RuleLimits):
    """A rule that is not stored. Without op and limits, those of the metric catalogue."""

    condition = serializers.ChoiceField(required=False, choices=(), help_text=BY_DEFAULT)

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        fields["condition"].choices = condition_choices()
        return fields


class TrialAlert(serializers.Serializer[Any]):
    opened_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="null: it would still be open.")
    level = serializers.ChoiceField(choices=Alert.Level.choices)
    value = serializers.FloatField(source="opened_by.shown", allow_null=True)


class TrialAnswer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    points = serializers.IntegerField(help_text="Values in that time.")
    judged = serializers.IntegerField(help_text="Moments of which the rule can say something.")
    fired = serializers.IntegerField(help_text="Alerts that it would have opened.")
    act = serializers.IntegerField(help_text="Of these, those that would have become a breach.")
    alerts = TrialAlert(many=True, source="shown", help_text="The newest 200 of them, the newest first.")


class RuleChange(_RuleShape):
    enabled = serializers.BooleanField(required=False)
