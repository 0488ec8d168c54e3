"""One use case in words of the business: what was promised and measured, what it costs, how it is used, what is owed.

Everything is read from the record; what nobody measures is said to be measured by nobody. The page, the PDF and REST
show the same data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gates.breach_reading import breaches_of
from gates.models import GateAssurance
from gates.obligations import calls_of
from gates.owed import conditions_of
from ledger.models import Event
from ledger.selectors import events_for
from monitoring.catalogue import metric_name
from monitoring.models import Alert, KpiLink, Series
from monitoring.selectors.points import recent_points
from monitoring.wording import series_name, with_unit
from portfolio.models import OperatingPlan, UseCase
from portfolio.selectors.kpis import KpiStory, stories

DAYS = 30
"""What "since last month" looks back."""
BUDGETS = ("budget_poc", "budget_build", "budget_run_year1", "budget_run", "budget_monitoring", "budget_people")
USE: tuple[tuple[str, str], ...] = (
    ("request_volume", "volume"),
    ("active_users", "adoption"),
    ("output_used", "adoption"),
    ("override_rate", "overrides"),
    ("run_cost", "cost"),
)
"""Metrics of the catalogue that say how a system is used, and what they are about."""
POINTS = 40


def business_report(use_case: UseCase, *, at: datetime | None = None) -> dict[str, Any]:
    """Everything, as plain data with addresses. A constant number of queries."""
    now = at or timezone.now()
    series = list(Series.objects.filter(use_case=use_case).select_related("version").order_by("segment", "pk"))
    broken = _breached(use_case)
    return {
        "use_case": {"key": use_case.key, "name": use_case.name, "unit": use_case.unit.name},
        "stage": str(use_case.get_stage_display()),
        "tier": use_case.tier,
        "assurance": {"state": use_case.assurance, "reason": use_case.assurance_reason},
        "at": now,
        "kpis": _kpis(use_case, broken),
        "cost": _cost(use_case),
        "use": _use(series, broken, now),
        "since": {"from": now - timedelta(days=DAYS), **_since(use_case, now)},
        "owed": _owed(use_case),
        "next_reviews": _next_reviews(use_case),
    }


def _kpis(use_case: UseCase, broken: set[int]) -> list[dict[str, Any]]:
    links: dict[str, list[KpiLink]] = {}
    for link in KpiLink.objects.filter(use_case=use_case).select_related("series"):
        links.setdefault(link.kpi_key, []).append(link)
    return [_kpi(use_case, story, links.get(story.kpi.key, ()), broken) for story in stories(use_case)]


def _kpi(use_case: UseCase, story: KpiStory, links: Iterable[KpiLink], broken: set[int]) -> dict[str, Any]:
    kpi, last = story.kpi, story.last
    return {
        "key": kpi.key,
        "name": kpi.name,
        "primary": kpi.is_primary,
        "unit": kpi.unit,
        "direction": str(kpi.get_direction_display()),
        "formula": kpi.formula,
        "baseline": kpi.baseline,
        "baseline_date": kpi.baseline_date,
        "promised": kpi.target,
        "promised_by": kpi.target_date,
        "measured": last.value if last else None,
        "measured_at": last.window_end if last else None,
        "source": last.source if last else "",
        "share": _share(kpi.baseline, kpi.target, last.value if last else None),
        "state": story.verdict.state,
        "verdict": str(story.verdict.label),
        "chart": reverse("portfolio:kpi_chart", args=[use_case.key, kpi.key]) if len(story.measurements) > 1 else "",
        "metrics": [_behind(link, broken) for link in links],
    }


def _behind(link: KpiLink, broken: set[int]) -> dict[str, Any]:
    series = link.series
    return {
        "link": link.pk,
        "series": series.pk,
        "name": series_name(series),
        "why": link.why,
        "value": with_unit(series.last_value, series.unit),
        "at": series.last_time,
        "breached": series.pk in broken,
        "url": reverse("monitoring:series", args=[series.pk]),
    }


def _share(baseline: Decimal | None, target: Decimal | None, now: Decimal | None) -> int | None:
    """How much of the way from the baseline to the promise is gone, in per cent."""
    if baseline is None or target is None or now is None or target == baseline:
        return None
    return round(100 * (now - baseline) / (target - baseline))


def _cost(use_case: UseCase) -> dict[str, Any] | None:
    plan = OperatingPlan.objects.filter(use_case=use_case).first()
    if plan is None:
        return None
    given = [value for name in BUDGETS if (value := getattr(plan, name)) is not None]
    if not given and plan.cost_to_date is None:
        return None
    budget, spent = (sum(given, Decimal(0)) if given else None), plan.cost_to_date
    share = round(100 * spent / budget) if budget and spent is not None else None
    return {
        "currency": plan.currency,
        "budget": budget,
        "spent": spent,
        "share": share,
        "over": share is not None and share > 100,
        "as_of": plan.updated_at,
        "budget_ends": plan.budget_end_date,
    }


def _use(series: Sequence[Series], broken: set[int], now: datetime) -> list[dict[str, Any]]:
    """Volume, adoption, overrides and running cost, each by its metric; ``measured`` is false where nobody does."""
    chosen: dict[str, Series] = {}
    for one in series:
        if one.last_value is not None and (one.metric not in chosen or not one.segment):
            chosen.setdefault(one.metric, one)
    points = recent_points([chosen[key].pk for key, _about in USE if key in chosen], POINTS)
    return [
        {"metric": key, "about": about, "name": metric_name(key), **_used(chosen.get(key), points, broken, now)}
        for key, about in USE
    ]


def _used(series: Series | None, points: Mapping[int, Any], broken: set[int], now: datetime) -> dict[str, Any]:
    if series is None:
        return {"measured": False}
    rows = points.get(series.pk, [])
    before = [row.value for row in rows if row.time <= now - timedelta(days=DAYS)]
    earlier = before[-1] if before else None
    return {
        "measured": True,
        "value": _shown(series.last_value, series.unit),
        "last": Decimal(repr(series.last_value)),
        "before": None if earlier is None else Decimal(repr(earlier)),
        "unit": series.unit,
        "at": series.last_time,
        "month_before": _shown(earlier, series.unit) if earlier is not None else "",
        "points": [Decimal(repr(row.value)) for row in rows],
        "breached": series.pk in broken,
        "url": reverse("monitoring:series", args=[series.pk]),
    }


def _shown(value: float | None, unit: str) -> str:
    """A count without fractions and without the word."""
    if value is None or unit != "count":
        return with_unit(value, unit)
    return f"{value:,.0f}".replace(",", "\u202f")


def _breached(use_case: UseCase) -> set[int]:
    rows = Alert.objects.filter(series__use_case=use_case, level=Alert.Level.ACT)
    return set(rows.exclude(state=Alert.AlertState.RESOLVED).values_list("series_id", flat=True))


WORDS: dict[str, Any] = {
    "alert.opened": lambda n: ngettext("%(n)d alert was opened", "%(n)d alerts were opened", n),
    "alert.resolved": lambda n: ngettext("%(n)d alert ended", "%(n)d alerts ended", n),
    "breach.opened": lambda n: ngettext("A breach asked for a decision", "%(n)d breaches asked for a decision", n),
    "breach.decided": lambda n: ngettext("A breach was decided", "%(n)d breaches were decided", n),
    "retraining.requested": lambda n: ngettext(
        "Whoever runs it was asked to act", "Whoever runs it was asked %(n)d times to act", n
    ),
    "retraining.done": lambda n: ngettext(
        "What was asked of them was done", "What was asked of them was done %(n)d times", n
    ),
    "retraining.failed": lambda n: ngettext(
        "What was asked of them failed", "What was asked of them failed %(n)d times", n
    ),
    "version.registered": lambda n: ngettext("A new version was registered", "%(n)d versions were registered", n),
    "version.promoted": lambda n: ngettext("A version was put in use", "%(n)d versions were put in use", n),
    "kpi.measured": lambda n: ngettext("A KPI was measured", "KPIs were measured %(n)d times", n),
    "review.submitted": lambda n: ngettext("A gate review was submitted", "%(n)d gate reviews were submitted", n),
    "decision.made": lambda n: ngettext("A gate was decided", "%(n)d gates were decided", n),
    "assurance.changed": lambda n: ngettext("The approval turned", "The approval turned %(n)d times", n),
    "incident.reported": lambda n: ngettext("An incident was reported", "%(n)d incidents were reported", n),
    "incident.closed": lambda n: ngettext("An incident was closed", "%(n)d incidents were closed", n),
    "condition.closed": lambda n: ngettext("A condition was met", "%(n)d conditions were met", n),
    "use_case.stage_moved": lambda n: ngettext("It moved to another stage", "It moved stages %(n)d times", n),
}
"""What of the record the business wants to hear of; everything else is on the History tab."""
MOST_EVENTS = 500


def _since(use_case: UseCase, now: datetime) -> dict[str, Any]:
    """What happened in the last month, a line a kind, the newest first."""
    rows = events_for(use_case=use_case, since=now - timedelta(days=DAYS), until=now)
    found: dict[str, list[Event]] = {}
    for event in rows.filter(action__in=list(WORDS))[:MOST_EVENTS]:
        found.setdefault(event.action, []).append(event)
    others = rows.exclude(action__in=list(WORDS)).count()
    lines = [
        {
            "action": action,
            "text": WORDS[action](len(events)) % {"n": len(events)},
            "note": events[0].note,
            "at": events[0].at,
            "url": reverse("ledger:event", args=[events[0].index]),
        }
        for action, events in found.items()
    ]
    return {"lines": lines, "others": others}


def _owed(use_case: UseCase) -> list[dict[str, Any]]:
    """Decisions, conditions and reviews that are owed, by their day."""
    found = [
        {
            "what": _("Decide what is done after a breach"),
            "text": row.alert.message,
            "who": str(row.owed_by or ""),
            "due": row.due_at,
            "late": row.is_late(),
            "url": reverse("gates:breach", args=[row.number]),
        }
        for row in breaches_of(use_case)
        if row.is_open
    ]
    panel = reverse("portfolio:use_case_panel", args=[use_case.key, "gate"])
    now = timezone.now()
    found += [
        {
            "what": str(call.get_cause_display()),
            "text": call.text,
            "who": "",
            "due": call.due_at,
            "late": call.due_at <= now,
            "url": panel,
        }
        for call in calls_of(use_case)
    ]
    for row in conditions_of(use_case):
        if row.is_owed:
            due = datetime.combine(row.due_on, datetime.max.time(), tzinfo=timezone.get_current_timezone())
            found.append(
                {
                    "what": _("Meet a condition"),
                    "text": row.text,
                    "who": str(row.owner),
                    "due": due,
                    "late": row.is_overdue(),
                    "url": reverse("gates:condition", args=[row.pk]),
                }
            )
    return sorted(found, key=lambda row: row["due"])


def _next_reviews(use_case: UseCase) -> list[dict[str, Any]]:
    rows = GateAssurance.objects.filter(use_case=use_case, review_due_at__isnull=False).order_by("review_due_at")
    found: list[dict[str, Any]] = [
        {"what": _("Recurring review"), "gate": row.gate, "day": row.review_due_at} for row in rows[:1]
    ]
    plan = OperatingPlan.objects.filter(use_case=use_case).first()
    if plan is not None and plan.retrain_next_date is not None:
        found.append({"what": _("Retraining"), "gate": "", "day": plan.retrain_next_date})
    return found
