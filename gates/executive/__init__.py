"""The portfolio on one page: how many systems stand how, now and a month ago, in a constant number of queries.

Only what a person may see is counted, so that each number is the length of the list behind it. "A month ago" is
computed from what was recorded with its time: moves between stages, events of assurance, when alerts opened and ended.
An approval that was given before anything was recorded of its assurance counts as in force. Money and what nobody
records with a time have no month ago.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import for_user
from accounts.models import User
from gates.executive.behaving import alert_ages, alerts_of, drift
from gates.executive.owing import owed
from gates.executive.parts import ACTION, MONTH, VIEW, Asked, Line, Section, Standing
from gates.executive.promises import kpis, money
from gates.executive.standing import assurance, stages
from portfolio.models import Assurance, BusinessUnit, UseCase

__all__ = ["ACTION", "VIEW", "Report", "executive_report", "rows_of"]


@dataclass(frozen=True, slots=True)
class Report:
    """The page. ``headline`` are the numbers that its first line repeats."""

    scope: str
    at: datetime
    before: datetime
    total: int
    headline: list[Line]
    sections: list[Section]

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "scope": self.scope,
            "at": self.at.isoformat(),
            "compared_with": self.before.isoformat(),
            "use_cases": self.total,
            "sections": [asdict(section) for section in self.sections],
        }


def executive_report(user: User, unit: BusinessUnit | None = None) -> Report:
    """What ``user`` may see, of a unit and those below it or of everything. Twelve queries."""
    now = timezone.now()
    visible = for_user(UseCase.objects.all(), user, VIEW)
    if unit is not None:
        visible = visible.filter(unit__path__startswith=unit.path)
    asked = Asked(user, visible, unit, now, now - MONTH)
    fields = ("pk", "stage", "assurance", "assurance_since", "created_at")
    cases = [Standing(*row) for row in visible.order_by().values_list(*fields)]
    alerts = alerts_of(asked)
    sections = [
        assurance(asked, cases),
        stages(asked, cases),
        alert_ages(asked, alerts),
        drift(asked, alerts),
        kpis(asked),
        money(asked),
        owed(asked, alerts),
    ]
    by_key = {section.key: {line.key: line for line in section.lines} for section in sections}
    headline = [
        by_key["assurance"][Assurance.REAPPROVAL],
        by_key["assurance"][Assurance.AT_RISK],
        by_key["alerts"]["act"],
        by_key["drift"]["share"],
        by_key["kpis"]["reached"],
        by_key["money"]["share"],
        by_key["owed"]["late"],
    ]
    name = unit.name if unit is not None else _("The whole portfolio")
    return Report(name, now, asked.before, len(cases), headline, sections)


def rows_of(report: Report) -> list[dict[str, Any]]:
    """Every number as a row of a file."""
    names = ("label", "now", "before", "change", "unit")
    return [
        {"section": section.title, **{name: getattr(line, name) for name in names}}
        for section in report.sections
        for line in section.lines
    ]
