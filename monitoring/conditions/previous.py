"""Against the window before: the mean of the newest values against the mean of as many before them.

A value is the value of one window of the system that sends it (``window_seconds`` of the series); with a size of 7, a
daily series is compared week against week. Until there are twice as many values as the size, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy, ngettext

from monitoring.comparison import MEASURED_IN, PERCENT, Comparison, change_of
from monitoring.condition import Ground, Reach, Reading, conditions
from monitoring.setting import Setting
from monitoring.wording import with_unit


@conditions.register
class AgainstPrevious(Comparison):
    key: ClassVar[str] = "previous"
    label: ClassVar[Any] = gettext_lazy("Against the window before")
    about: ClassVar[Any] = gettext_lazy("How far the newest values may be from those just before them.")
    order: ClassVar[int] = 30
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "size",
            gettext_lazy("Values in a window"),
            help=gettext_lazy("1 compares each value with the one before; 7 a daily series week by week."),
            default="1",
            least=1,
            most=100,
        ),
        MEASURED_IN,
    )

    @property
    def size(self) -> int:
        return int(self.params["size"])

    def reach(self, every: timedelta) -> Reach:
        return Reach(points=2 * self.size - 1)

    def readings(self, points: Sequence[Any], ground: Ground) -> Iterator[Reading]:
        if self.size == 1:
            yield from super().readings(points, ground)
            return
        in_percent = self.params["measured_in"] == PERCENT
        for position in range(2 * self.size, len(points) + 1):
            newest = _mean(points[position - self.size : position])
            before = _mean(points[position - 2 * self.size : position - self.size])
            change = change_of(newest, before, in_percent=in_percent)
            if change is not None:
                point = points[position - 1]
                yield Reading(point.time, change, n=point.n, shown=newest, against=before)

    def references(self, points: Sequence[Any], ground: Ground) -> Iterator[tuple[Any, float | None]]:
        for before, point in pairwise(points):
            yield point, before.value

    def compared_with(self) -> str:
        return ngettext("the value before", "the %(n)d values before", self.size) % {"n": self.size}

    def reference_words(self, reading: Reading, unit: str) -> str:
        said = ngettext("the value before (%(value)s)", "the mean of the %(n)d values before (%(value)s)", self.size)
        return said % {"n": self.size, "value": with_unit(reading.against, unit)}


def _mean(points: Sequence[Any]) -> float:
    total: float = sum(point.value for point in points)
    return total / len(points)
