"""The layout of a dashboard: a list of widgets in their order, each with its size and what was set on it.

``{"id": "w1", "widget": "line", "title": "", "width": 6, "height": "normal", "params": {…}}``. Widths are of twelve
columns; rows fill from left to right. What comes from outside is checked here; what is wrong is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from django.utils.translation import gettext as _

from accounts.models import User
from kernel.errors import Conflict, Invalid
from monitoring.widget import HEIGHTS, WIDTHS, Params, Scope, Widget, widgets

Layout: TypeAlias = list[dict[str, Any]]
MOST_WIDGETS = 24
LONGEST_TITLE = 120
KEYS = ("id", "widget", "title", "width", "height", "params")


def checked(raw: object, scope: Scope, user: User) -> Layout:
    """The layout as it is kept. Raises ``Invalid`` with everything that is wrong, by place: ``widgets.2.width``."""
    if not isinstance(raw, list):
        raise Invalid(_("The widgets have to be a list."), errors={"widgets": [_("This is no list.")]})
    if len(raw) > MOST_WIDGETS:
        said = _("A dashboard holds at most %(most)d widgets.") % {"most": MOST_WIDGETS}
        raise Invalid(said, errors={"widgets": [said]})
    errors: dict[str, list[str]] = {}
    found: Layout = []
    for number, each in enumerate(raw):
        entry, wrong = _entry(each, scope, user)
        errors |= {f"widgets.{number}{'.' + name if name else ''}": words for name, words in wrong.items()}
        if not wrong:
            entry["id"] = _id(entry["id"], found)
            found.append(entry)
    if errors:
        place, first = next(iter(errors.items()))
        raise Invalid(f"{place}: {first[0]}", errors=errors)
    return found


def params_form(kind: type[Widget], data: Mapping[str, Any] | None, scope: Scope, user: User) -> Params:
    return kind.Params(data, scope=scope, user=user)


def kinds_for(scope: Scope) -> list[type[Widget]]:
    """The widgets that make sense for a scope, in the order they are offered."""
    return sorted((kind for kind in widgets if scope.kind in kind.scopes), key=lambda kind: (kind.order, kind.key))


def entry_of(layout: Sequence[Mapping[str, Any]], key: str) -> dict[str, Any]:
    """The widget of that id. Raises ``Conflict`` when it is not there any more."""
    found = next((dict(entry) for entry in layout if entry["id"] == key), None)
    if found is None:
        raise Conflict(
            _("This widget is not on the dashboard any more."), hint=_("Reload the page to see it as it is.")
        )
    return found


def added(layout: Layout, kind: type[Widget], params: Mapping[str, Any], title: str = "") -> Layout:
    entry = {
        "id": "",
        "widget": kind.key,
        "title": title,
        "width": kind.width,
        "height": kind.height,
        "params": dict(params),
    }
    return [*layout, entry]


def changed(layout: Layout, key: str, **changes: Any) -> Layout:
    entry_of(layout, key)
    return [{**entry, **changes} if entry["id"] == key else entry for entry in layout]


def removed(layout: Layout, key: str) -> Layout:
    entry_of(layout, key)
    return [entry for entry in layout if entry["id"] != key]


def moved(layout: Layout, key: str, by: int) -> Layout:
    """One place earlier or later; the first and the last stay."""
    entry = entry_of(layout, key)
    place = [each["id"] for each in layout].index(key)
    rest = [each for each in layout if each["id"] != key]
    to = min(max(place + by, 0), len(rest))
    return [*rest[:to], entry, *rest[to:]]


def ordered(layout: Layout, keys: Sequence[str]) -> Layout:
    """In the order of these ids. Raises ``Conflict`` unless they are exactly the widgets that are there."""
    by_key = {entry["id"]: entry for entry in layout}
    if sorted(keys) != sorted(by_key):
        raise Conflict(_("The dashboard has other widgets by now."), hint=_("Reload the page to see it as it is."))
    return [by_key[key] for key in keys]


def resized(layout: Layout, key: str, way: str) -> Layout:
    """One step ``wider``, ``narrower``, ``taller`` or ``shorter``; or to a width of so many columns."""
    entry = entry_of(layout, key)
    if way.isdecimal():
        return changed(layout, key, width=min(WIDTHS, key=lambda width: abs(width - int(way))))
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "wider": lambda: {"width": _step(WIDTHS, entry["width"], 1)},
        "narrower": lambda: {"width": _step(WIDTHS, entry["width"], -1)},
        "taller": lambda: {"height": _step(HEIGHTS, entry["height"], 1)},
        "shorter": lambda: {"height": _step(HEIGHTS, entry["height"], -1)},
    }
    if way not in steps:
        raise Invalid(_("A widget becomes wider, narrower, taller or shorter."))
    return changed(layout, key, **steps[way]())


def _step(steps: Sequence[Any], now: Any, by: int) -> Any:
    place = steps.index(now) + by
    return steps[min(max(place, 0), len(steps) - 1)]


def _id(given: str, others: Layout) -> str:
    taken = {entry["id"] for entry in others}
    if given and given not in taken:
        return given
    number = len(taken) + 1
    while f"w{number}" in taken:
        number += 1
    return f"w{number}"


def _entry(raw: object, scope: Scope, user: User) -> tuple[dict[str, Any], dict[str, list[str]]]:
    if not isinstance(raw, Mapping):
        return {}, {"": [_("This is no widget.")]}
    errors: dict[str, list[str]] = {str(name): [_("There is no such field.")] for name in raw if name not in KEYS}
    key = raw.get("widget")
    if not isinstance(key, str) or key not in widgets:
        known = ", ".join(widgets.keys())
        return {}, errors | {"widget": [_("There is no such widget. There are: %(known)s.") % {"known": known}]}
    kind = widgets.get(key)
    if scope.kind not in kind.scopes:
        errors["widget"] = [_("This widget makes no sense here.")]
    width, height = raw.get("width", kind.width), raw.get("height", kind.height)
    if width not in WIDTHS or isinstance(width, bool):
        errors["width"] = [_("The width is one of %(known)s columns.") % {"known": ", ".join(map(str, WIDTHS))}]
    if height not in HEIGHTS:
        errors["height"] = [_("The height is one of %(known)s.") % {"known": ", ".join(HEIGHTS)}]
    title, name = raw.get("title", ""), raw.get("id", "")
    if not isinstance(title, str) or len(title) > LONGEST_TITLE:
        errors["title"] = [_("A title is text of at most %(most)d characters.") % {"most": LONGEST_TITLE}]
    if not isinstance(name, str) or not (name == "" or (name.isascii() and name.isalnum() and len(name) <= 12)):
        errors["id"] = [_("An id is up to 12 letters and digits.")]
    params, wrong = _params(kind, raw.get("params", {}), scope, user)
    entry = {"id": name, "widget": key, "title": title, "width": width, "height": height, "params": params}
    return entry, errors | wrong


def _params(kind: type[Widget], raw: object, scope: Scope, user: User) -> tuple[dict[str, Any], dict[str, list[str]]]:
    if not isinstance(raw, Mapping):
        return {}, {"params": [_("This is no mapping.")]}
    form = params_form(kind, raw, scope, user)
    errors = {f"params.{name}": [_("There is no such field.")] for name in raw if name not in form.fields}
    if form.is_valid():
        return form.plain(), errors
    return {}, errors | {f"params.{name}": [str(said) for said in each] for name, each in form.errors.items()}
