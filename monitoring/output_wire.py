"""A pushed batch of outputs as it comes over the wire: read and checked, the first mistake named by its place.

JSON (``[…]`` or ``{"outputs": […]}`` with what they share beside it) or NDJSON, an output a line. ``outputs[4]`` counts
from 0, ``line 5`` from 1. What an output held comes redacted or stays where it is: ``payload_url`` is shown to
reviewers as a link and never fetched by the product.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from kernel.canonical import digest
from kernel.errors import Invalid
from monitoring.wire import CLOCK_SKEW, EARLIEST, TooLarge, lines_of, listed

MOST_OUTPUTS = 10_000
MOST_FIELDS = 50
LONGEST_TEXT = 10_000
LONGEST_PAYLOAD = 50_000
LENGTHS = {"external_id": 200, "case_id": 200, "segment": 100, "summary": 500, "payload_url": 1000, "acted_by": 200}
SHARED = frozenset({"use_case", "version"})
FIELDS = SHARED | LENGTHS.keys() | {"at", "confidence", "payload", "redacted"}
_NEEDED = ("use_case", "external_id", "at", "summary")


@dataclass(slots=True)
class Handed:
    """One output that is well-formed."""

    use_case: str
    version: str
    external_id: str
    case_id: str
    at: datetime
    segment: str
    confidence: float | None
    summary: str
    payload_url: str
    payload: dict[str, str]
    redacted: list[str]
    acted_by: str
    sha256: str = ""

    def __post_init__(self) -> None:
        """The digest of everything that was handed over."""
        names = [name for name in self.__slots__ if name != "sha256"]
        content = {name: getattr(self, name) for name in names}
        self.sha256 = digest(content | {"confidence": None if self.confidence is None else repr(self.confidence)})


@dataclass(slots=True)
class OutputBatch:
    """The outputs of a batch, each well-formed and named once."""

    rows: list[Handed] = field(default_factory=list)
    by_line: bool = False

    def refuse(self, index: int, name: str, reason: str) -> NoReturn:
        place = f"line {index + 1}" if self.by_line else f"outputs[{index}]"
        where = f"{place}.{name}" if name else place
        said = _("%(place)s: %(reason)s Nothing of the batch was stored.") % {"place": where, "reason": reason}
        raise Invalid(said, errors={where: [reason]})


def read(body: bytes, *, by_line: bool, now: datetime) -> OutputBatch:
    """Parse and check a body. Raises ``Invalid`` that names the first mistake, or ``TooLarge``."""
    if by_line:
        return check(lines_of(body), now=now, by_line=True)
    outputs, shared = listed(body, "outputs", SHARED)
    return check(outputs, now=now, shared=shared)


def check(
    outputs: Sequence[Any], *, now: datetime, shared: Mapping[str, Any] | None = None, by_line: bool = False
) -> OutputBatch:
    """Check every output once; ``shared`` is what one takes when it does not say it itself."""
    if not outputs:
        raise Invalid(_("There are no outputs."))
    if len(outputs) > MOST_OUTPUTS:
        raise TooLarge(_("Send at most %(most)d outputs at once.") % {"most": MOST_OUTPUTS})
    batch = OutputBatch(by_line=by_line)
    seen: dict[tuple[str, str], str] = {}
    for index, given in enumerate(outputs):
        row = _Row(batch, index, {**(shared or {}), **given} if isinstance(given, Mapping) else given).handed(now)
        known = seen.setdefault((row.use_case, row.external_id), row.sha256)
        if known != row.sha256:
            batch.refuse(index, "external_id", _("An earlier output of the batch has it, with another content."))
        batch.rows.append(row)
    return batch


class _Row:
    """The checks of one output."""

    def __init__(self, batch: OutputBatch, index: int, given: Any) -> None:
        self.batch, self.index, self.given = batch, index, given

    def handed(self, now: datetime) -> Handed:
        given = self.given
        if not isinstance(given, Mapping):
            self.refuse("", _("It is not an object."))
        if unknown := sorted(str(name) for name in given.keys() - FIELDS):
            self.refuse(unknown[0], _("There is no such field."))
        for name in _NEEDED:
            if given.get(name) in {None, ""}:
                self.refuse(name, _("It is missing."))
        redacted = self.names()
        return Handed(
            use_case=self.text("use_case", 40),
            version=self.text("version", 60),
            external_id=self.text("external_id"),
            case_id=self.text("case_id"),
            at=self.moment(now),
            segment=self.text("segment"),
            confidence=self.share(),
            summary=self.text("summary"),
            payload_url=self.address(),
            payload=self.payload(redacted),
            redacted=redacted,
            acted_by=self.text("acted_by"),
        )

    def refuse(self, name: str, reason: str) -> NoReturn:
        self.batch.refuse(self.index, name, reason)

    def text(self, name: str, most: int = 0) -> str:
        value = self.given.get(name)
        most = most or LENGTHS[name]
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(name, _("It is not text."))
        if len(value) > most:
            self.refuse(name, _("It is longer than %(most)d characters.") % {"most": most})
        if "\x00" in value:
            self.refuse(name, _("It holds a null character."))
        return value.strip()

    def moment(self, now: datetime) -> datetime:
        value = self.given["at"]
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except (TypeError, ValueError):
            self.refuse("at", _("It is not a time; give ISO 8601, such as 2026-11-21T10:00:00Z."))
        if moment.tzinfo is None:
            self.refuse("at", _("It has no time zone; end it with Z or an offset."))
        if moment > now + CLOCK_SKEW:
            self.refuse("at", _("It is more than 5 minutes in the future."))
        if moment < EARLIEST:
            self.refuse("at", _("It is before the year 2000."))
        return moment

    def share(self) -> float | None:
        value = self.given.get("confidence")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse("confidence", _("It is not a number."))
        if not math.isfinite(value) or not 0 <= value <= 1:
            self.refuse("confidence", _("It is not between 0 and 1."))
        return float(value)

    def address(self) -> str:
        value = self.text("payload_url")
        if not value:
            return ""
        try:
            parts = urlsplit(value)
            is_fine = parts.scheme in {"https", "http"} and bool(parts.hostname) and not parts.username
        except ValueError:
            is_fine = False
        if not is_fine or any(sign.isspace() for sign in value):
            self.refuse("payload_url", _("Give an address that begins with https:// and names no account."))
        return value

    def names(self) -> list[str]:
        value = self.given.get("redacted")
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(name, str) and 0 < len(name) <= 100 for name in value):
            self.refuse("redacted", _("Give a list of names of fields."))
        if len(value) > MOST_FIELDS:
            self.refuse("redacted", _("Name at most %(most)d fields.") % {"most": MOST_FIELDS})
        return sorted(set(value))

    def payload(self, redacted: Sequence[str]) -> dict[str, str]:
        value = self.given.get("payload")
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(isinstance(text, str | None) for text in value.values()):
            self.refuse("payload", _("Give an object of fields and their text."))
        if len(value) > MOST_FIELDS or any(not name or len(name) > 100 for name in value):
            self.refuse("payload", _("Give at most %(most)d fields with short names.") % {"most": MOST_FIELDS})
        texts = {name: text for name, text in value.items() if text}
        for name, text in texts.items():
            if name in redacted:
                self.refuse(f"payload.{name}", _("It is said to be redacted, yet it holds something."))
            if len(text) > LONGEST_TEXT or "\x00" in text:
                self.refuse(f"payload.{name}", _("It is longer than %(most)d characters.") % {"most": LONGEST_TEXT})
        if sum(map(len, texts.values())) > LONGEST_PAYLOAD:
            self.refuse("payload", _("It is longer than %(most)d characters.") % {"most": LONGEST_PAYLOAD})
        return texts
