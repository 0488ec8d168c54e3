"""Readiness: the scored questionnaires, each with its dimensions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from governance.catalogue import questionnaires
from governance.models import QuestionnaireResponse
from governance.views.common import offers, panel_url
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of


@panels.register
class ReadinessPanel(Panel):
    key: ClassVar[str] = "readiness"
    title: ClassVar[Any] = _("Readiness")
    order: ClassVar[int] = 45
    template: ClassVar[str] = "governance/panels/readiness.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        rows = QuestionnaireResponse.objects.filter(use_case=use_case, is_current=True).select_related("answered_by")
        current = {row.questionnaire: row for row in rows}
        keys = {key: f"questionnaire-{key.replace('_', '-')}" for key in questionnaires()}
        back = panel_url(use_case, self.key)
        offered = {act.key: act for act in offers(person_of(request), use_case, keys.values(), next=back)}
        return {
            "sheets": [
                {
                    "asked": asked,
                    "response": current.get(key),
                    "answer": offered.get(keys[key]),
                    "dimensions": [
                        {"label": d.label, "weight": d.weight, "score": current[key].dimensions.get(d.key, "0")}
                        for d in asked.dimensions
                    ]
                    if key in current
                    else [],
                }
                for key, asked in questionnaires().items()
            ]
        }
