"""Challengers beside champions that drift: one that waits for its verdict, one that was kept out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from gates.demonstration.story import Story
from governance.models import ModelVersion
from governance.services import register_version
from ledger import SYSTEM
from monitoring.models import Comparison
from monitoring.services import decide_comparison, define_comparison, define_series, push_points

SEED = 97
DAYS = 16
WHY_KEPT = (
    "It answers better, but a tenth slower: the service level for calls would break. Try again with the smaller model."
)


def compare_versions(stories: list[Story]) -> None:
    """Two systems that drift, each with a candidate that was retrained."""
    drifting = [s for s in stories if s.health in ("drifting", "breached") and s.stage in ("operations", "production")]
    for story, gain, slower in zip(drifting[1:3], (0.02, 0.015), (0.97, 1.12), strict=False):
        comparison = _compare(story, gain, slower, random.Random(SEED + story.n))  # noqa: S311  # the same every time
        if comparison is not None and slower > 1:
            decide_comparison(comparison=comparison, verdict="keep", reason=WHY_KEPT, by=story.person("technical_lead"))


def _compare(story: Story, gain: float, slower: float, rng: random.Random) -> Comparison | None:
    champion = ModelVersion.objects.select_related("model__use_case__unit").get(model__use_case=story.use_case.pk)
    use_case = champion.model.use_case
    challenger = register_version(
        model=champion.model,
        label="1.1.0",
        by=story.person("data_scientist"),
        change_note="Retrained on the last six months after the inputs had drifted.",
    )
    good, start = float(story.traits.good), story.today - timedelta(days=DAYS)
    for version, quality, latency in (
        (champion, good * 0.985, 610.0),
        (challenger, good * (0.985 + gain), 610 * slower),
    ):
        for metric, usual in ((story.traits.metric, quality), ("latency_p95", latency)):
            series = define_series(use_case=use_case, metric=metric, version=version, by=SYSTEM, created_at=start)
            push_points(batch=list(_points(story, series.pk, usual, rng)), by=SYSTEM, received_at=story.today)
    return define_comparison(
        use_case=use_case,
        champion=champion,
        challenger=challenger,
        kind=Comparison.Kind.SHADOW,
        metric=story.traits.metric,
        guardrails=["latency_p95"],
        min_sample=30,
        min_days=14,
        starts_at=start,
        stated_at=start - timedelta(days=1),
        note="The business owner agreed: two weeks, a certain gain, and no slower answers.",
        by=SYSTEM,
    )


def _points(story: Story, series: int, usual: float, rng: random.Random) -> Iterator[dict[str, Any]]:
    for n in range(DAYS * 4 - 2):
        time = (story.today - timedelta(hours=6 * n + 1)).replace(minute=0, second=0, microsecond=0)
        yield {"series": series, "time": time, "value": round(usual * (1 + rng.gauss(0, 0.006)), 4), "n": 250}
