"""History: everything that the ledger holds of this use case, for everybody who sees it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from ledger.access import scope_of
from ledger.selectors import page
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.selectors.history import events_of, lines


@panels.register
class History(Panel):
    key: ClassVar[str] = "history"
    title: ClassVar[Any] = gettext_lazy("History")
    order: ClassVar[int] = 110
    template: ClassVar[str] = "portfolio/panels/history.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        before = request.GET.get("before", "")
        shown = page(events_of(use_case), before=int(before) if before.isdecimal() and len(before) < 19 else None)
        return {
            "lines": lines(shown.events, readable=not scope_of(request).is_empty, changes=True),
            "older": shown.older,
            "newest": not before,
        }
