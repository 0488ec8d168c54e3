"""KPIs: each with where it came from, where it should go, and what was measured on the way."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.access import actions_on
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.selectors.kpis import stories
from portfolio.views.common import person_of


@panels.register
class Kpis(Panel):
    key: ClassVar[str] = "kpis"
    title: ClassVar[Any] = gettext_lazy("KPIs")
    order: ClassVar[int] = 40
    template: ClassVar[str] = "portfolio/panels/kpis.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        allowed = actions_on(person_of(request), use_case)
        return {
            "stories": stories(use_case),
            "may_define": "kpi.define" in allowed,
            "may_lock": "kpi.lock" in allowed,
            "may_record": "kpi.record" in allowed,
        }

    def rows(self, use_case: UseCase) -> QuerySet[Any]:
        return use_case.kpis.filter(is_current=True)
