"""A fixed limit on the value: at least, at most, or within a band."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.condition import Condition, Ground, Reading, conditions, reading_of
from monitoring.rules import BETWEEN, GTE, LTE, Limits, limit_problems, limits_of
from monitoring.wording import number, with_unit


@conditions.register
class Threshold(Condition):
    key: ClassVar[str] = "threshold"
    label: ClassVar[Any] = gettext_lazy("A fixed limit")
    about: ClassVar[Any] = gettext_lazy("The value must be at least, at most or between what you give.")
    order: ClassVar[int] = 10
    ways: ClassVar[tuple[tuple[str, Any], ...]] = (
        (GTE, gettext_lazy("must be at least")),
        (LTE, gettext_lazy("must be at most")),
        (BETWEEN, gettext_lazy("must lie between")),
    )
    has_band: ClassVar[bool] = True

    def problems(self, rule: Limits) -> dict[str, list[str]]:
        return limit_problems(rule)

    def readings(self, points: Sequence[Any], ground: Ground) -> Iterator[Reading]:
        for point in points:
            yield reading_of(point, point.value)

    def asks(self, rule: Limits, level: str, unit: str) -> str:
        low, high = limits_of(rule, level)
        if low is None:
            return ""
        if rule.op == BETWEEN:
            return _("between %(low)s and %(high)s") % {"low": number(low), "high": with_unit(high, unit)}
        words = _("at least %(limit)s") if rule.op == GTE else _("at most %(limit)s")
        return words % {"limit": with_unit(low, unit)}

    def says(self, rule: Limits, level: str, reading: Reading, *, name: str, unit: str) -> str:
        said = _("%(name)s is %(value)s; it should be %(limit)s.")
        return said % {"name": name, "value": with_unit(reading.value, unit), "limit": self.asks(rule, level, unit)}
