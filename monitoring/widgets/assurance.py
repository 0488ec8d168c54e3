"""Whether the approvals still hold: of one use case with the reason, of many as counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.widget import Look, Widget, jsonable, widgets
from portfolio.models import Assurance, UseCase


@widgets.register
class AssuranceState(Widget):
    key: ClassVar[str] = "assurance"
    title: ClassVar[Any] = gettext_lazy("Assurance")
    description: ClassVar[Any] = gettext_lazy("Whether the gates already passed would still be passed.")
    icon: ClassVar[str] = "shield"
    order: ClassVar[int] = 50
    template: ClassVar[str] = "monitoring/widgets/assurance.html"

    def data(self, params: Mapping[str, Any], look: Look) -> dict[str, Any]:
        rows = look.scope.rows(UseCase.objects.all(), look.user)
        if look.scope.use_case is not None:
            found: Mapping[str, Any] = rows.values("assurance", "assurance_reason", "assurance_since").first() or {}
            return {
                "state": found.get("assurance", ""),
                "label": str(Assurance(found.get("assurance", "")).label),
                "reason": found.get("assurance_reason", ""),
                "since": jsonable(found.get("assurance_since")),
                "url": reverse("portfolio:use_case_panel", args=[look.scope.use_case.key, "gate"]),
            }
        counts = dict(rows.order_by().values_list("assurance").annotate(found=Count("pk")))
        within = {"unit": look.scope.unit.code} if look.scope.unit is not None else {}
        return {
            "states": [
                {
                    "state": state.value,
                    "label": str(state.label),
                    "count": counts.get(state.value, 0),
                    "url": f"{reverse('portfolio:list')}?{urlencode({'assurance': state.value or 'none', **within})}",
                }
                for state in (Assurance.REAPPROVAL, Assurance.AT_RISK, Assurance.IN_FORCE, Assurance.NONE)
            ]
        }

    def table(self, data: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        if "states" in data:
            return [_("Assurance"), _("Use cases")], [[each["label"], each["count"]] for each in data["states"]]
        return [_("Assurance"), _("Reason"), _("Since")], [[data["label"], data["reason"], data["since"]]]
