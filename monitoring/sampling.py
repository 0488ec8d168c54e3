"""Which outputs people look at: drawn by a hash of what they are called, so that a repeat draws the same.

Outputs of one case are drawn together: two versions that answered it can be compared case by case.

The random share comes first and is drawn from all outputs alike: only what is drawn so says something about all of
them. Low confidence and quotas of segments add what is worth a look; statistics keep them apart. The most of a day cuts
off in that order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitoring.models import ReviewItem, SamplingPlan
from monitoring.output_wire import Handed

Why = ReviewItem.Why
_RANK = {Why.RANDOM: 0, Why.CONFIDENCE: 1, Why.SEGMENT: 2}


@dataclass(frozen=True, slots=True)
class Drawn:
    """An output of the sample: its place in the batch, why it was drawn, and whether two people review it."""

    index: int
    why: str
    twice: bool


def lot(seed: str, purpose: str, external_id: str) -> float:
    """A number in [0, 1) that the same seed, purpose and identifier always give: the first 53 bits of SHA-256."""
    hashed = hashlib.sha256(f"{seed}\n{purpose}\n{external_id}".encode()).digest()
    return (int.from_bytes(hashed[:8]) >> 11) / 2**53


def draw(
    plan: SamplingPlan, outputs: Sequence[Handed], *, today: int, today_by_segment: Mapping[str, int]
) -> list[Drawn]:
    """The sample of ``outputs``. ``today`` is how many were drawn today, ``today_by_segment`` how many by quota."""
    if not plan.enabled:
        return []
    filled = Counter(today_by_segment)
    wanted: list[tuple[int, float, int, str]] = []
    for number, index in sorted((lot(plan.seed, "order", output.external_id), i) for i, output in enumerate(outputs)):
        why = _why(plan, outputs[index], filled)
        if why:
            first = outputs[index].confidence or 0.0 if why == Why.CONFIDENCE else number
            wanted.append((_RANK[Why(why)], first, index, why))
    room = max(plan.most_per_day - today, 0)
    return sorted(
        (
            Drawn(index, why, lot(plan.seed, "twice", outputs[index].external_id) * 100 < plan.double_percent)
            for _rank, _first, index, why in sorted(wanted)[:room]
        ),
        key=lambda drawn: drawn.index,
    )


def _why(plan: SamplingPlan, output: Handed, filled: Counter[str]) -> str:
    if lot(plan.seed, "random", output.case_id or output.external_id) * 100 < plan.random_percent:
        return Why.RANDOM
    below = plan.below_confidence
    if below is not None and output.confidence is not None and output.confidence < below:
        return Why.CONFIDENCE
    quota = plan.segment_quotas.get(output.segment, 0) if output.segment else 0
    if filled[output.segment] < quota:
        filled[output.segment] += 1
        return Why.SEGMENT
    return ""
