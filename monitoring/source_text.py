"""A source as YAML: what one exports to keep in a repository, and connects elsewhere. Secrets are never part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml
from django.utils.translation import gettext as _

from kernel.errors import Invalid
from kernel.located import Located, read_located
from monitoring import mapping
from monitoring.connector import Connector, connectors
from monitoring.models import Source

MOST_BYTES = 200_000
KEYS = ("name", "connector", "every_seconds", "history_days", "config", "mapping")
HEAD = "# A source of Tollgate. Secrets are never written here: they are entered when it is connected.\n"


@dataclass(frozen=True, slots=True)
class SourceText:
    """What a text says of a source."""

    name: str
    connector: str
    config: dict[str, str]
    every_seconds: int = 300
    history_days: int = 7
    mapping: list[dict[str, Any]] = field(default_factory=list)


def write(source: Source) -> str:
    """The source as YAML, without its secret."""
    settings = connectors.get(source.connector).settings if source.connector in connectors else ()
    names = dict.fromkeys([*(one.name for one in settings), *source.config])  # as in the form
    told: dict[str, Any] = {
        "name": source.name,
        "connector": source.connector,
        "every_seconds": source.every_seconds,
        "history_days": source.history_days,
        "config": {name: source.config[name].replace("\r\n", "\n") for name in names if name in source.config},
    }
    if source.mapping:
        told["mapping"] = source.mapping
    text: str = yaml.dump(told, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return HEAD + text


def read(text: str, name: str = "source.yaml") -> SourceText:
    """What the text says, checked by its connector. Raises ``Invalid`` that names line and column."""
    if len(text) > MOST_BYTES:
        raise Invalid(_("The text is larger than %(most)d characters.") % {"most": MOST_BYTES})
    located = read_located(text, name)
    given = located.data
    if not isinstance(given, Mapping):
        _refuse(located, (), _("give the keys %(keys)s.") % {"keys": ", ".join(KEYS)})
    for key in given:
        if "secret" in key or key in {"password", "token"}:
            _refuse(located, (key,), _("secrets are no part of a file: enter them when you connect the source."))
        if key not in KEYS:
            _refuse(located, (key,), _("there is no such key; known are %(keys)s.") % {"keys": ", ".join(KEYS)})
    plugin = _plugin(located)
    return SourceText(
        name=_text(located, "name"),
        connector=plugin.key,
        config=_config(located, plugin),
        every_seconds=_whole(located, "every_seconds", 300),
        history_days=_whole(located, "history_days", 7),
        mapping=_mapping(located),
    )


def _plugin(located: Located) -> type[Connector]:
    key = _text(located, "connector")
    if key not in connectors:
        known = ", ".join(connectors.keys())
        _refuse(located, ("connector",), _("there is no such connector; known are %(known)s.") % {"known": known})
    return connectors.get(key)


def _config(located: Located, plugin: type[Connector]) -> dict[str, str]:
    given = located.data.get("config", {})
    if not isinstance(given, Mapping):
        _refuse(located, ("config",), _("give the connector's settings by name."))
    for name, value in given.items():
        if name in {one.name for one in plugin.secrets} - {one.name for one in plugin.settings}:
            _refuse(located, ("config", name), _("a secret is no part of a file: enter it when you connect."))
        if isinstance(value, list | Mapping):
            _refuse(located, ("config", name), _("give a single value."))
    try:
        return plugin.check({name: "" if value is None else value for name, value in given.items()})
    except Invalid as error:
        name, said = next(iter(error.errors.items()))
        _refuse(located, ("config", name), f"{name}: {said[0]}")


def _mapping(located: Located) -> list[dict[str, Any]]:
    given = located.data.get("mapping") or []
    if not isinstance(given, list):
        _refuse(located, ("mapping",), _("give a list of entries."))
    try:
        return mapping.checked(given)
    except Invalid:
        pass
    for index in range(len(given)):  # which of them is it?
        try:
            mapping.checked(given[: index + 1])
        except Invalid as error:
            _refuse(located, ("mapping", index), error.message)
    raise AssertionError("a mapping was refused as a whole and accepted entry by entry")


def _text(located: Located, key: str) -> str:
    value = located.data.get(key)
    if not isinstance(value, str) or not value.strip():
        _refuse(located, (key,), _("“%(key)s” is needed.") % {"key": key})
    return value.strip()


def _whole(located: Located, key: str, default: int) -> int:
    value = located.data.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse(located, (key,), _("give a whole number."))
    return value


def _refuse(located: Located, path: tuple[str | int, ...], said: str) -> NoReturn:
    told = located.problem(path, said)
    raise Invalid(told, errors={"text": [told]})


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, so that a query stays readable."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)
