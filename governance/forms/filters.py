"""Filters of the lists of governance, the same for pages, exports and REST."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters as filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.catalogue import document_types, validation_kinds
from governance.models import Dataset, Document, Evidence, Incident, Issue, ValidationRun
from governance.selectors import SOON
from portfolio.models import Stage, Tier, UseCase

NONE = "none"


class Listed(filters.FilterSet):
    """A filter whose text boxes say what they are for, the search first and the use case last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = [name for name in self.form.fields if name not in ("q", "use_case")]
        self.form.order_fields(["q", *others, "use_case"])
        for name, field in self.form.fields.items():
            if name != "q" and getattr(field.widget, "input_type", "") == "text":
                field.widget.attrs.update(placeholder=field.label, size=max(len(str(field.label)), 10))


class OfUseCase(Listed):
    """What every list about things of use cases offers."""

    use_case = filters.CharFilter(
        field_name="use_case__key", label=_("Key of the use case"), help_text=_("Key of a use case.")
    )


class EvidenceFilter(OfUseCase):
    STATES = (
        ("in_force", _("In force")),
        ("unverified", _("Not verified")),
        ("expiring", _("Ends within 30 days")),
        ("expired", _("Expired")),
        ("withdrawn", _("Withdrawn")),
        ("all", _("All of it")),
    )
    q = filters.CharFilter(method="by_text", label=_("Title, file or statement"))
    kind = filters.ChoiceFilter(choices=Evidence.Kind.choices, label=_("Kind"), empty_label=_("Every kind"))
    state = filters.ChoiceFilter(choices=STATES, method="by_state", label=_("State"), empty_label=_("Every state"))
    criterion = filters.CharFilter(lookup_expr="iexact", label=_("Criterion"))

    evidence_type = filters.CharFilter(label=_("Type"))

    class Meta:
        model = Evidence
        fields: ClassVar[list[str]] = []

    def by_text(self, rows: QuerySet[Evidence], name: str, value: str) -> QuerySet[Evidence]:
        found = Q(title__icontains=value) | Q(file_name__icontains=value) | Q(statement__icontains=value)
        return rows.filter(found | Q(sha256__startswith=value.lower()))

    def by_state(self, rows: QuerySet[Evidence], name: str, value: str) -> QuerySet[Evidence]:
        now = timezone.now()
        valid = Q(valid_until__isnull=True) | Q(valid_until__gt=now)
        if value == "withdrawn":
            return rows.filter(withdrawn_at__isnull=False)
        if value == "all":
            return rows
        rows = rows.filter(withdrawn_at__isnull=True)
        conditions = {
            "in_force": valid,
            "unverified": valid & Q(verified_by__isnull=True) & ~Q(kind=Evidence.Kind.ATTESTATION),
            "expiring": Q(valid_until__gt=now, valid_until__lt=now + SOON),
            "expired": Q(valid_until__lte=now),
        }
        return rows.filter(conditions[value])


class DocumentFilter(OfUseCase):
    q = filters.CharFilter(field_name="title", lookup_expr="icontains", label=_("Title"))
    doc_type = filters.ChoiceFilter(
        choices=lambda: [(kind.key, kind.title) for kind in document_types().values()],
        label=_("Type"),
        empty_label=_("Every type"),
    )
    status = filters.ChoiceFilter(
        choices=[("awaiting", _("Awaiting approval")), *Document.DocStatus.choices],
        method="by_status",
        label=_("Status"),
        empty_label=_("Every status"),
    )

    class Meta:
        model = Document
        fields: ClassVar[list[str]] = []

    def by_status(self, rows: QuerySet[Document], name: str, value: str) -> QuerySet[Document]:
        return rows.exclude(status="approved") if value == "awaiting" else rows.filter(status=value)


class IssueFilter(OfUseCase):
    q = filters.CharFilter(field_name="title", lookup_expr="icontains", label=_("Title"))
    kind = filters.ChoiceFilter(choices=Issue.Kind.choices, label=_("Kind"), empty_label=_("Every kind"))
    severity = filters.ChoiceFilter(
        choices=Issue.Severity.choices, label=_("Severity"), empty_label=_("Every severity")
    )
    state = filters.ChoiceFilter(
        choices=[*Issue.IssueState.choices, ("overdue", _("Overdue"))],
        method="by_state",
        label=_("State"),
        empty_label=_("Every state"),
    )

    blocking = filters.ChoiceFilter(
        choices=[("true", _("Blocks")), ("false", _("Does not block"))],
        method="by_blocking",
        label=_("Blocking"),
        empty_label=_("Blocking or not"),
    )

    class Meta:
        model = Issue
        fields: ClassVar[list[str]] = []

    def by_blocking(self, rows: QuerySet[Issue], name: str, value: str) -> QuerySet[Issue]:
        return rows.filter(blocking=value == "true")

    def by_state(self, rows: QuerySet[Issue], name: str, value: str) -> QuerySet[Issue]:
        if value == "overdue":
            return rows.filter(state="open", due_on__lt=timezone.localdate())
        return rows.filter(state=value)


