"""Events hold keys, people read names: higher apps say what their keys are called and where their pages are.

Registered once, in ``ready()``: ``set_lookup("actor", …)`` by the app of accounts, ``set_lookup("use_case", …)`` by the
app of use cases. Without one, pages show keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, Protocol

Kind = Literal["actor", "use_case"]


class Lookup(Protocol):
    """Names for the keys of one kind of thing. Keys are strings, as events hold them."""

    def names(self, keys: Collection[str]) -> Mapping[str, str]:
        """What these are called; keys that are not known are left out. One query."""
        ...

    def search(self, text: str) -> Collection[str]:
        """The keys of those whose name, key or address is meant by this text; at most a few hundred."""
        ...

    def url(self, key: str) -> str:
        """The address of its page, or an empty string."""
        ...


_lookups: dict[str, Lookup] = {}


def set_lookup(kind: Kind, lookup: Lookup) -> None:
    _lookups[kind] = lookup


def names(kind: Kind, keys: Iterable[object | None]) -> Mapping[str, str]:
    wanted = {str(key) for key in keys if key is not None}
    lookup = _lookups.get(kind)
    return lookup.names(wanted) if lookup is not None and wanted else {}


def search(kind: Kind, text: str) -> set[str]:
    """The keys meant by a text: the text itself and whatever the lookup finds."""
    lookup = _lookups.get(kind)
    return {text, *(lookup.search(text) if lookup is not None else ())}


def url(kind: Kind, key: object | None) -> str:
    lookup = _lookups.get(kind)
    return lookup.url(str(key)) if lookup is not None and key is not None else ""
