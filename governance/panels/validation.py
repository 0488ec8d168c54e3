"""Validation: the runs, newest first, with what they measured."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.access import actions_on
from governance.catalogue import validation_kinds
from governance.forms.filters import ValidationFilter
from governance.models import ValidationRun
from governance.views.common import acts, offers, panel_url
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of

SHOWN = 100
TONES = {"pass": "met", "fail": "blocked", "inconclusive": "attention"}
ICONS = {"pass": "check-circle", "fail": "cross-circle", "inconclusive": "help"}


@panels.register
class ValidationPanel(Panel):
    key: ClassVar[str] = "validation"
    title: ClassVar[Any] = _("Validation")
    order: ClassVar[int] = 60
    template: ClassVar[str] = "governance/panels/validation.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        user, back = person_of(request), panel_url(use_case, self.key)
        allowed = actions_on(user, use_case)
        found = ValidationFilter(request.GET, queryset=ValidationRun.objects.filter(use_case=use_case), request=request)
        rows = found.qs.select_related("version__model", "recorded_by", "signed_by", "evidence")[:SHOWN]
        query = {"criterion": request.GET["criterion"]} if request.GET.get("criterion") else {}
        return {
            "filter": found,
            "runs": [
                {
                    "run": run,
                    "kind": validation_kinds()[run.kind].label if run.kind in validation_kinds() else run.kind,
                    "tone": TONES.get(run.verdict, "neutral"),
                    "icon": ICONS.get(run.verdict, "help"),
                    "acts": acts(user, use_case, run, ("sign-validation",), allowed, next=back)
                    if run.independent and not run.signed_by_id
                    else [],
                }
                for run in rows
            ],
            "acts": offers(user, use_case, ("validation",), next=back, **query),
        }

    def rows(self, use_case: UseCase) -> QuerySet[Any]:
        return ValidationRun.objects.filter(use_case=use_case)
