"""Finding rows again, whatever order they come in and whatever was corrected."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.importing.mapping import MappedRow, map_table
from portfolio.importing.matching import pair, without_repeats
from portfolio.importing.reading import read_table
from portfolio.models import UseCase
from tests.portfolio.inventories import csv_bytes, small_profile

PROFILE = small_profile()
FEW = st.sampled_from(("", "a", "b", "c"))
ROW = st.tuples(
    st.sampled_from(("Chat", "Scan")), st.just("HR"), st.just("People"), FEW, st.just("New"), FEW, FEW, FEW, FEW, FEW
)
TABLES = st.lists(ROW, min_size=1, max_size=9)


def mapped(rows: Sequence[Sequence[str]]) -> list[MappedRow]:
    return without_repeats(map_table(PROFILE, read_table(csv_bytes(rows))))[0]


def kept(rows: Sequence[MappedRow]) -> list[UseCase]:
    """Use cases as an import of these rows would have left them."""
    return [
        UseCase(source_key=str(row.number), source_digest=row.digest, source_data=row.data, source_row=row.number)
        for row in rows
    ]


@settings(deadline=None, max_examples=60)
@given(rows=TABLES, data=st.data())
def test_rows_in_another_order_find_the_use_cases_they_were(rows: list[tuple[str, ...]], data: st.DataObject) -> None:
    before = kept(mapped(rows))
    again = mapped(data.draw(st.permutations(rows)))
    found = pair(PROFILE, again, before)
    assert len(found) == len(again)
    assert all(found[row.number].source_digest == row.digest for row in again)


@settings(deadline=None, max_examples=60)
@given(before=TABLES, after=TABLES)
def test_each_row_finds_at_most_one_use_case_and_each_use_case_one_row(
    before: list[tuple[str, ...]], after: list[tuple[str, ...]]
) -> None:
    rows = mapped(after)
    found = pair(PROFILE, rows, kept(mapped(before)))
    assert len({each.pk for each in found.values()}) == len(found)
    same = {each.source_digest for each in kept(mapped(before))} & {row.digest for row in rows}
    assert {
        row.digest for row in rows if found.get(row.number) and found[row.number].source_digest == row.digest
    } == same


@settings(deadline=None, max_examples=60)
@given(rows=TABLES, data=st.data())
def test_one_corrected_cell_never_costs_another_row_its_use_case(
    rows: list[tuple[str, ...]], data: st.DataObject
) -> None:
    old = mapped(rows)
    at = data.draw(st.integers(0, len(rows) - 1))
    corrected = [*rows[:at], (*rows[at][:9], "corrected"), *rows[at + 1 :]]
    new = mapped(corrected)
    found = pair(PROFILE, new, kept(old))
    untouched = {row.digest for row in old} & {row.digest for row in new}
    for row in new:
        if row.digest in untouched:
            assert found[row.number].source_digest == row.digest
