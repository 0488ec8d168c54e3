"""The Business tab: promised and measured, cost, use, what happened, what is owed; in words of the business."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.access import actions_on
from gates.business import business_report
from monitoring.services.kpi_links import RIGHTS
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of


@panels.register
class Business(Panel):
    key: ClassVar[str] = "business"
    title: ClassVar[Any] = gettext_lazy("Business")
    order: ClassVar[int] = 15
    template: ClassVar[str] = "gates/panels/business.html"
    on_home: ClassVar[bool] = True

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        allowed = actions_on(person_of(request), use_case)
        return {
            "report": business_report(use_case),
            "may_link": bool(set(RIGHTS) & allowed),
            "may_watch": "monitor.configure" in allowed,
        }
