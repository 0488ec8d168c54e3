"""Values that should have come and did not: how many of the last so many expected ones are missing.

Between two values that are g intervals apart, g - 1 are missing (rounded, so that half an interval late is not
missing); after the newest one, another is missing one and a half intervals later, and so on. A silent series has an
alert of its own in any case; this rule also sees the holes that are left when it reports again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from monitoring.condition import Condition, Ground, Reach, Reading, conditions
from monitoring.rules import ACT, LTE, Limits, limit_problems
from monitoring.setting import Setting


@conditions.register
class Missing(Condition):
    key: ClassVar[str] = "missing"
    label: ClassVar[Any] = gettext_lazy("Missing values")
    about: ClassVar[Any] = gettext_lazy("How many of the values that are expected may fail to come.")
    order: ClassVar[int] = 50
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "windows",
            gettext_lazy("Of the last expected values"),
            help=gettext_lazy("How many expected values are looked at, such as the last 10."),
            default="10",
            least=1,
            most=1000,
        ),
    )
    ways: ClassVar[tuple[tuple[str, Any], ...]] = ((LTE, gettext_lazy("may be missing at most")),)
    limit_help: ClassVar[Any] = gettext_lazy("How many of them may be missing.")
    needs_interval: ClassVar[bool] = True
    ticks: ClassVar[bool] = True
    counts_sample: ClassVar[bool] = False

    @property
    def windows(self) -> int:
        return int(self.params["windows"])

    def problems(self, rule: Limits) -> dict[str, list[str]]:
        if rule.op != LTE:
            return {"op": [_("Only “may be missing at most” is possible here.")]}
        if rule.min_n:
            return {"min_n": [_("A value that is missing has no observations.")]}
        for name in ("warn", "act", "clear"):
            limit = getattr(rule, name)
            if limit is not None and not 0 <= limit < self.windows:
                return {name: [_("Give 0 or more, and less than the %(n)d looked at.") % {"n": self.windows}]}
        return limit_problems(rule)

    def reach(self, every: timedelta) -> Reach:
        return Reach(points=self.windows + 1)

    def readings(self, points: Sequence[Any], ground: Ground) -> Iterator[Reading]:
        every = ground.expected_every
        if not every or not points:
            return
        span = self.windows * every
        gaps: deque[datetime] = deque()  # when each missing value was missed
        for index, point in enumerate(points):
            after = points[index + 1].time if index + 1 < len(points) else ground.until
            yield self._reading(point.time, gaps, span, shown=point.value)
            for missed in _missed(point.time, after, every, most=self.windows, closed=index + 1 < len(points)):
                gaps.append(missed)
                yield self._reading(missed, gaps, span)

    def _reading(self, time: datetime, gaps: deque[datetime], span: timedelta, shown: float | None = None) -> Reading:
        while gaps and gaps[0] <= time - span:
            gaps.popleft()
        return Reading(time, float(min(len(gaps), self.windows)), shown=shown)

    def asks(self, rule: Limits, level: str, unit: str) -> str:
        limit = rule.act if level == ACT else rule.warn
        if limit is None:
            return ""
        said = _("at most %(limit)d of the last %(windows)d missing")
        return said % {"limit": int(limit), "windows": self.windows}

    def says(self, rule: Limits, level: str, reading: Reading, *, name: str, unit: str) -> str:
        missing = int(reading.value)
        said = ngettext(
            "%(name)s: %(missing)d of the last %(windows)d expected values is missing; at most %(limit)d may be.",
            "%(name)s: %(missing)d of the last %(windows)d expected values are missing; at most %(limit)d may be.",
            missing,
        )
        limit = rule.act if level == ACT else rule.warn
        return said % {"name": name, "missing": missing, "windows": self.windows, "limit": int(limit or 0)}

    def limit_value(self, rule: Limits, level: str, reading: Reading) -> float | None:
        return None

    def limit_unit(self, unit: str) -> str:
        return _("values")


def _missed(since: datetime, until: datetime, every: timedelta, *, most: int, closed: bool) -> Iterator[datetime]:
    """When values were missed between two moments, the newest ``most`` of them.

    Closed by a value, the last half interval before it counts as that value being early or late.
    """
    count = round((until - since) / every) - 1 if closed else int((until - since) / every - 0.5)
    for number in range(max(1, count - most + 1), count + 1):
        moment = since + (number + 0.5) * every
        yield min(moment, until)
