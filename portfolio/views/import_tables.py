"""The rows of a preview as a table: they stand in a file, not in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from kernel.tables import Column, TableState
from portfolio.forms.imports import PreviewFilter
from portfolio.models import Stage

PREVIEW_COLUMNS = (
    Column("row", _("Row"), "row", numeric=True),
    Column("outcome", _("What happens"), "outcome"),
    Column("name", _("Use case"), "name"),
    Column("unit", _("Unit"), "unit"),
    Column("stage", _("Stage"), "stage"),
    Column("tier", _("Tier"), "tier"),
    Column("declared", _("Declared"), "declared", numeric=True, largest_first=True),
    Column("problems", _("Problems"), "problem_count", largest_first=True),
)


class ListTable(TableState[Any]):
    """A table over rows in memory."""

    def order(self, rows: Any) -> Any:
        column = next(column for column in self.columns if column.key == self.sort_key)
        path = column.sort_paths[0]

        def place(row: Mapping[str, Any]) -> tuple[bool, Any, int]:
            value = row.get(path)
            return value in (None, ""), value, row["row"]

        filled = [row for row in rows if row.get(path) not in (None, "")]
        rest = [row for row in rows if row.get(path) in (None, "")]
        return sorted(filled, key=place, reverse=self.descending) + sorted(rest, key=lambda row: int(row["row"]))


def rows_with_problems(rows: Iterable[dict[str, Any]], problems: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each row with what is wrong in it; problems of the header come as a row of their own."""
    by_row: dict[int, list[Mapping[str, Any]]] = {}
    for problem in problems:
        by_row.setdefault(problem["row"], []).append(problem)
    found = [{**row, "problems": by_row.pop(row["row"], [])} for row in rows]
    for number, left in by_row.items():
        found.append({"row": number, "outcome": "", "name": "", "unit": "", "problems": left})
    for row in found:
        row["problem_count"] = len(row["problems"])
        row["stage_label"] = Stage(row["stage"]).label if row.get("stage") else ""
    return found


def chosen(rows: Sequence[dict[str, Any]], form: PreviewFilter) -> list[dict[str, Any]]:
    """The rows that fit the filter; what is wrong with the filter does not narrow anything."""
    form.is_valid()
    wanted = form.cleaned_data
    text = (wanted.get("q") or "").casefold().strip()
    outcome, problems = wanted.get("outcome"), wanted.get("problems")
    return [
        row
        for row in rows
        if (not outcome or row["outcome"] == outcome)
        and (not problems or bool(row["problems"]) == (problems == "yes"))
        and (not text or text in _searched(row))
    ]


def _searched(row: Mapping[str, Any]) -> str:
    said = [f"{problem['column']} {problem['message']}" for problem in row["problems"]]
    words = [str(row["row"]), row["name"], row["unit"], row.get("unit_name", ""), row.get("key", ""), *said]
    return " ".join(words).casefold()
