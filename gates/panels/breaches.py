"""The card beside every tab while a decision after a breach is owed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.models import User
from gates.breach_reading import breaches_of
from portfolio.models import UseCase
from portfolio.panel import AsidePanel, aside_panels


@aside_panels.register
class BreachesOwed(AsidePanel):
    key = "breaches"
    order = 4
    template = "gates/panels/breaches.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        return {"owed": [row for row in breaches_of(use_case) if row.is_open]}

    def shown_to(self, user: User, use_case: UseCase) -> bool:
        return any(row.is_open for row in breaches_of(use_case))
