"""A dashboard as it is shown: one that somebody made, or a ready-made one, with the data of its widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from kernel.errors import DomainError
from monitoring.layouts import Layout, entry_of, params_form
from monitoring.models import Dashboard
from monitoring.ready_made import ready_made
from monitoring.selectors.dashboards import scope_of
from monitoring.series_refs import find
from monitoring.spans import DEFAULT_RANGE, Span
from monitoring.widget import UNIT, USE_CASE, VERSION, Look, Scope, Widget, widgets
from monitoring.wording import series_name


@dataclass(frozen=True, slots=True)
class Board:
    """What there is to show. ``dashboard`` is empty for a ready-made one."""

    scope: Scope
    name: str
    layout: Layout
    description: str = ""
    range: str = DEFAULT_RANGE
    dashboard: Dashboard | None = None

    def url(self, name: str, *more: str) -> str:
        """An address of this dashboard: ``dashboard_<name>`` or ``ready_<name>``."""
        if self.dashboard is not None:
            return reverse(f"monitoring:dashboard_{name}", args=[self.dashboard.pk, *more])
        return reverse(f"monitoring:ready_{name}", args=[*ready_address(self.scope), *more])

    @property
    def page_url(self) -> str:
        return self.url("page")


@dataclass(slots=True)
class Cell:
    """One widget with its data, or with why there is none."""

    id: str
    kind: type[Widget]
    heading: str
    width: int
    height: str
    params: dict[str, Any]
    url: str
    data_url: str
    csv_url: str
    data: dict[str, Any] | None = None
    error: str = ""
    columns: Sequence[str] = field(default_factory=list)
    rows: Sequence[Sequence[object]] = field(default_factory=list)


def about(dashboard: Dashboard) -> str:
    """What it is about, in words."""
    return scope_of(dashboard).name


def stored(dashboard: Dashboard) -> Board:
    return Board(
        scope_of(dashboard),
        dashboard.name,
        dashboard.layout,
        dashboard.description,
        dashboard.range,
        dashboard,
    )


def made_ready(scope: Scope, user: User) -> Board:
    return Board(scope, scope.name, ready_made(scope, user), str(_ready_words(scope)))


def ready_address(scope: Scope) -> tuple[str, str]:
    """How an address names the ready-made dashboard of a scope."""
    if scope.version is not None:
        return VERSION, str(scope.version.pk)
    if scope.use_case is not None:
        return USE_CASE, scope.use_case.key
    return (UNIT, scope.unit.code) if scope.unit is not None else ("portfolio", "all")


def cells(board: Board, user: User, span: Span, *, only: str = "", all_data: bool = False) -> list[Cell]:
    """Every widget, or only one. Those that the browser draws are read only when ``all_data`` is asked for."""
    look = Look(user, board.scope, span)
    entries = [entry_of(board.layout, only)] if only else board.layout
    return [_cell(board, entry, look, all_data=all_data) for entry in entries]


def _cell(board: Board, entry: dict[str, Any], look: Look, *, all_data: bool) -> Cell:
    kind = widgets.get(entry["widget"])
    key, query = entry["id"], look.span.query
    found = Cell(
        id=key,
        kind=kind,
        heading=entry["title"],
        width=entry["width"],
        height=entry["height"],
        params=entry["params"],
        url=f"{board.url('widget', key)}?{query}",
        data_url=f"{board.url('widget_data', key)}?{query}",
        csv_url=f"{board.url('widget_csv', key)}?{query}",
    )
    widget = kind()
    found.heading = found.heading or widget.heading(entry["params"])
    form = params_form(kind, entry["params"], look.scope, look.user)
    if not form.is_valid():
        found.error = " ".join(str(said) for each in form.errors.values() for said in each)
        return found
    params = form.plain()
    if not entry["title"] and params.get("series") and found.kind.key in ("line", "value"):
        found.heading = _series_heading(params["series"], look) or found.heading
    if kind.lazy and not all_data:
        return found
    try:
        found.data = widget.data(params, look)
        found.columns, found.rows = widget.table(found.data)
    except DomainError as error:
        found.error = error.message
    return found


def _series_heading(refs: Sequence[str], look: Look) -> str:
    found = find(refs[:1], look.scope, look.user)
    series = next(iter(found.values()), None)
    if series is None:
        return ""
    name = series_name(series)
    if series.version is not None and look.scope.version is None:
        name = f"{name} · {series.version.label}"
    if look.scope.use_case is None:
        name = f"{series.use_case.key} {name}"
    return f"{name} +{len(refs) - 1}" if len(refs) > 1 else name


def _ready_words(scope: Scope) -> str:
    if scope.use_case is not None:
        return _("What is watched here, what was promised, what is wrong. Make it your own to change it.")
    return _("How the systems fare that you may see. Make it your own to change it.")
