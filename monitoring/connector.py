"""The contract of a connector: one file in ``monitoring/connectors`` adds a kind of source.

A connector declares its ``settings`` (what a person fills in) and ``secrets`` (of these only encrypted values are
kept), checks them, and yields samples. It speaks to its source and nothing else: it knows no model of ours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from kernel.errors import Invalid
from kernel.registry import Registry
from monitoring.setting import Setting, filled_in


@dataclass(frozen=True, slots=True)
class Sample:
    """A value that a source gave. ``time`` has a zone; the metric is a key of the catalogue or an own one."""

    metric: str
    time: datetime
    value: float
    step: int = 0
    segment: str = ""
    version: str = ""
    n: int | None = None


class Reads(StrEnum):
    """How a connector asks for what is new, and so from where a pull goes on."""

    POINTS = "points"
    """It is told from when points are wanted; a pull goes on from the newest point that was stored."""
    WINDOWS = "windows"
    """It reads any window of time; a pull goes on from the end of the last one, in chunks when that is long ago."""
    CHANGES = "changes"
    """It finds what changed since a moment; a pull goes on from the moment the last one began."""


class ConnectorError(Exception):
    """The source could not be read. ``kind`` says why in one word; the message says it to a person.

    Kinds: ``unreachable`` (no connection), ``slow`` (no answer in time), ``refused`` (an address or a path that may
    not be read), ``answer`` (a status other than 200, an error of the server), ``content`` (not what was expected),
    ``secret`` (cannot be decrypted), ``crash`` (the connector itself failed).
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class Connector(ABC):
    """Reads one source. Made anew for every pull."""

    key: ClassVar[str]
    label: ClassVar[Any]
    settings: ClassVar[tuple[Setting, ...]]
    secrets: ClassVar[tuple[Setting, ...]] = ()
    about: ClassVar[Any] = ""
    """One sentence for whoever chooses a connector."""

    def __init__(self, config: Mapping[str, str], secret: Mapping[str, str]) -> None:
        self.config = config
        self.secret = secret
        self.read_through: datetime | None = None
        """Set by a connector that stopped before it had given everything: up to where it came."""

    @property
    def reads(self) -> Reads:
        return Reads.POINTS

    @property
    def chunk(self) -> timedelta:
        """The longest window that is asked for at once; for ``Reads.WINDOWS``."""
        return timedelta(days=1)

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> dict[str, str]:
        """The settings, complete and trimmed. Raises ``Invalid`` with an error per setting."""
        clean, errors = filled_in(cls.settings, config, unknown=_("This connector has no such setting."))
        if not errors:
            errors = cls.problems(clean)
        if errors:
            name, said = next(iter(errors.items()))
            raise Invalid(f"{name}: {said[0]}", errors=errors)
        return clean

    @classmethod
    def problems(cls, config: Mapping[str, str]) -> dict[str, list[str]]:
        """What is wrong with settings that are all there, by setting."""
        return {}

    @classmethod
    @abstractmethod
    def destination(cls, config: Mapping[str, str]) -> str:
        """Who gets to see the secret, such as scheme, host and port. A stored secret never goes to another one."""

    @classmethod
    def check_secret(cls, secret: Mapping[str, Any]) -> dict[str, str]:
        """The secret without empty values. Raises ``Invalid`` with an error per name; no message repeats a value."""
        known = {setting.name for setting in cls.secrets}
        clean = {name: str(value).strip() for name, value in secret.items() if value}
        errors = {name: [_("This connector has no such secret.")] for name in sorted(clean.keys() - known)}
        errors = errors or cls.secret_problems(clean)
        if errors:
            name, said = next(iter(errors.items()))
            raise Invalid(f"{name}: {said[0]}", errors=errors)
        return clean

    @classmethod
    def secret_problems(cls, secret: Mapping[str, str]) -> dict[str, list[str]]:
        """What is wrong with a secret, by name."""
        return {}

    @abstractmethod
    def fetch(self, since: datetime | None, until: datetime | None = None) -> Iterator[Sample]:
        """Samples from ``since`` on (all there are when it is None), in any order. Raises ``ConnectorError``.

        More than was asked for may come: what is stored already changes nothing. ``until`` is given to connectors
        that read windows, and to others only as the moment that the pull began.
        """


connectors: Registry[type[Connector]] = Registry("connector")
