"""One revision of a document: its text, what changed since another revision, who stands for it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import actions_on, for_user
from governance.catalogue import DocumentType, document_types
from governance.models import Document
from governance.views.common import acts, offers, panel_url
from kernel.htmx import render
from portfolio.views.common import person_of

MOST_PREVIEW = 50_000


@require_safe
@login_required
def document(request: HttpRequest, pk: str) -> HttpResponse:
    """A revision; ``?against=2`` compares it with another one."""
    user = person_of(request)
    rows = Document.objects.select_related(
        "use_case__unit", "written_by", "reviewed_by", "approved_by", "describes__model", "evidence"
    )
    found = get_object_or_404(for_user(rows, user, "use_case.view"), pk=pk)
    use_case, kind = found.use_case, document_types().get(found.doc_type)
    revisions = list(
        Document.objects.filter(use_case=use_case, doc_type=found.doc_type)
        .select_related("written_by")
        .order_by("-revision")
    )
    other = _other(request, revisions, found)
    keys = {"draft": ["review-document"], "reviewed": ["approve-document"]}.get(found.status, [])
    context = {
        "document": found,
        "kind": kind,
        "use_case": use_case,
        "use_case_url": panel_url(use_case, "overview"),
        "panel_url": panel_url(use_case, "documents"),
        "sections": _sections(found, kind),
        "measures": _measures(found, kind),
        "complete": kind.completeness(found.sections) if kind else 100,
        "revisions": revisions,
        "other": other,
        "changes": _changes(other, found, kind) if other else [],
        "acts": acts(user, use_case, found, keys, actions_on(user, use_case), next=request.path)
        if found.is_current
        else [],
        "write": offers(user, use_case, [f"document-{found.doc_type.replace('_', '-')}"]) if kind else [],
    }
    return render(request, "governance/document.html", context)


@require_POST
@login_required
def preview(request: HttpRequest) -> HttpResponse:
    """Markdown as it will look: the first of the texts that were sent."""
    text = next((value for name, value in request.POST.items() if name.startswith("section_")), "")
    return render(request, "governance/parts/preview.html", {"text": text[:MOST_PREVIEW]})


def _other(request: HttpRequest, revisions: list[Document], found: Document) -> Document | None:
    asked = request.GET.get("against", "")
    return next((row for row in revisions if str(row.revision) == asked and row.pk != found.pk), None)


def _sections(found: Document, kind: DocumentType | None) -> list[dict[str, Any]]:
    known = {section.key: section for section in kind.sections} if kind else {}
    rows = [
        {"label": section.label, "help": section.help, "text": found.sections.get(key, "")}
        for key, section in known.items()
    ]
    return rows + [{"label": key, "text": text} for key, text in found.sections.items() if key not in known]


def _measures(found: Document, kind: DocumentType | None) -> list[dict[str, Any]]:
    known = {measure.key: measure for measure in kind.measures} if kind else {}
    return [
        {
            "label": known[key].label if key in known else key,
            "value": value,
            "note": known[key].unit if key in known else "",
        }
        for key, value in found.measures.items()
    ]


def _changes(before: Document, after: Document, kind: DocumentType | None) -> list[dict[str, Any]]:
    labels = {section.key: section.label for section in kind.sections} if kind else {}
    labels |= {measure.key: measure.label for measure in kind.measures} if kind else {}
    rows = [{"name": _("Title"), "before": before.title, "after": after.title}]
    for old, new in ((before.sections, after.sections), (before.measures, after.measures)):
        rows += [
            {"name": labels.get(key, key), "before": old.get(key, ""), "after": new.get(key, "")}
            for key in dict.fromkeys([*old, *new])
        ]
    return [row for row in rows if row["before"] != row["after"]]
