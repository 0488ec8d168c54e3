"""Sources and their pulls over REST. They only shape: services check and decide."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from monitoring.models import PullRun, Source


class SourceSerializer(serializers.ModelSerializer[Source]):
    """A source without its secret, which never leaves."""

    use_case = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    has_secret = serializers.SerializerMethodField()
    config = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Source
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "use_case",
            "name",
            "connector",
            "config",
            "has_secret",
            "mapping",
            "every_seconds",
            "history_days",
            "enabled",
            "health",
            "failures",
            "last_error",
            "error_kind",
            "failing_since",
            "last_pull_at",
            "last_success_at",
            "last_count",
            "next_due_at",
            "watermark",
            "read_through",
            "catching_up_from",
            "created_at",
        )
        read_only_fields = fields

    def get_has_secret(self, source: Source) -> bool:
        return bool(source.secret)


class _SourceShape(serializers.Serializer[Any]):
    config = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False)
    secret = serializers.DictField(
        child=serializers.CharField(allow_blank=True), required=False, help_text="Written only; {} takes it away."
    )
    every_seconds = serializers.IntegerField(required=False)
    history_days = serializers.IntegerField(required=False, help_text="How far back the first pull asks.")
    mapping = serializers.ListField(
        child=serializers.JSONField(), required=False, help_text='Entries {"from": {"metric": …}, "to": {…} or "skip"}.'
    )


class SourceWrite(_SourceShape):
    use_case = serializers.CharField(help_text="Key of the use case.")
    name = serializers.CharField(max_length=200)
    connector = serializers.CharField()


class SourceChange(_SourceShape):
    name = serializers.CharField(max_length=200, required=False)


class SampleShape(serializers.Serializer[Any]):
    metric = serializers.CharField()
    time = serializers.DateTimeField()
    value = serializers.FloatField()
    step = serializers.IntegerField()
    segment = serializers.CharField()
    version = serializers.CharField()
    n = serializers.IntegerField(allow_null=True)


class PreviewAnswer(serializers.Serializer[Any]):
    samples = SampleShape(many=True)
    more = serializers.BooleanField(help_text="The source gave more than these.")
    error = serializers.CharField(allow_blank=True, help_text="Why it gave nothing.")
    names = serializers.ListField(child=serializers.DictField(), help_text="What it calls its metrics.")


class SourceTrial(serializers.Serializer[Any]):
    """Settings to try in place of the stored ones."""

    config = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False)
    secret = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False)
    mapping = serializers.ListField(child=serializers.JSONField(), required=False)


class BackfillWrite(serializers.Serializer[Any]):
    since = serializers.DateTimeField(help_text="ISO 8601 with a zone.")


class CloneWrite(serializers.Serializer[Any]):
    use_case = serializers.CharField(required=False, help_text="Key of another use case.")
    name = serializers.CharField(required=False, max_length=200)


class SourceTextWrite(serializers.Serializer[Any]):
    """A source as YAML; its secret stands beside it, never in it."""

    use_case = serializers.CharField(help_text="Key of the use case.")
    text = serializers.CharField(max_length=200_000, trim_whitespace=False)
    secret = serializers.DictField(child=serializers.CharField(), required=False, write_only=True)


class PullSerializer(serializers.ModelSerializer[PullRun]):
    class Meta:
        model = PullRun
        fields = (
            "id",
            "outcome",
            "started_at",
            "finished_at",
            "since",
            "until",
            "fetched",
            "stored",
            "revised",
            "error",
            "error_kind",
        )
        read_only_fields = fields
