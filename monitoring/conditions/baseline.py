"""Against the baseline of the series: the value at approval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.comparison import Comparison
from monitoring.condition import Ground, Reading, conditions
from monitoring.wording import with_unit


@conditions.register
class AgainstBaseline(Comparison):
    key: ClassVar[str] = "baseline"
    label: ClassVar[Any] = gettext_lazy("Against the baseline")
    about: ClassVar[Any] = gettext_lazy("How far the value may be from the baseline of the series.")
    order: ClassVar[int] = 20
    needs_baseline: ClassVar[bool] = True

    def references(self, points: Sequence[Any], ground: Ground) -> Iterator[tuple[Any, float | None]]:
        for point in points:
            yield point, ground.baseline

    def compared_with(self) -> str:
        return _("the baseline")

    def reference_words(self, reading: Reading, unit: str) -> str:
        return _("the baseline of %(value)s") % {"value": with_unit(reading.against, unit)}
