"""Against the same weekday of earlier weeks: demand on a Monday is compared with Mondays.

The reference is the median, over the weeks looked at, of the mean value around the same time of the same weekday: as
far around it as half the interval in which values are expected, at most half a day. A median, so that one holiday does
not become the norm. At least half of the weeks must have a value; until then nothing is said.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import accumulate
from statistics import median
from typing import Any, ClassVar

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.comparison import MEASURED_IN, Comparison
from monitoring.condition import Ground, Reach, Reading, conditions
from monitoring.setting import Setting
from monitoring.wording import with_unit

WEEK = timedelta(weeks=1)
MOST_AROUND = timedelta(hours=12)


@conditions.register
class AgainstWeekday(Comparison):
    key: ClassVar[str] = "weekday"
    label: ClassVar[Any] = gettext_lazy("Against the same weekday")
    about: ClassVar[Any] = gettext_lazy("How far the value may be from what is usual on that weekday and at that time.")
    order: ClassVar[int] = 40
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "weeks",
            gettext_lazy("Weeks to look back"),
            help=gettext_lazy("The median of that weekday over so many weeks; half of them must have a value."),
            default="4",
            least=2,
            most=26,
        ),
        MEASURED_IN,
    )

    @property
    def weeks(self) -> int:
        return int(self.params["weeks"])

    def reach(self, every: timedelta) -> Reach:
        around = _around(every)
        return Reach(spans=tuple((week * WEEK + around, week * WEEK - around) for week in range(self.weeks, 0, -1)))

    def references(self, points: Sequence[Any], ground: Ground) -> Iterator[tuple[Any, float | None]]:
        times = [point.time for point in points]
        sums = [0.0, *accumulate(point.value for point in points)]
        around = _around(ground.expected_every)
        for point in points:
            found = []
            for week in range(1, self.weeks + 1):
                moment = point.time - week * WEEK
                start, end = bisect_left(times, moment - around), bisect_right(times, moment + around)
                if end > start:
                    found.append((sums[end] - sums[start]) / (end - start))
            yield point, median(found) if 2 * len(found) >= self.weeks else None

    def compared_with(self) -> str:
        return _("what is usual on that weekday")

    def reference_words(self, reading: Reading, unit: str) -> str:
        words = {"day": date_format(reading.time, "l"), "value": with_unit(reading.against, unit)}
        return _("what is usual on a %(day)s (%(value)s)") % words


def _around(every: timedelta) -> timedelta:
    return min(every / 2, MOST_AROUND) if every else MOST_AROUND
