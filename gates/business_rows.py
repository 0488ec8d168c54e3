"""The business view as rows of a file: every number and every line of the page, each with unit, day and source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel.tables import Column

COLUMNS: Sequence[Column] = (
    Column("section", gettext_lazy("Section")),
    Column("what", gettext_lazy("What")),
    Column("figure", gettext_lazy("Figure")),
    Column("value", gettext_lazy("Value"), numeric=True),
    Column("unit", gettext_lazy("Unit")),
    Column("day", gettext_lazy("Day")),
    Column("note", gettext_lazy("Note")),
)
Row = dict[str, Any]
Amount = tuple[object, str]
"""A value and its unit."""


def rows_of(report: Mapping[str, Any]) -> Iterator[Row]:
    """In the order of the page. What nobody measures has no value and says so."""
    for row in report["owed"]:
        note = "; ".join(filter(None, (row["text"], row["who"])))
        figure = _("late") if row["late"] else _("owed")
        yield _row(_("Decisions owed"), row["what"], figure, day=row["due"], note=note)
    for kpi in report["kpis"]:
        yield from _kpi(kpi)
    yield from _money(report["cost"])
    for use in report["use"]:
        yield from _use(use)
    for line in report["since"]["lines"]:
        yield _row(_("Since last month"), line["text"], _("happened"), day=line["at"], note=line["note"])
    for row in report["next_reviews"]:
        yield _row(_("Next"), row["what"], _("planned"), day=row["day"], note=row["gate"])


def _kpi(kpi: Mapping[str, Any]) -> Iterator[Row]:
    section, name, unit = _("Promised and measured"), kpi["name"], kpi["unit"]
    yield _row(section, name, _("before"), (kpi["baseline"], unit), day=kpi["baseline_date"])
    yield _row(section, name, _("promised"), (kpi["promised"], unit), day=kpi["promised_by"], note=kpi["direction"])
    note = kpi["source"] if kpi["measured"] is not None else _("nobody has measured it yet")
    yield _row(section, name, _("measured"), (kpi["measured"], unit), day=kpi["measured_at"], note=note)
    yield _row(section, name, _("of the way"), (kpi["share"], "%"), day=kpi["measured_at"], note=kpi["verdict"])
    for metric in kpi["metrics"]:
        why = "; ".join(filter(None, (metric["value"], metric["why"], _("breached") if metric["breached"] else "")))
        yield _row(section, name, _("behind it: %(metric)s") % {"metric": metric["name"]}, day=metric["at"], note=why)


def _money(cost: Mapping[str, Any] | None) -> Iterator[Row]:
    section = _("Cost against budget")
    if cost is None:
        yield _row(section, _("Cost"), _("spent"), note=_("no budget and no cost are on record"))
        return
    yield _row(section, _("Cost"), _("budget"), (cost["budget"], cost["currency"]), day=cost["budget_ends"])
    yield _row(section, _("Cost"), _("spent"), (cost["spent"], cost["currency"]), day=cost["as_of"])
    yield _row(section, _("Cost"), _("spent of the budget"), (cost["share"], "%"), day=cost["as_of"])


def _use(use: Mapping[str, Any]) -> Iterator[Row]:
    section = _("How it is used")
    if not use["measured"]:
        yield _row(section, use["name"], _("now"), note=_("nobody measures this"))
        return
    note = _("breached") if use["breached"] else ""
    yield _row(section, use["name"], _("now"), (use["last"], use["unit"]), day=use["at"], note=note)
    if use["before"] is not None:
        yield _row(section, use["name"], _("a month before"), (use["before"], use["unit"]))


def _row(
    section: str, what: str, figure: str, amount: Amount = (None, ""), *, day: object = None, note: str = ""
) -> Row:
    value, unit = amount
    if isinstance(value, Decimal):
        value = value.normalize()  # without the zeros that the column adds
    return {
        "section": section,
        "what": what,
        "figure": figure,
        "value": value,
        "unit": "" if value is None else unit,
        "day": day,
        "note": note,
    }
