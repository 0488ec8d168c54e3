"""The demonstration is made at any hour: what it tells of has happened by then."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine

from gates.demonstration import drift
from gates.demonstration.story import Story
from monitoring.models import DataProfile, DriftReport
from tests.factories.accounts import person_with
from tests.factories.portfolio import UseCaseFactory


@pytest.mark.parametrize(
    ("now", "struck"),
    [
        (datetime(2026, 11, 22, 0, 30, tzinfo=UTC), datetime(2026, 11, 21, 4, tzinfo=UTC)),
        (datetime(2026, 11, 22, 4, 0, tzinfo=UTC), datetime(2026, 11, 22, 4, tzinfo=UTC)),
        (datetime(2026, 11, 22, 23, 59, tzinfo=UTC), datetime(2026, 11, 22, 4, tzinfo=UTC)),
    ],
)
def test_the_clock_struck_before_now(now: datetime, struck: datetime) -> None:
    told: Any = SimpleNamespace(today=now)
    assert Story.latest(told, 4) == struck


@pytest.mark.django_db
def test_weekly_profiles_are_made_just_after_midnight() -> None:
    now = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        use_case = UseCaseFactory.create()
        lead = person_with("technical_lead", use_case)
        story: Any = SimpleNamespace(use_case=use_case, n=1, person=lambda _role: lead, today=now)
        story.latest = lambda hour: Story.latest(story, hour)
        drift._profile(story, moves=True)
    weeks = DataProfile.objects.filter(window_end__isnull=False)
    assert weeks.count() == DriftReport.objects.count() == drift.WEEKS
    assert max(week.window_end for week in weeks if week.window_end) == datetime(2026, 11, 21, 4, tzinfo=UTC)
