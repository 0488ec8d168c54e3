"""The contract of a widget: one block of a dashboard. One file in ``<app>/widgets`` adds one.

A widget declares what can be set on it (``Params``, a form that pages, REST and imported files are checked by), gives
its data as JSON in a constant number of queries, and has a template that draws the same data. What a person may see is
decided by ``Scope.rows`` alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django import forms
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from accounts.access import for_user
from accounts.models import User
from governance.models import ModelVersion
from kernel.registry import Registry
from monitoring.models import Alert, Series
from monitoring.spans import Span
from portfolio.models import BusinessUnit, UseCase

M = TypeVar("M", bound=Model)
VIEW = "use_case.view"
PORTFOLIO, UNIT, USE_CASE, VERSION = "portfolio", "unit", "use_case", "version"
EVERYWHERE = frozenset({PORTFOLIO, UNIT, USE_CASE, VERSION})
WIDTHS = (3, 4, 6, 8, 12)
"""Of twelve columns; on a phone every widget takes all of them."""
HEIGHTS = ("short", "normal", "tall")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a dashboard is about: a version of a model, a use case, a unit with those below it, or everything."""

    use_case: UseCase | None = None
    version: ModelVersion | None = None
    unit: BusinessUnit | None = None

    @property
    def kind(self) -> str:
        if self.version is not None:
            return VERSION
        if self.use_case is not None:
            return USE_CASE
        return UNIT if self.unit is not None else PORTFOLIO

    @property
    def name(self) -> str:
        if self.use_case is not None:
            name = f"{self.use_case.key} {self.use_case.name}"
            return f"{name} · {self.version.label}" if self.version is not None else name
        return self.unit.name if self.unit is not None else _("Portfolio")

    def rows(self, queryset: QuerySet[M], user: User) -> QuerySet[M]:
        """The rows that are in the scope and that ``user`` may see; the model says where its use case is."""
        path: str = getattr(queryset.model, "access_path")  # noqa: B009  # declared by every model of a use case
        found = for_user(queryset, user, VIEW)
        if self.use_case is not None:
            return found.filter(**{path or "pk": self.use_case.pk})
        if self.unit is not None:
            return found.filter(**{f"{path}__unit__path__startswith".removeprefix("__"): self.unit.path})
        return found

    def series(self, user: User) -> QuerySet[Series]:
        found = self.rows(Series.objects.select_related("use_case", "version"), user)
        return found.filter(version=self.version) if self.version is not None else found

    def alerts(self, user: User) -> QuerySet[Alert]:
        """Alerts that are not over."""
        found = self.rows(Alert.objects.exclude(state=Alert.AlertState.RESOLVED), user)
        return found.filter(series__version=self.version) if self.version is not None else found


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks, at what, over which time."""

    user: User
    scope: Scope
    span: Span


class Params(forms.Form):
    """What can be set on a widget; the base has nothing to set."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, scope: Scope, user: User, **more: Any) -> None:
        super().__init__(data, **more)
        self.scope, self.user = scope, user

    def plain(self) -> dict[str, Any]:
        """What was set, as JSON holds it; what is empty is left out."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [], False)}


class Widget(ABC):
    """One kind of block. ``lazy``: the browser draws it from its JSON, so that the page need not read it too."""

    key: ClassVar[str]
    title: ClassVar[Any]
    description: ClassVar[Any]
    icon: ClassVar[str]
    order: ClassVar[int]
    template: ClassVar[str]
    scopes: ClassVar[frozenset[str]] = EVERYWHERE
    width: ClassVar[int] = 4
    height: ClassVar[str] = "normal"
    lazy: ClassVar[bool] = False
    Params: ClassVar[type[Params]] = Params

    @abstractmethod
    def data(self, params: Mapping[str, Any], look: Look) -> dict[str, Any]:
        """The numbers as JSON. Raises ``Invalid`` when what was set is no longer there."""

    @abstractmethod
    def table(self, data: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """The same numbers as heads and rows: for the file, and for who cannot see a drawing."""

    def heading(self, params: Mapping[str, Any]) -> str:
        """What it is called when nobody has named it."""
        return str(self.title)


widgets: Registry[type[Widget]] = Registry("dashboard widget")


def jsonable(value: object) -> Any:
    """A value as the JSON of a widget holds it."""
    match value:
        case datetime():
            return value.isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case UUID():
            return str(value)
    return value


def chart_table(data: Mapping[str, Any], head: str) -> tuple[list[str], list[list[object]]]:
    """Heads and rows of a chart's JSON whose points are pairs."""
    found: dict[Any, list[object]] = {}
    for index, line in enumerate(data["series"]):
        for x, y in line["points"]:
            found.setdefault(x, [None] * len(data["series"]))[index] = y
    rows: list[list[object]] = [[x, *values] for x, values in sorted(found.items())]
    return [head, *(str(line["name"]) for line in data["series"])], rows