class IncidentFilter(OfUseCase):
    q = filters.CharFilter(field_name="title", lookup_expr="icontains", label=_("Title"))
    severity = filters.ChoiceFilter(
        choices=Incident.Severity.choices, label=_("Severity"), empty_label=_("Every severity")
    )
    state = filters.ChoiceFilter(
        choices=[("open", _("Open")), ("closed", _("Closed"))],
        method="by_state",
        label=_("State"),
        empty_label=_("Every state"),
    )

    class Meta:
        model = Incident
        fields: ClassVar[list[str]] = []

    def by_state(self, rows: QuerySet[Incident], name: str, value: str) -> QuerySet[Incident]:
        return rows.filter(closed_at__isnull=value == "open")


class ValidationFilter(OfUseCase):
    kind = filters.ChoiceFilter(
        choices=lambda: [(kind.key, kind.label) for kind in validation_kinds().values()],
        label=_("Kind"),
        empty_label=_("Every kind"),
    )
    verdict = filters.ChoiceFilter(
        choices=ValidationRun.Verdict.choices, label=_("Verdict"), empty_label=_("Every verdict")
    )

    version = filters.UUIDFilter(field_name="version_id", label=_("Id of the version"))

    class Meta:
        model = ValidationRun
        fields: ClassVar[list[str]] = []


class DatasetFilter(Listed):
    q = filters.CharFilter(field_name="name", lookup_expr="icontains", label=_("Name"))
    unit = filters.CharFilter(field_name="unit__code", label=_("Code of the unit"))
    certified = filters.ChoiceFilter(
        choices=[("yes", _("Certified")), ("no", _("Not certified"))],
        method="by_certification",
        label=_("Certification"),
        empty_label=_("Certified or not"),
    )

    class Meta:
        model = Dataset
        fields: ClassVar[list[str]] = []

    def by_certification(self, rows: QuerySet[Dataset], name: str, value: str) -> QuerySet[Dataset]:
        valid = Q(certified_at__isnull=False) & (
            Q(certified_until__isnull=True) | Q(certified_until__gt=timezone.now())
        )
        return rows.filter(valid) if value == "yes" else rows.exclude(valid)


class RegisterFilter(Listed):
    """Use cases by what governance knows of them."""

    CLASSIFIED = (
        ("none", _("Not classified")),
        ("provisional", _("Provisional")),
        ("unconfirmed", _("Not confirmed")),
        ("confirmed", _("Confirmed")),
    )
    q = filters.CharFilter(method="by_text", label=_("Key or name"))
    tier = filters.ChoiceFilter(
        choices=[(value or NONE, label) for value, label in Tier.choices],
        method="by_tier",
        label=_("Tier"),
        empty_label=_("Every tier"),
    )
    classification = filters.ChoiceFilter(
        choices=CLASSIFIED, method="by_classification", label=_("Classification"), empty_label=_("Classified or not")
    )
    stage = filters.ChoiceFilter(choices=Stage.choices, label=_("Stage"), empty_label=_("Every stage"))

    class Meta:
        model = UseCase
        fields: ClassVar[list[str]] = []

    def by_text(self, rows: QuerySet[UseCase], name: str, value: str) -> QuerySet[UseCase]:
        return rows.filter(Q(key__icontains=value) | Q(name__icontains=value))

    def by_tier(self, rows: QuerySet[UseCase], name: str, value: str) -> QuerySet[UseCase]:
        return rows.filter(tier="" if value == NONE else value)

    def by_classification(self, rows: QuerySet[UseCase], name: str, value: str) -> QuerySet[UseCase]:
        conditions = {
            "none": Q(classified=False),
            "provisional": Q(provisional=True),
            "unconfirmed": Q(classified=True, confirmed=False),
            "confirmed": Q(confirmed=True),
        }
        return rows.filter(conditions[value])
