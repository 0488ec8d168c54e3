"""Which part of a source the next pull asks for, and what is remembered of it afterwards.

Every pull asks again for some time before (``overlap``): late points are taken in, and what is there already changes
nothing. After an outage a source that reads windows is read in chunks, one a pull, until it has caught up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.connector import Connector, Reads
from monitoring.models import Source

LEAST_OVERLAP = timedelta(minutes=10)
NARROWEST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Window:
    """What a pull asks for. ``begin`` is where new ground starts; ``since`` lies before it by the overlap."""

    since: datetime | None
    begin: datetime | None
    until: datetime
    now: datetime

    @property
    def reaches_now(self) -> bool:
        return self.until >= self.now

    def halved(self) -> Window | None:
        """Its first half, when it held too much; None when it is as narrow as it gets."""
        if self.begin is None or self.until - self.begin <= NARROWEST:
            return None
        # The overlap is left out too: with it the half could hold as much as the whole.
        return Window(self.begin, self.begin, self.begin + (self.until - self.begin) / 2, self.now)


def next_window(source: Source, connector: Connector, now: datetime) -> Window:
    """The window of the pull that begins at ``now``."""
    if connector.reads is Reads.POINTS:
        return Window(_since_points(source), None, now, now)
    if connector.reads is Reads.CHANGES:
        begin = source.read_through
        # Catching up it goes on exactly where it stopped: with an overlap it would stop at the same place again.
        is_behind = begin is None or source.catching_up_from is not None
        return Window(begin if is_behind or begin is None else begin - overlap(source), begin, now, now)
    begin = min(source.read_through or now - timedelta(days=source.history_days), now)
    until = min(begin + connector.chunk, now)
    return Window(begin - overlap(source) if source.read_through else begin, begin, until, now)


def remember(source: Source, window: Window, connector: Connector) -> bool:
    """Note on the source how far it was read; returns whether there is more to read at once."""
    stopped_at = connector.read_through if connector.reads is Reads.CHANGES else None
    is_behind = stopped_at is not None or not window.reaches_now
    if is_behind:
        source.catching_up_from = source.catching_up_from or window.begin or stopped_at
        source.read_through = stopped_at or window.until
    else:
        source.catching_up_from = None
        source.read_through = window.until
    return is_behind


def read_again(source: Source, since: datetime) -> None:
    """Have the next pulls read everything from ``since`` on once more."""
    source.read_through = source.catching_up_from = since


def overlap(source: Source) -> timedelta:
    return max(2 * timedelta(seconds=source.every_seconds), LEAST_OVERLAP)


def progress(source: Source, now: datetime) -> float | None:
    """The share that was caught up so far; None when nothing is owed."""
    start, through = source.catching_up_from, source.read_through
    if start is None or through is None:
        return None
    return max(0.0, min((through - start) / max(now - start, timedelta(seconds=1)), 1.0))


def _since_points(source: Source) -> datetime | None:
    since = source.watermark - overlap(source) if source.watermark else None
    if source.catching_up_from and since:
        return min(since, source.catching_up_from)
    return since
