"""Lists: what the address asks for, what it cannot ask for, and what leaves as a file."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import StreamingHttpResponse
from django.test import RequestFactory
from python_calamine import CalamineWorkbook

from kernel.exports import guarded, plain
from kernel.tables import Column, TableState, export_rows

COLUMNS = (
    Column("name", "Name", "name"),
    Column("size", "Size", ("rank", "name"), numeric=True, largest_first=True, choosable=True),
    Column("note", "Note", choosable=True, shown=False),
)


def table(address: str = "/things/", **changes: Any) -> TableState[Group]:
    request = RequestFactory().get(address)
    return TableState.from_request(request, columns=COLUMNS, **{"default_sort": "name", "page_size": 2, **changes})


def groups(*names: str) -> QuerySet[Group]:
    Group.objects.bulk_create(Group(name=name) for name in names)
    return Group.objects.annotate(
        rank=Case(When(name="b", then=Value(1)), When(name="c", then=Value(2)), output_field=IntegerField())
    )


def body(response: StreamingHttpResponse) -> bytes:
    return b"".join(response)


def test_default_sort_applies_without_being_asked() -> None:
    assert table().sort == "name"
    assert table(default_sort="-size").sort == "-size"


@pytest.mark.parametrize("asked", ["password", "-", "", "--name", "note", "name;drop table", "groups__name"])
def test_a_sort_nobody_declared_falls_back_to_the_default(asked: str) -> None:
    assert table(f"/things/?sort={asked}", default_sort="-name").sort == "-name"


def test_a_default_that_is_no_column_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        table(default_sort="nonsense")


@pytest.mark.django_db
def test_rows_come_in_the_asked_order() -> None:
    rows = groups("c", "a", "b")
    assert [row.name for row in table("/things/?sort=-name", page_size=10).paginate(rows)] == ["c", "b", "a"]


@pytest.mark.django_db
@pytest.mark.parametrize(("sort", "order"), [("size", ["b", "c", "a"]), ("-size", ["c", "b", "a"])])
def test_empty_values_come_last_in_both_directions(sort: str, order: list[str]) -> None:
    rows = groups("a", "b", "c")
    assert [row.name for row in table(f"/things/?sort={sort}", page_size=10).paginate(rows)] == order


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "names"), [("1", ["a", "b"]), ("2", ["c"]), ("99", ["c"]), ("0", ["c"]), ("x", ["a", "b"])]
)
def test_every_page_number_shows_a_page(page: str, names: list[str]) -> None:
    assert [row.name for row in table(f"/things/?page={page}").paginate(groups("a", "b", "c"))] == names


@pytest.mark.django_db
def test_paging_counts_once_and_reads_once(django_assert_num_queries: Any) -> None:
    rows = groups("a", "b", "c")
    with django_assert_num_queries(2):
        assert len(list(table().paginate(rows))) == 2


def test_links_keep_the_filters_and_forget_the_page() -> None:
    links = table("/things/?stage=pilot&stage=idea&page=3&export=csv").sort_links
    assert links["name"] == "/things/?stage=pilot&stage=idea&sort=-name"


def test_the_first_press_on_a_number_sorts_the_largest_first() -> None:
    assert table().sort_links["size"] == "/things/?sort=-size"
    assert table("/things/?sort=-size").sort_links["size"] == "/things/?sort=size"


def test_heads_say_how_they_are_sorted() -> None:
    directions = {header.key: header.direction for header in table("/things/?sort=-size").headers}
    assert directions == {"name": "", "size": "descending"}


@pytest.mark.django_db
def test_page_links_lead_to_every_page_nearby() -> None:
    state = table("/things/?q=x&page=2").paginate(groups("a", "b", "c", "d", "e"))
    assert [(link.number, link.current) for link in state.page_links] == [(1, False), (2, True), (3, False)]
    assert state.previous_url == "/things/?q=x&page=1"
    assert state.next_url == "/things/?q=x&page=3"


def test_only_offered_page_sizes_are_taken() -> None:
    assert table("/things/?size=100").page_size == 100
    assert table("/things/?size=100000").page_size == 2
    assert table("/things/?size=-1").page_size == 2


def test_a_person_chooses_columns_but_cannot_lose_the_fixed_ones() -> None:
    assert table().shown == {"name", "size"}
    assert table("/things/?columns=note").shown == {"name", "note"}
    assert table("/things/?columns=nonsense").shown == {"name", "size"}
    assert table("/things/?columns=").shown == {"name"}


def test_two_tables_of_one_page_do_not_disturb_each_other() -> None:
    state = table("/things/?sort=size&a-sort=-name", prefix="a-")
    assert state.sort == "-name"
    assert state.sort_links["size"] == "/things/?sort=size&a-sort=-size"


def test_an_unknown_export_format_is_no_export() -> None:
    assert table("/things/?export=csv").export_format == "csv"
    assert table("/things/?export=exe").export_format == ""


def test_csv_guards_against_formulas() -> None:
    rows = [{"name": '=HYPERLINK("https://example.org")', "size": -3, "note": "plain"}]
    response = export_rows("csv", "things", COLUMNS, rows)
    assert body(response).decode().splitlines() == [
        "Name,Size,Note",
        '"\'=HYPERLINK(""https://example.org"")",-3,plain',
    ]
    assert response["Content-Disposition"] == 'attachment; filename="things.csv"'


@pytest.mark.parametrize("text", ["=1+1", "+49 30 1234", "-x", "@name", "\tx", "\rx", "-1+1", "+1;-1", "=", "-"])
def test_cells_that_start_like_formulas_get_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1", "+1", "-0.25", "12", "a=b", "", "2026-11-21", "e-mail"])
def test_plain_numbers_and_words_stay_as_they_are(text: str) -> None:
    assert guarded(text) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (Decimal("1E-7"), "0.0000001"),
        (datetime(2026, 11, 21, 9, 30, tzinfo=UTC), "2026-11-21T09:30:00Z"),
        (date(2026, 11, 21), "2026-11-21"),
        (["a", "b"], "a; b"),
    ],
)
def test_values_are_written_plainly(value: object, text: str) -> None:
    assert plain(value) == text


def test_xlsx_keeps_numbers_as_numbers_and_formulas_as_text() -> None:
    rows = [{"name": "=1+1", "size": Decimal("0.85"), "note": None}]
    response = export_rows("xlsx", "things", COLUMNS, rows)
    sheet = CalamineWorkbook.from_filelike(BytesIO(body(response))).get_sheet_by_index(0).to_python()
    assert sheet[0] == ["Name", "Size", "Note"]
    assert sheet[1][:2] == ["=1+1", 0.85]


def test_xlsx_writes_moments_in_utc() -> None:
    column = Column("at", "At", value=lambda row: row)
    response = export_rows("xlsx", "things", [column], [datetime(2026, 11, 21, 9, 30, tzinfo=UTC)])
    sheet = CalamineWorkbook.from_filelike(BytesIO(body(response))).get_sheet_by_index(0).to_python()
    assert sheet[1] == [datetime(2026, 11, 21, 9, 30)]  # noqa: DTZ001  # a spreadsheet has no zones


def test_a_long_list_is_not_gathered_before_it_leaves() -> None:
    taken: list[int] = []

    def rows() -> Any:
        for number in range(1000):
            taken.append(number)
            yield {"name": str(number), "size": number, "note": ""}

    chunks = iter(export_rows("csv", "things", COLUMNS, rows()))
    next(chunks), next(chunks)
    assert len(taken) == 1


def test_an_export_format_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="pdf"):
        export_rows("pdf", "things", COLUMNS, [])
