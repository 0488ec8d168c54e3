"""Documents: every type there is, with its current revision, status and completeness."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from governance.catalogue import document_types
from governance.models import Document
from governance.views.common import offers, panel_url
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of

TONES = {"draft": "attention", "reviewed": "info", "approved": "met"}
ICONS = {"draft": "edit", "reviewed": "eye", "approved": "check-circle"}


@panels.register
class DocumentsPanel(Panel):
    key: ClassVar[str] = "documents"
    title: ClassVar[Any] = _("Documents")
    order: ClassVar[int] = 35
    template: ClassVar[str] = "governance/panels/documents.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        current = Document.objects.filter(use_case=use_case, is_current=True)
        found = {row.doc_type: row for row in current.select_related("written_by", "approved_by", "describes")}
        keys = [f"document-{key.replace('_', '-')}" for key in document_types()]
        writable = {
            act.key: act for act in offers(person_of(request), use_case, keys, next=panel_url(use_case, self.key))
        }
        lines = [
            {
                "kind": kind,
                "document": found.get(key),
                "complete": kind.completeness(found[key].sections) if key in found else 0,
                "tone": TONES[found[key].status] if key in found else "neutral",
                "icon": ICONS[found[key].status] if key in found else "dash-circle",
                "write": writable.get(f"document-{key.replace('_', '-')}"),
            }
            for key, kind in document_types().items()
        ]
        return {
            "lines": [line for line in lines if line["document"]],
            "missing": [line for line in lines if not line["document"]],
        }

    def rows(self, use_case: UseCase) -> QuerySet[Any]:
        return Document.objects.filter(use_case=use_case, is_current=True)
