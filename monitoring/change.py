"""What the conditions share that look for a change in a stream of values, such as labelled results that come in late.

A stream is judged over its newest values only, so that a change that was answered is forgotten in time, and a reading
can be repeated for any moment of the past.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.condition import Condition, Ground, Reach, Reading
from monitoring.rules import ACT, LTE, Limits, limit_problems
from monitoring.setting import Setting
from monitoring.wording import number, with_unit

LEAST = 20
"""Values below which nothing is said."""


def window_setting(default: str) -> Setting:
    return Setting(
        "window",
        gettext_lazy("Newest values looked at"),
        help=gettext_lazy("An older change is forgotten. Twenty values are needed before anything is said."),
        default=default,
        least=30,
        most=500,
    )


class Change(Condition):
    """A condition whose reading says how sure it is that the newest values differ from those before."""

    ways: ClassVar[tuple[tuple[str, Any], ...]] = ((LTE, gettext_lazy("must stay below")),)
    settings: ClassVar[tuple[Setting, ...]] = (window_setting("60"),)

    @property
    def window(self) -> int:
        return int(self.params["window"])

    def problems(self, rule: Limits) -> dict[str, list[str]]:
        if rule.op != LTE:
            return {"op": [_("Only “must stay below” is possible here.")]}
        return limit_problems(rule)

    def reach(self, every: timedelta) -> Reach:
        return Reach(points=self.window - 1)

    def readings(self, points: Sequence[Any], ground: Ground) -> Iterator[Reading]:
        values = [point.value for point in points]
        for index, point in enumerate(points):
            recent = values[max(0, index + 1 - self.window) : index + 1]
            if len(recent) >= LEAST:
                value, before = self.strength(recent)
                yield Reading(point.time, value, n=point.n, shown=point.value, against=before)

    @abstractmethod
    def strength(self, values: Sequence[float]) -> tuple[float, float]:
        """How strong the change within these values is, and the mean before it."""

    def asks(self, rule: Limits, level: str, unit: str) -> str:
        limit = rule.act if level == ACT else rule.warn
        return "" if limit is None else _("a change below %(limit)s") % {"limit": number(limit)}

    def says(self, rule: Limits, level: str, reading: Reading, *, name: str, unit: str) -> str:
        said = _("%(name)s changed: it is %(value)s and was about %(before)s (%(strength)s, limit %(limit)s).")
        limit = rule.act if level == ACT else rule.warn
        return said % {
            "name": name,
            "value": with_unit(reading.shown, unit),
            "before": with_unit(None if reading.against is None else float(f"{reading.against:.4g}"), unit),
            "strength": f"{reading.value:.3g}",
            "limit": number(limit or 0.0),
        }

    def limit_value(self, rule: Limits, level: str, reading: Reading) -> float | None:
        return None

    def limit_unit(self, unit: str) -> str:
        return ""
