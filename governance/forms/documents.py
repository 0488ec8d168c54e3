"""Writing a document section by section; reviewing and approving it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from governance import services
from governance.catalogue import DocumentType, document_types
from governance.forms.entry import Choice, Confirmation, EntryForm, Group, MomentInput, entries, words
from governance.models import Document, Evidence, IntegrationPoint, ModelVersion
from governance.services.documents import may_judge
from portfolio.models import UseCase


class WriteDocument(EntryForm):
    """A field for every section and figure of the type, filled with the current revision."""

    kind: DocumentType
    panel = "documents"
    icon = "document"
    submit = _("Save as the next revision")
    done = _("Saved. Somebody else can review it now.")

    base_revision = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=_("Title"), required=False, max_length=300)

    def prepare(self) -> None:
        current = self.current
        for section in self.kind.sections:
            field = words(section.label, rows=5, help=section.help)
            field.markdown = True
            self.fields[f"section_{section.key}"] = field
        for measure in self.kind.measures:
            self.fields[f"measure_{measure.key}"] = forms.DecimalField(
                label=f"{measure.label} ({measure.unit})", required=False, help_text=measure.help
            )
        self.fields["evidence"] = Choice(
            label=_("Attached file"),
            empty_label=_("No file"),
            queryset=Evidence.objects.filter(use_case=self.use_case, kind="file", withdrawn_at__isnull=True),
            help_text=_("A document that was written elsewhere, added under Evidence before."),
        )
        if self.kind.describes_version:
            versions = ModelVersion.objects.filter(model__use_case=self.use_case).select_related("model")
            self.fields["describes"] = Choice(
                label=_("Describes the version"), empty_label=_("No version in particular"), queryset=versions
            )
        if self.kind.tested:
            self.fields["tested_at"] = forms.DateTimeField(
                label=_("Last tried by somebody new (UTC)"), required=False, widget=MomentInput()
            )
        if not self.is_bound:
            self.initial.update(self._values(current))

    @property
    def current(self) -> Document | None:
        rows = Document.objects.filter(use_case=self.use_case, doc_type=self.kind.key, is_current=True)
        return rows.first()

    @property
    def groups(self) -> Iterator[Group]:
        yield Group("", [self["name"]])
        yield Group(
            _("Sections"), [self[f"section_{section.key}"] for section in self.kind.sections], _("Markdown is allowed.")
        )
        if self.kind.measures:
            yield Group(_("Figures that it states"), [self[f"measure_{m.key}"] for m in self.kind.measures])
        rest = [name for name in ("describes", "tested_at", "evidence") if name in self.fields]
        yield Group(_("What belongs to it"), [self[name] for name in rest])

    @property
    def sections(self) -> dict[str, str]:
        return {section.key: self.cleaned_data[f"section_{section.key}"] for section in self.kind.sections}

    def save(self) -> Document:
        data = self.cleaned_data
        measures = {m.key: data[f"measure_{m.key}"] for m in self.kind.measures if data[f"measure_{m.key}"] is not None}
        for measure in self.kind.measures:
            if measure.computed == "completeness":
                measures.setdefault(measure.key, self.kind.completeness(self.sections))
        return services.write_document(
            use_case=self.use_case,
            doc_type=self.kind.key,
            title=data["name"],
            sections=self.sections,
            measures=measures,
            describes=data.get("describes"),
            tested_at=data.get("tested_at"),
            evidence=data["evidence"],
            base_revision=data["base_revision"] or 0,
            by=self.user,
        )

    def _values(self, current: Document | None) -> dict[str, Any]:
        if current is None:
            return {"name": self.kind.title, "base_revision": 0, **self._computed()}
        found: dict[str, Any] = {
            "name": current.title,
            "base_revision": current.revision,
            "evidence": current.evidence_id,
        }
        found |= {f"section_{key}": text for key, text in current.sections.items()}
        computed = {m.key for m in self.kind.measures if m.computed}
        found |= {f"measure_{key}": value for key, value in current.measures.items() if key not in computed}
        return {**found, "describes": current.describes_id, "tested_at": current.tested_at}

    def _computed(self) -> dict[str, Any]:
        """Figures that the record already knows."""
        if self.kind.key != "integration_register":
            return {}
        points = IntegrationPoint.objects.filter(use_case=self.use_case).values_list("feasible", flat=True)
        return {"measure_feasible_points": 100 * sum(map(bool, points)) // len(points)} if points else {}


def _form_of(kind: DocumentType) -> type[WriteDocument]:
    words_of_it = {
        "key": f"document-{kind.key.replace('_', '-')}",
        "heading": kind.title,
        "lead": kind.purpose,
        "actions": (kind.action,),
        "kind": kind,
        "__module__": __name__,
        "__doc__": kind.purpose,
    }
    return type(f"Write{kind.key.title().replace('_', '')}", (WriteDocument,), words_of_it)


for _kind in document_types().values():
    entries.register(_form_of(_kind))


class OnDocument(Confirmation):
    subject_model = Document
    panel = "documents"
    icon = "check-circle"

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        return subject is None or may_judge(user, subject)


@entries.register
class ReviewDocument(OnDocument):
    key = "review-document"
    heading = _("Review this document")
    submit = _("I read it and find it sound")
    done = _("Reviewed.")
    lead = _("You read the whole revision and find that it is right and complete enough to rely on.")

    def save(self) -> Document:
        return services.review_document(document=self.subject, by=self.user)


@entries.register
class ApproveDocument(OnDocument):
    key = "approve-document"
    heading = _("Approve this document")
    submit = _("Approve it in my name")
    done = _("Approved.")
    icon = "sign"
    lead = _("The revision is approved as it stands. A later revision starts as a draft again.")

    def save(self) -> Document:
        return services.approve_document(document=self.subject, by=self.user)
