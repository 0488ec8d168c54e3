"""References and weekly drift reports of systems in use, made by the services: some stay as they were, one moves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from gates.demonstration.story import Story
from ledger import SYSTEM
from monitoring.comparing import Role
from monitoring.profiles import Profile
from monitoring.profiles.files import count, survey
from monitoring.profiles.held import Held
from monitoring.profiles.wire import as_json
from monitoring.services import push_profile
from monitoring.services.places import Window
from monitoring.services.profiles import Wanted
from monitoring.tasks import make_profile
from portfolio.models import UseCase

WEEKS = 6
REFERENCE_ROWS, WEEK_ROWS = 12_000, 2_500
COUNTED_AT = 4
KINDS = ("classifier", "forecaster")


def profile_inputs(stories: list[Story]) -> None:
    """One system whose inputs drift, and one whose inputs do not."""
    running = [s for s in stories if s.stage in ("operations", "production") and s.kind in KINDS]
    drifting = [s for s in running if s.health == "drifting"]
    calm = [s for s in running if s.health == "good"]
    for story, moves in [(s, True) for s in drifting[:1]] + [(s, False) for s in calm[:1]]:
        _profile(story, moves=moves)


def _profile(story: Story, *, moves: bool) -> None:
    use_case = UseCase.objects.select_related("unit").get(pk=story.use_case.pk)
    lead = story.person("technical_lead")
    rows = Held(_inputs(REFERENCE_ROWS, seed=story.n, moved=0.0))
    reference = count(rows, survey(rows))
    push_profile(
        use_case=use_case,
        name="Training and validation data",
        told=as_json(reference),
        as_reference=Wanted(terms={"roles": {"score": Role.SCORE.value}, "watched": ["amount"]}),
        by=lead,
    )
    newest = story.latest(COUNTED_AT)
    for ago in range(WEEKS - 1, -1, -1):
        end = newest - timedelta(days=7 * ago)
        moved = max(0.0, (3 - ago) / 3) if moves else 0.0
        _week(use_case, reference, end, story.n * 100 + ago, moved)


def _week(use_case: UseCase, reference: Profile, end: datetime, seed: int, moved: float) -> None:
    now = count(Held(_inputs(WEEK_ROWS, seed=seed, moved=moved)), reference.as_reference())
    start = end - timedelta(days=7)
    sent = push_profile(
        use_case=use_case,
        name=f"Requests of {start:%-d %b} to {end:%-d %b}",
        told=as_json(now),
        window=Window(start, end),
        by=SYSTEM,
    )
    make_profile(str(sent.pk))


def _inputs(rows: int, *, seed: int, moved: float) -> dict[str, Any]:
    """Cases as such a model sees them. ``moved`` from 0 to 1: amounts rise, a channel is new, answers get lost."""
    chance = np.random.default_rng(seed)
    channels = ["letter", "phone", "portal", "app"]
    usual, later = np.array([0.25, 0.35, 0.4, 0.0]), np.array([0.1, 0.25, 0.4, 0.25])
    income = chance.lognormal(7.9, 0.35, rows)
    income[chance.random(rows) < 0.01 + 0.06 * moved] = np.nan
    return {
        "age": pa.array(np.clip(chance.normal(46, 14, rows), 18, 97).round().astype(np.int64)),
        "amount": pa.array(chance.lognormal(6.2 + 0.55 * moved, 0.8, rows).round(2)),
        "income": pa.array(income),
        "days_since_contract": pa.array(chance.gamma(2.2, 410, rows).round()),
        "earlier_cases": pa.array(chance.poisson(0.8 + 0.6 * moved, rows)),
        "words_in_letter": pa.array(chance.gamma(3, 60, rows).round()),
        "channel": pa.array(chance.choice(channels, rows, p=usual * (1 - moved) + later * moved)),
        "region": pa.array(chance.choice(["north", "east", "south", "west"], rows, p=[0.3, 0.25, 0.25, 0.2])),
        "weekday": pa.array(chance.choice(["Mon", "Tue", "Wed", "Thu", "Fri"], rows)),
        "has_attachment": pa.array(chance.random(rows) < 0.62),
        "customer_for_years": pa.array(chance.exponential(6, rows).round(1)),
        "score": pa.array(chance.beta(2 + 0.5 * moved, 5 - moved, rows)),
    }
