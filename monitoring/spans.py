"""A range of time as an address says it: a named one that moves with the clock, or one between two moments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.selectors.points import CLOCK_SKEW

RANGES: dict[str, timedelta | None] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "1y": timedelta(days=365),
    "all": None,
}
RANGE_LABELS = {
    "24h": _("24 hours"),
    "7d": _("7 days"),
    "30d": _("30 days"),
    "90d": _("90 days"),
    "1y": _("1 year"),
    "all": _("All"),
}
DEFAULT_RANGE = "30d"
CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Span:
    """``start`` to before ``end``; ``start`` is empty when everything from the first value on is meant."""

    name: str
    start: datetime | None
    end: datetime

    @property
    def moves(self) -> bool:
        """Whether it goes on with the clock, so that looking again may show more."""
        return self.name != CUSTOM

    @property
    def query(self) -> str:
        """The parameters of an address that mean this range."""
        if self.moves or self.start is None:
            return urlencode({"range": self.name})
        return urlencode({"from": _minute(self.start), "to": _minute(self.end)})


def named(name: str) -> Span:
    """The range of that name up to now; an unknown name is the usual range."""
    known = name if name in RANGES else DEFAULT_RANGE
    end = timezone.now() + CLOCK_SKEW
    length = RANGES[known]
    return Span(known, None if length is None else end - length, end)


def between(start: datetime, end: datetime) -> Span:
    return Span(CUSTOM, start, end)


def _minute(moment: datetime) -> str:
    """As a field for date and time writes it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
