"""What was promised and what it costs."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from gates.executive.parts import Asked, Line, Section, share
from portfolio.lifecycle import ENDED
from portfolio.models import Kpi, KpiMeasurement, OperatingPlan
from portfolio.reports.budget import PARTS
from portfolio.selectors.kpis import REACHED, UNMEASURED, VERDICTS, promised, verdict


def kpis(asked: Asked) -> Section:
    """Primary KPIs with a target of use cases beyond the idea."""
    rows = promised(asked.of_cases(Kpi.objects.all(), "use_case"))
    last = KpiMeasurement.objects.filter(kpi__use_case=OuterRef("use_case"), kpi__key=OuterRef("key"))
    newest = last.order_by("-window_end", "-pk").values("value")
    found = rows.order_by().annotate(
        last=Subquery(newest[:1]), then=Subquery(newest.filter(recorded_at__lte=asked.before)[:1])
    )
    kpis = list(found.only("target", "baseline", "direction", "created_at"))
    now = Counter(verdict(kpi, kpi.last) for kpi in kpis)
    then = Counter(verdict(kpi, kpi.then) for kpi in kpis if kpi.created_at <= asked.before)
    count, earlier = len(kpis), sum(then.values())
    measured, before = count - now[UNMEASURED], earlier - then[UNMEASURED]
    words = _("%(measured)d of %(count)d promises were measured at all; %(reached)d reached their target.")
    tones = {"reached": "met", "worse": "blocked", "unmeasured": "attention"}

    def behind(key: str) -> str:
        return asked.url("portfolio:report", "kpi-progress", which="promise", verdict=key)

    lines = [
        Line(key, str(said.label), now[said], then[said], tone=tones.get(key, "") if now[said] else "", url=behind(key))
        for key, said in VERDICTS.items()
        if key != "not_reached" or now[said] or then[said]
    ]
    shares = share(measured, count), share(before, earlier)
    whole = Line("measured", _("Measured at all"), *shares, unit="%", url=behind("measured"))
    return Section(
        "kpis",
        _("Promised and measured"),
        words % {"measured": measured, "count": count, "reached": now[REACHED]},
        "target",
        [*lines, whole],
    )


def money(asked: Asked) -> Section:
    """Cost to date against budget, where both are known; per currency when there are several."""
    plans = asked.of_cases(OperatingPlan.objects.exclude(use_case__stage__in=ENDED), "use_case").order_by()
    budgets: dict[str, Decimal] = {}
    costs: dict[str, Decimal] = {}
    over = unknown = 0
    for currency, cost, *parts in plans.values_list("currency", "cost_to_date", *PARTS):
        given = [part for part in parts if part is not None]
        if cost is None or not given:
            unknown += 1
            continue
        budgets[currency] = budgets.get(currency, Decimal()) + sum(given)
        costs[currency] = costs.get(currency, Decimal()) + cost
        over += cost > sum(given)

    def behind(money: str, **more: str) -> str:
        return asked.url("portfolio:report", "budget", which="running", money=money, **more)

    lines = []
    for currency in sorted(budgets):
        url = behind("known", currency=currency)
        lines.append(Line(f"cost_{currency}", _("Spent"), round(costs[currency]), unit=currency, url=url))
        lines.append(Line(f"budget_{currency}", _("Budget"), round(budgets[currency]), unit=currency, url=url))
    one = next(iter(budgets)) if len(budgets) == 1 else None
    spent = round(100 * float(costs[one] / budgets[one]), 1) if one and budgets[one] else None
    tone = "blocked" if (spent or 0) > 100 else ""
    lines.append(Line("share", _("Spent of the budget"), spent, unit="%", tone=tone, url=behind("known")))
    lines.append(Line("over", _("Over budget"), over, tone="attention" if over else "", url=behind("over")))
    lines.append(Line("unknown", _("Without budget or cost"), unknown, url=behind("unknown")))
    words = _("%(over)d use cases have spent more than their budget; budget or cost of %(unknown)d is not known.")
    return Section("money", _("Cost against budget"), words % {"over": over, "unknown": unknown}, "euro", lines)
