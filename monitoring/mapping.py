"""From what a source calls its metrics to the series of the use case.

A source's ``mapping`` is a list of entries, each ``{"from": {metric, segment, version}, "to": {…} | "skip"}``; parts
that are empty are left out. What has no entry goes by its own name: a new series is made with its first point.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from django.utils.translation import gettext as _

from kernel.errors import Invalid
from monitoring.addressing import METRIC_KEY
from monitoring.connector import Sample

SKIP = "skip"
PARTS = ("metric", "segment", "version")
MOST = 500
OTHER = re.compile(r"[^a-z0-9_.-]+")
LONGEST = {"metric": 200, "segment": 200, "version": 200}


class Words(NamedTuple):
    """How a source, or we, call a series."""

    metric: str
    segment: str = ""
    version: str = ""

    def stored(self) -> dict[str, str]:
        return {name: text for name, text in self._asdict().items() if text}

    def __str__(self) -> str:
        return (
            self.metric
            + (f" ({self.segment})" if self.segment else "")
            + (f" @ {self.version}" if self.version else "")
        )


Names: TypeAlias = Mapping[Words, Words | None]
"""None: these points are left out."""


def checked(mapping: Any) -> list[dict[str, Any]]:
    """A mapping as it is stored. Raises ``Invalid`` that names the entry."""
    if not isinstance(mapping, Sequence) or isinstance(mapping, str) or len(mapping) > MOST:
        raise _refused(_("A mapping is a list of up to %(most)d entries.") % {"most": MOST})
    entries, seen = [], set()
    for number, entry in enumerate(mapping, start=1):
        if not isinstance(entry, Mapping) or entry.keys() != {"from", "to"}:
            raise _refused(_("Entry %(number)d: give “from” and “to”.") % {"number": number})
        source = _words(number, entry["from"])
        if source in seen:
            raise _refused(_("Entry %(number)d: %(name)s is mapped twice.") % {"number": number, "name": source})
        seen.add(source)
        if entry["to"] == SKIP:
            entries.append({"from": source.stored(), "to": SKIP})
            continue
        target = _words(number, entry["to"])
        if not METRIC_KEY.fullmatch(target.metric):
            said = _("Entry %(number)d: %(metric)s is no metric's key: small letters, digits, and _ . - only.")
            raise _refused(said % {"number": number, "metric": target.metric})
        entries.append({"from": source.stored(), "to": target.stored()})
    return entries


def read(mapping: Sequence[Mapping[str, Any]]) -> dict[Words, Words | None]:
    """A stored mapping to look samples up in."""
    return {Words(**entry["from"]): None if entry["to"] == SKIP else Words(**entry["to"]) for entry in mapping}


def mapped(samples: Iterable[Sample], mapping: Names) -> Iterator[Sample]:
    """The samples under our names, without those that are left out."""
    for sample in samples:
        name = Words(sample.metric, sample.segment, sample.version)
        target = mapping[name] if name in mapping else own_name(name)
        if target is not None:
            yield replace(sample, metric=target.metric, segment=target.segment, version=target.version)


def own_name(name: Words) -> Words:
    """What becomes of a name without an entry: "Val/F1" is the metric val_f1."""
    key = OTHER.sub("_", name.metric.lower()).strip("_.-")
    if key and not key[0].isalpha():
        key = f"m_{key}"
    return name._replace(metric=key[:60] or "metric", segment=name.segment[:100])


def names(samples: Iterable[Sample]) -> list[Words]:
    """The different names in samples, in their order."""
    return list(dict.fromkeys(Words(sample.metric, sample.segment, sample.version) for sample in samples))


def _words(number: int, given: Any) -> Words:
    if isinstance(given, str):
        given = {"metric": given}
    if not isinstance(given, Mapping) or not given.get("metric") or given.keys() - set(PARTS):
        said = _("Entry %(number)d: a name has a metric, and may have segment and version.")
        raise _refused(said % {"number": number})
    for part, value in given.items():
        if not isinstance(value, str | int | float) or len(str(value)) > LONGEST[part]:
            raise _refused(_("Entry %(number)d: its %(part)s is no text.") % {"number": number, "part": part})
    return Words(**{part: str(value) for part, value in given.items()})


def _refused(said: str) -> Invalid:
    return Invalid(said, errors={"mapping": [said]})
