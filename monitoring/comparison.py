"""What conditions share that compare a value with another one: how far it may fall, rise or move away from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.condition import Condition, Ground, Reading, reading_of
from monitoring.rules import ACT, BETWEEN, GTE, LTE, Draft, Limits, limit_problems
from monitoring.setting import Setting
from monitoring.wording import with_unit

PERCENT, ABSOLUTE = "percent", "absolute"
MEASURED_IN = Setting(
    "measured_in",
    gettext_lazy("Measured in"),
    help=gettext_lazy("Percent of what it is compared with; or the difference in the unit of the series."),
    default=PERCENT,
    choices=((PERCENT, gettext_lazy("percent")), (ABSOLUTE, gettext_lazy("the unit of the series"))),
)


class Comparison(Condition):
    """Limits are sizes: 5 with "must not fall" means that it may be at most 5 below.

    A change in percent is relative to the absolute value of what it is compared with; against 0 there is none, and
    nothing is said.
    """

    ways: ClassVar[tuple[tuple[str, Any], ...]] = (
        (GTE, gettext_lazy("must not fall below it")),
        (LTE, gettext_lazy("must not rise above it")),
        (BETWEEN, gettext_lazy("must not move away from it")),
    )
    settings: ClassVar[tuple[Setting, ...]] = (MEASURED_IN,)
    limit_help: ClassVar[Any] = gettext_lazy("How far it may go, without a sign, in what it is measured in.")

    @abstractmethod
    def references(self, points: Sequence[Any], ground: Ground) -> Iterator[tuple[Any, float | None]]:
        """Each point with what it is compared with; None where that is not known."""

    @abstractmethod
    def reference_words(self, reading: Reading, unit: str) -> str:
        """What it was compared with, such as "the baseline of 0.87"."""

    def readings(self, points: Sequence[Any], ground: Ground) -> Iterator[Reading]:
        in_percent = self.params["measured_in"] == PERCENT
        for point, reference in self.references(points, ground):
            change = None if reference is None else change_of(point.value, reference, in_percent=in_percent)
            if change is not None:
                yield reading_of(point, change, reference)

    def held(self, rule: Limits) -> Limits:
        """The limits as a band around 0, open on the side that is of no interest."""
        low, high = rule.op in {GTE, BETWEEN}, rule.op in {LTE, BETWEEN}
        edges: dict[str, float | None] = {}
        for name in ("warn", "act", "clear"):
            size = getattr(rule, name)
            edges[name] = None if size is None or not low else -size
            edges[f"{name}_high"] = None if size is None or not high else size
        return Draft(BETWEEN, needed=rule.needed, among=rule.among, min_n=rule.min_n, **edges)

    def problems(self, rule: Limits) -> dict[str, list[str]]:
        for name in ("warn", "act", "clear"):
            size = getattr(rule, name)
            if size is not None and size < 0:
                return {name: [_("Give how far it may go, without a sign.")]}
        for name in ("warn_high", "act_high", "clear_high"):
            if getattr(rule, name) is not None:
                return {name: [_("An upper limit belongs to a fixed band only.")]}
        if rule.warn is not None and rule.act is not None and rule.act < rule.warn:
            return {"act": [_("Act cannot be smaller than warn, or it would act before it warns.")]}
        if rule.op not in dict(self.ways):
            return {"op": [_("Choose what must not happen.")]}
        # Sizes are limits on a change that may be at most so large.
        same = {name: getattr(rule, name) for name in ("warn", "act", "clear", "needed", "among", "min_n")}
        return limit_problems(Draft(LTE, **same))

    def asks(self, rule: Limits, level: str, unit: str) -> str:
        size = rule.act if level == ACT else rule.warn
        if size is None:
            return ""
        words = {
            GTE: _("at most %(size)s below %(reference)s"),
            LTE: _("at most %(size)s above %(reference)s"),
            BETWEEN: _("at most %(size)s away from %(reference)s"),
        }[rule.op]
        return words % {"size": with_unit(size, self.limit_unit(unit)), "reference": self.compared_with()}

    def says(self, rule: Limits, level: str, reading: Reading, *, name: str, unit: str) -> str:
        said = (
            _("%(name)s is %(value)s, %(change)s below %(reference)s; at most %(limit)s is allowed.")
            if reading.value < 0
            else _("%(name)s is %(value)s, %(change)s above %(reference)s; at most %(limit)s is allowed.")
        )
        own = self.limit_unit(unit)
        return said % {
            "name": name,
            "value": with_unit(reading.shown, unit),
            "change": with_unit(float(f"{abs(reading.value):.3g}"), own),
            "reference": self.reference_words(reading, unit),
            "limit": with_unit(rule.act if level == ACT else rule.warn, own),
        }

    def limit_value(self, rule: Limits, level: str, reading: Reading) -> float | None:
        size, reference = super().limit_value(rule, level, reading), reading.against
        if size is None or reference is None:
            return None
        return reference + (size / 100 * abs(reference) if self.params["measured_in"] == PERCENT else size)

    @abstractmethod
    def compared_with(self) -> str:
        """What it is compared with, without its value: "the baseline"."""

    def limit_unit(self, unit: str) -> str:
        return "%" if self.params["measured_in"] == PERCENT else unit


def change_of(value: float, reference: float, *, in_percent: bool) -> float | None:
    """How far the value is from the reference. To 12 digits: 0.76 is 5 % below 0.8, not 5.000000000000004."""
    if in_percent and reference == 0:
        return None
    change = value - reference
    return float(f"{change / abs(reference) * 100 if in_percent else change:.12g}")
