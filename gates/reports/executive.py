"""The executive page among the reports. It has a page of its own, and its own files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from gates.executive import executive_report, rows_of
from kernel.tables import Column
from portfolio.models import UseCase
from portfolio.report import Report, reports
from portfolio.views.common import person_of

COLUMNS: Sequence[Column] = (
    Column("section", _("Section")),
    Column("label", _("What")),
    Column("now", _("Now"), numeric=True),
    Column("before", _("A month ago"), numeric=True),
    Column("change", _("Change"), numeric=True),
    Column("unit", _("Unit")),
)


@reports.register
class Executive(Report):
    key: ClassVar[str] = "executive"
    title: ClassVar[Any] = _("Executive report")
    description: ClassVar[Any] = _(
        "The portfolio on one page: assurance, alerts, drift, promises, cost, decisions owed."
    )
    order: ClassVar[int] = 1
    icon: ClassVar[str] = "report"
    action: ClassVar[str] = "report.view_portfolio"
    page: ClassVar[str] = "gates:executive"

    def columns(self) -> Sequence[Column]:
        return COLUMNS

    def rows(self, request: HttpRequest, use_cases: QuerySet[UseCase]) -> Iterator[Any]:
        yield from rows_of(executive_report(person_of(request)))
