"""The shapes of governance over REST. They only shape: services check and decide."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from governance.api.base import Person
from governance.catalogue import document_types
from governance.models import (
    Document,
    Evidence,
    Incident,
    Issue,
    ValidationRun,
)

GIVEN_KINDS = [(kind.value, kind.label) for kind in Evidence.Kind if kind is not Evidence.Kind.RUN]
"""Runs come with validation results; the others are given by hand."""


class Row(serializers.ModelSerializer[Any]):
    """A row of a use case; ``use_case`` is its key."""

    use_case: Any = serializers.SlugRelatedField(slug_field="key", read_only=True)


class EvidenceSerializer(Row):
    """A file, link, attestation or run, by its SHA-256. ``file_url`` answers with the file as a download."""

    added_by = Person(read_only=True)
    verified_by = Person(read_only=True, allow_null=True)
    file_url = serializers.SerializerMethodField()

    class Meta:
        model = Evidence
        fields = (
            "id",
            "use_case",
            "kind",
            "evidence_type",
            "criterion",
            "title",
            "statement",
            "role",
            "items",
            "sample_size",
            "url",
            "file_name",
            "file_url",
            "media_type",
            "size",
            "sha256",
            "version",
            "valid_from",
            "valid_until",
            "added_by",
            "added_at",
            "verified_by",
            "verified_at",
            "withdrawn_at",
            "withdrawn_reason",
        )
        read_only_fields = fields

    def get_file_url(self, row: Evidence) -> str:
        return f"/api/v1/evidence/{row.pk}/file/" if row.kind == Evidence.Kind.FILE else ""


class EvidenceWrite(serializers.Serializer[Any]):
    """A file (multipart, with ``file``), a link (``url``) or an attestation (``role`` and ``statement``)."""

    use_case = serializers.SlugField()
    kind = serializers.ChoiceField(choices=GIVEN_KINDS)
    title = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)
    statement = serializers.CharField(required=False, allow_blank=True, default="")
    criterion = serializers.CharField(required=False, allow_blank=True, default="", max_length=40)
    evidence_type = serializers.SlugField(required=False, allow_blank=True, default="", max_length=60)
    version = serializers.CharField(required=False, allow_blank=True, default="", help_text="Id, label or model/label.")
    valid_until = serializers.DateTimeField(required=False, allow_null=True, default=None)
    file = serializers.FileField(required=False, allow_empty_file=True, help_text="For a file.")
    url = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000, help_text="For a link.")
    role = serializers.CharField(required=False, allow_blank=True, default="", help_text="For an attestation.")
    items = serializers.ListField(child=serializers.CharField(max_length=60), required=False, default=list)
    sample_size = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1)


class ValidationRunSerializer(Row):
    """One test of one version; ``metrics`` are decimal strings."""

    recorded_by = Person(read_only=True, allow_null=True)
    signed_by = Person(read_only=True, allow_null=True)
    version_label = serializers.CharField(source="version.label", read_only=True, default=None, allow_null=True)
    metrics = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ValidationRun
        fields = (
            "id",
            "use_case",
            "kind",
            "verdict",
            "version",
            "version_label",
            "metrics",
            "sample_size",
            "reviewers",
            "independent",
            "open_major_findings",
            "summary",
            "source",
            "external_id",
            "evidence",
            "performed_at",
            "recorded_by",
            "recorded_at",
            "signed_by",
        )
        read_only_fields = fields


class ValidationRunWrite(serializers.Serializer[Any]):
    """A run to record. With ``source`` and ``external_id`` it is recorded once, however often it is sent."""

    use_case = serializers.SlugField()
    kind = serializers.CharField(max_length=60)
    verdict = serializers.ChoiceField(choices=ValidationRun.Verdict.choices)
    version = serializers.CharField(required=False, allow_blank=True, default="", help_text="Id, label or model/label.")
    metrics = serializers.DictField(required=False, default=dict, help_text="Metric -> number or decimal string.")
    sample_size = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0)
    reviewers = serializers.IntegerField(required=False, default=0, min_value=0, max_value=32767)
    independent = serializers.BooleanField(required=False, default=False)
    open_major_findings = serializers.IntegerField(required=False, default=0, min_value=0, max_value=32767)
    summary = serializers.CharField(required=False, allow_blank=True, default="")
    source = serializers.CharField(  # type: ignore[assignment]  # a field of that name, as in the model
        required=False, allow_blank=True, default="", max_length=200
    )
    external_id = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    evidence = serializers.UUIDField(required=False, allow_null=True, default=None)
    performed_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class DocumentSerializer(Row):
    """One revision; ``completeness`` is the share of required sections that hold text, in percent."""

    written_by = Person(read_only=True)
    reviewed_by = Person(read_only=True, allow_null=True)
    approved_by = Person(read_only=True, allow_null=True)
    sections = serializers.DictField(child=serializers.CharField(), read_only=True)
    measures = serializers.DictField(child=serializers.CharField(), read_only=True)
    completeness = serializers.SerializerMethodField()

    class Meta:
        model = Document
        fields = (
            "id",
            "use_case",
            "doc_type",
            "title",
            "revision",
            "is_current",
            "status",
            "completeness",
            "sections",
            "measures",
            "describes",
            "evidence",
            "tested_at",
            "written_by",
            "written_at",
            "reviewed_by",
            "reviewed_at",
            "approved_by",
            "approved_at",
        )
        read_only_fields = fields

    def get_completeness(self, row: Document) -> int:
        kind = document_types().get(row.doc_type)
        return kind.completeness(row.sections) if kind else 100


class DocumentWrite(serializers.Serializer[Any]):
    """The next revision. ``base_revision`` refuses it when somebody saved another one meanwhile."""

    use_case = serializers.SlugField()
    doc_type = serializers.SlugField()
    title = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)
    sections = serializers.DictField(child=serializers.CharField(allow_blank=True))
    measures = serializers.DictField(required=False, default=dict)
    describes = serializers.CharField(required=False, allow_blank=True, default="", help_text="A version.")
    evidence = serializers.UUIDField(required=False, allow_null=True, default=None)
    tested_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    base_revision = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0)


class IssueSerializer(Row):
    owner = Person(read_only=True, allow_null=True)
    raised_by = Person(read_only=True, allow_null=True)
    closed_by = Person(read_only=True, allow_null=True)

    class Meta:
        model = Issue
        fields = (
            "id",
            "use_case",
            "kind",
            "severity",
            "title",
            "description",
            "blocking",
            "due_gate",
            "due_on",
            "first_seen",
            "state",
            "owner",
            "incident",
            "raised_by",
            "raised_at",
            "resolution",
            "closed_by",
            "closed_at",
        )
        read_only_fields = fields


class IssueWrite(serializers.Serializer[Any]):
    use_case = serializers.SlugField()
    kind = serializers.ChoiceField(choices=Issue.Kind.choices)
    title = serializers.CharField(max_length=300)
    severity = serializers.ChoiceField(choices=Issue.Severity.choices, required=False, default=Issue.Severity.MEDIUM)
    description = serializers.CharField(required=False, allow_blank=True, default="")
    blocking = serializers.BooleanField(required=False, default=False)
    due_gate = serializers.CharField(required=False, allow_blank=True, default="", max_length=40)
    due_on = serializers.DateField(required=False, allow_null=True, default=None)


class ResolutionWrite(serializers.Serializer[Any]):
    resolution = serializers.CharField()


class IncidentSerializer(Row):
    reported_by = Person(read_only=True, allow_null=True)
    closed_by = Person(read_only=True, allow_null=True)

    class Meta:
        model = Incident
        fields = (
            "id",
            "use_case",
            "severity",
            "title",
            "description",
            "occurred_at",
            "detected_at",
            "restored_at",
            "cause",
            "reported_by",
            "closed_by",
            "closed_at",
        )
        read_only_fields = fields


class IncidentWrite(serializers.Serializer[Any]):
    use_case = serializers.SlugField()
    severity = serializers.ChoiceField(choices=Incident.Severity.choices)
    title = serializers.CharField(max_length=300)
    description = serializers.CharField(required=False, allow_blank=True, default="")
    occurred_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    detected_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class IncidentChange(serializers.Serializer[Any]):
    severity = serializers.ChoiceField(choices=Incident.Severity.choices, required=False)
    title = serializers.CharField(max_length=300, required=False)
    description = serializers.CharField(required=False, allow_blank=True)
    occurred_at = serializers.DateTimeField(required=False)
    detected_at = serializers.DateTimeField(required=False, allow_null=True)
    restored_at = serializers.DateTimeField(required=False, allow_null=True)
    cause = serializers.CharField(required=False, allow_blank=True)


class CauseWrite(serializers.Serializer[Any]):
    cause = serializers.CharField(required=False, allow_blank=True, default="")
