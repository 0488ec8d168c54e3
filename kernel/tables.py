"""What every list page shares: sorting by declared columns, pages, links that keep the filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import F, Model, QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest, QueryDict
from django.utils.functional import Promise

from kernel.exports import EXPORT_FORMATS, export_rows

__all__ = ["Column", "Header", "PageLink", "TableState", "export_rows"]

PAGE_SIZES = (25, 50, 100, 200)
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how it is called, how it sorts (model paths, most significant first), what it exports.

    `sort` empty: it cannot be sorted by. `largest_first`: the first press sorts descending (dates, scores).
    `value` gives the exported cell from a row; without it, the attribute or key named `key`.
    `choosable`: a person may hide it; `shown`: it is there until they do.
    """

    key: str
    label: str | Promise
    sort: tuple[str, ...] | str = ()
    numeric: bool = False
    largest_first: bool = False
    value: Callable[[Any], object] | None = None
    choosable: bool = False
    shown: bool = True

    @property
    def sort_paths(self) -> tuple[str, ...]:
        return (self.sort,) if isinstance(self.sort, str) else self.sort


@dataclass(frozen=True, slots=True)
class Header:
    """A column head as the table component draws it. `direction` is the value of aria-sort, empty when not sorted."""

    key: str
    label: str | Promise
    numeric: bool
    url: str
    direction: str


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page number with its address; `number` None is the gap between far pages."""

    number: int | None
    url: str
    current: bool


@dataclass(slots=True)
class TableState(Generic[M]):
    """The state of one table as its address says it. Anything unknown in the address falls back to the default."""

    columns: Sequence[Column]
    query: QueryDict
    path: str
    sort_key: str
    descending: bool
    page_number: str
    page_size: int
    prefix: str = ""
    shown: frozenset[str] = frozenset()
    export_format: str = ""
    _page: Page[M] | None = field(default=None, repr=False)

    @classmethod
    def from_request(
        cls,
        request: HttpRequest,
        *,
        columns: Sequence[Column],
        default_sort: str,
        page_size: int = 50,
        prefix: str = "",
    ) -> Self:
        """Reads `sort` (`-key` is descending), `page`, `size`, `columns` and `export` from the address.

        `default_sort` is a column's key, with `-` for descending. `prefix` keeps two tables of one page apart.
        """
        query = request.GET
        sort_key, descending = _chosen_sort(query.get(f"{prefix}sort", ""), columns, default_sort)
        size = query.get(f"{prefix}size", "")
        export_format = query.get(f"{prefix}export", "")
        return cls(
            columns=columns,
            query=query,
            path=request.path,
            sort_key=sort_key,
            descending=descending,
            page_number=query.get(f"{prefix}page", "1"),
            page_size=int(size) if size in map(str, PAGE_SIZES) else page_size,
            prefix=prefix,
            shown=_chosen_columns(query.getlist(f"{prefix}columns"), columns),
            export_format=export_format if export_format in EXPORT_FORMATS else "",
        )

    def order(self, rows: QuerySet[M]) -> QuerySet[M]:
        """The rows in the asked order: empty values last either way, equal ones by key, so that pages never overlap."""
        column = next(column for column in self.columns if column.key == self.sort_key)
        return rows.order_by(*(_ordering(path, self.descending) for path in column.sort_paths), "pk")

    def paginate(self, rows: QuerySet[M]) -> Self:
        """Orders the rows, takes the asked page of them and returns the table, ready for the table component."""
        paginator: Paginator[M] = Paginator(self.order(rows), self.page_size)
        self._page = paginator.get_page(self.page_number)
        return self

    @property
    def page(self) -> Page[M]:
        if self._page is None:
            raise RuntimeError("call paginate(rows) before asking for the page")
        return self._page

    @property
    def total(self) -> int:
        return self.page.paginator.count

    @property
    def shown_columns(self) -> list[Column]:
        return [column for column in self.columns if column.key in self.shown]

    @property
    def sort(self) -> str:
        """The sort as the address writes it."""
        return f"-{self.sort_key}" if self.descending else self.sort_key

    @property
    def headers(self) -> list[Header]:
        return [self._header(column) for column in self.shown_columns]

    @property
    def sort_links(self) -> dict[str, str]:
        return {header.key: header.url for header in self.headers if header.url}

    @property
    def page_links(self) -> list[PageLink]:
        page = self.page
        numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
        return [
            PageLink(number, self.url(page=number), number == page.number)
            if isinstance(number, int)
            else PageLink(None, "", False)
            for number in numbers
        ]

    @property
    def previous_url(self) -> str:
        return self.url(page=self.page.previous_page_number()) if self.page.has_previous() else ""

    @property
    def next_url(self) -> str:
        return self.url(page=self.page.next_page_number()) if self.page.has_next() else ""

    @property
    def csv_url(self) -> str:
        return self.url(export="csv", page=None)

    @property
    def xlsx_url(self) -> str:
        return self.url(export="xlsx", page=None)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Name and value of what this table put in the address, but for its columns, which the column menu carries."""
        return [
            (self.prefix + name, value) for name in ("sort", "size") for value in self.query.getlist(self.prefix + name)
        ]

    def url(self, **changes: str | int | None) -> str:
        """This address with some of the table's own parameters changed; None removes one. All others stay."""
        query = self.query.copy()
        query.pop(f"{self.prefix}export", None)
        for name, value in changes.items():
            if value is None:
                query.pop(self.prefix + name, None)
            else:
                query[self.prefix + name] = str(value)
        text = query.urlencode()
        return f"{self.path}?{text}" if text else self.path

    def __iter__(self) -> Iterator[M]:
        return iter(self.page.object_list)

    def _header(self, column: Column) -> Header:
        if not column.sort_paths:
            return Header(column.key, column.label, column.numeric, "", "")
        if column.key != self.sort_key:
            next_sort = f"-{column.key}" if column.largest_first else column.key
            return Header(column.key, column.label, column.numeric, self.url(sort=next_sort, page=None), "")
        next_sort = column.key if self.descending else f"-{column.key}"
        direction = "descending" if self.descending else "ascending"
        return Header(column.key, column.label, column.numeric, self.url(sort=next_sort, page=None), direction)


def _chosen_sort(asked: str, columns: Sequence[Column], default: str) -> tuple[str, bool]:
    sortable = {column.key for column in columns if column.sort_paths}
    if default.removeprefix("-") not in sortable:
        raise ValueError(f"default_sort {default!r} is not a sortable column: {', '.join(sorted(sortable))}")
    chosen = asked if asked.removeprefix("-") in sortable else default
    return chosen.removeprefix("-"), chosen.startswith("-")


def _chosen_columns(asked: Sequence[str], columns: Sequence[Column]) -> frozenset[str]:
    """The menu always sends one empty value, so that "none of them" differs from "nothing was chosen yet"."""
    wanted = {column.key for column in columns}.intersection(asked)
    if not wanted and "" not in asked:
        return frozenset(column.key for column in columns if column.shown or not column.choosable)
    return frozenset(column.key for column in columns if column.key in wanted or not column.choosable)


def _ordering(path: str, descending: bool) -> OrderBy:
    """A path that itself starts with `-` runs against the column's direction."""
    backwards = descending != path.startswith("-")
    expression = F(path.removeprefix("-"))
    return expression.desc(nulls_last=True) if backwards else expression.asc(nulls_last=True)
