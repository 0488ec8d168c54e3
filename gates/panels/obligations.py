"""The card beside every tab while an emergency release stands or a review is owed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from gates.obligations import calls_of, standing_release
from portfolio.models import UseCase
from portfolio.panel import AsidePanel, aside_panels


@aside_panels.register
class Obligations(AsidePanel):
    key = "obligations"
    order = 5
    template = "gates/panels/obligations.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        now = timezone.now()
        return {"release": standing_release(use_case, now), "calls": calls_of(use_case), "now": now}

    def shown_to(self, user: User, use_case: UseCase) -> bool:
        return bool(calls_of(use_case)) or standing_release(use_case, timezone.now()) is not None
