"""What each use case was to cost until the end of its first year of operation, and what it has cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from kernel.tables import Column
from portfolio.lifecycle import ENDED
from portfolio.models import OperatingPlan, UseCase
from portfolio.report import Choice, Report, reports

PARTS = ("budget_poc", "budget_build", "budget_run_year1", "budget_monitoring", "budget_people")
"""What a budget is made of until the end of the first year of operation."""


@reports.register
class Budget(Report):
    key: ClassVar[str] = "budget"
    title: ClassVar[Any] = _("Cost against budget")
    description: ClassVar[Any] = _("Budget until the end of the first year of operation, what was spent, what is left.")
    order: ClassVar[int] = 50
    icon: ClassVar[str] = "euro"

    def columns(self) -> Sequence[Column]:
        return (
            Column("key", _("Key")),
            Column("name", _("Use case")),
            Column("stage", _("Stage")),
            Column("currency", _("Currency")),
            Column("budget", _("Budget"), numeric=True),
            Column("cost", _("Spent"), numeric=True),
            Column("left", _("Left"), numeric=True),
            Column("share", _("Spent, %"), numeric=True),
            Column("ends", _("Budget ends on")),
        )

    def choices(self) -> Sequence[Choice]:
        currencies = OperatingPlan.objects.exclude(currency="").order_by("currency").values_list("currency", flat=True)
        return (
            Choice(
                "money",
                _("Money"),
                _("Any budget and cost"),
                (
                    ("known", _("Budget and cost known")),
                    ("over", _("Over budget")),
                    ("unknown", _("Without budget or cost")),
                ),
            ),
            Choice("which", _("Use cases"), _("Ended ones too"), (("running", _("Without ended ones")),)),
            Choice("currency", _("Currency"), _("Any currency"), [(each, each) for each in currencies.distinct()]),
        )

    def rows(self, request: HttpRequest, use_cases: QuerySet[UseCase]) -> Iterator[dict[str, Any]]:
        plans = OperatingPlan.objects.filter(use_case__in=use_cases.order_by()).select_related("use_case")
        if currency := self.chosen(request, "currency"):
            plans = plans.filter(currency=currency)
        if self.chosen(request, "which") == "running":
            plans = plans.exclude(use_case__stage__in=ENDED)
        money = self.chosen(request, "money")
        for plan in plans.order_by("use_case__key").iterator(chunk_size=500):
            budget, cost = budget_of(plan), plan.cost_to_date
            known = budget is not None and cost is not None
            if money and not _fits(money, budget, cost):
                continue
            yield {
                "key": plan.use_case.key,
                "name": plan.use_case.name,
                "stage": plan.use_case.get_stage_display(),
                "currency": plan.currency,
                "budget": budget,
                "cost": cost,
                "left": budget - cost if known else None,  # type: ignore[operator]  # both are known then
                "share": round(100 * cost / budget) if known and budget else None,  # type: ignore[operator]  # as above
                "ends": plan.budget_end_date,
            }


def _fits(money: str, budget: Decimal | None, cost: Decimal | None) -> bool:
    if budget is None or cost is None:
        return money == "unknown"
    return money == "known" or (money == "over" and cost > budget)


def budget_of(plan: OperatingPlan) -> Decimal | None:
    """The sum of what was given; None when nothing was."""
    given = [part for part in (getattr(plan, name) for name in PARTS) if part is not None]
    return sum(given, Decimal()) if given else None
