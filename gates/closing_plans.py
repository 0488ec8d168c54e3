"""What a stop and a retirement have to say beyond their reason: the parts of the plan that goes on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

LONGEST = 4000
PAST_NOTICE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a plan. All parts of an outcome are required."""

    key: str
    label: Any
    help: Any
    missing: Any
    is_day: bool = False


STOP = (
    Part(
        "lessons",
        _("Lessons learned"),
        _("What the next team should know: what was tried, what it showed, what would have to be different."),
        _("Say what was learned, so that nobody has to learn it again."),
    ),
    Part(
        "disposal",
        _("Data and assets"),
        _("What happens to data, models, keys, contracts and environments: deleted, handed over, kept; by whom, when."),
        _("Say what happens to data and assets, who does it and until when."),
    ),
)
RETIRE = (
    Part(
        "steps",
        _("Decommissioning"),
        _("How it is switched off: order of steps, who takes them, what replaces it, how to go back until then."),
        _("Say how it is switched off, step by step."),
    ),
    Part(
        "notice_to",
        _("Who is told, and how"),
        _("Users, people affected, operators, suppliers."),
        _("Say who is told, and how."),
    ),
    Part("notice_on", _("Told on"), _("The day on which the notice goes out."), _("Give the day of the notice."), True),
    Part(
        "logs",
        _("Logs and records that are kept"),
        _("Which, where, who reads them. In the EU, logs of high-risk systems are kept for at least six months."),
        _("Say which logs and records are kept, and where."),
    ),
    Part("logs_until", _("Kept until"), _("The last day."), _("Give the last day on which they are kept."), True),
    Part(
        "access",
        _("Access that is removed"),
        _("Accounts, keys, tokens and integrations, and who checks that they are gone."),
        _("Say which access is removed, and who checks it."),
    ),
)
PARTS: Mapping[str, tuple[Part, ...]] = {"stop": STOP, "retire": RETIRE}
"""Outcome -> parts of its plan; the other outcomes have none."""


def read_plan(outcome: str, given: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The plan as it goes on record, and what is wrong with it by field (``plan.lessons``)."""
    parts = {part.key: part for part in PARTS.get(outcome, ())}
    said = {key: value for key, value in given.items() if value not in (None, "")}
    errors: dict[str, list[str]] = {
        f"plan.{key}": [f"“{key}” is no part of this decision."] for key in said if key not in parts
    }
    plan: dict[str, str] = {}
    for key, part in parts.items():
        value = _day(said.get(key)) if part.is_day else str(said.get(key, "")).strip()
        if not value:
            errors[f"plan.{key}"] = [str(part.missing)]
        elif isinstance(value, date):
            plan[key] = value.isoformat()
        elif len(value) > LONGEST:
            errors[f"plan.{key}"] = [f"At most {LONGEST} characters."]
        else:
            plan[key] = value
    return plan, errors | _wrong_days(plan)


def _day(value: object) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return parse_date(str(value)) if value else None
    except ValueError:  # 2026-02-31
        return None


def _wrong_days(plan: Mapping[str, str]) -> dict[str, list[str]]:
    today = timezone.localdate()
    found: dict[str, list[str]] = {}
    if "notice_on" in plan and date.fromisoformat(plan["notice_on"]) < today - PAST_NOTICE:
        found["plan.notice_on"] = ["A notice given more than a year ago is not a notice of this."]
    if "logs_until" in plan and date.fromisoformat(plan["logs_until"]) <= today:
        found["plan.logs_until"] = ["Give a day in the future: what is kept has to be kept for some time."]
    return found
