"""What monitoring does in the background. Tasks take ids, may run twice, and end in time.

The database says what is owed (``next_due_at``, ``judge_asked_at``, ``silent_after``); a message only wakes a worker
earlier. The sweeps find what a lost message would have done.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from uuid import UUID

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from monitoring import (
    classifying,
    dashboard_retention,
    escalation,
    judging,
    output_retention,
    profiling,
    pulling,
    retention,
    retraining,
    review_measures,
    rollups,
    silence,
)

log = logging.getLogger(__name__)

AT_ONCE = 1000
"""Series judged in one go."""


@shared_task(soft_time_limit=25, time_limit=30)
def pull_due() -> int:
    """Send a worker to every source whose time has come."""
    ids = pulling.due(timezone.now())
    for source_id in ids:
        pull_source.delay(str(source_id))
    return len(ids)


# Shorter than the lease: a worker that hangs is ended before somebody else may pull the same window.
@shared_task(soft_time_limit=200, time_limit=240)
def pull_source(source_id: str) -> int:
    """Pull one source if it is due and free; returns how many points were stored."""
    pulled = pulling.pull(UUID(source_id))
    if pulled is None:
        return 0
    judge_soon(pulled.to_judge)
    if pulled.more:
        pull_soon(UUID(source_id))
    return pulled.stored


@shared_task(soft_time_limit=240, time_limit=300)
def judge_series(series_ids: Sequence[int]) -> int:
    """Judge the rules of these series; returns how many alerts changed."""
    changes = 0
    again: list[int] = []
    for start in range(0, len(series_ids), AT_ONCE):
        judged = judging.judge(series_ids[start : start + AT_ONCE])
        changes += judged.changes
        again += judged.again
    judge_soon(again)
    return changes


@shared_task(soft_time_limit=240, time_limit=300)
def judge_silence() -> int:
    """Alert on series that fell silent or miss values, and ask again for judgements whose message was lost."""
    judge_soon(judging.owed())
    changed = judging.judge(judging.ticking(), announced=False).changes
    return changed + silence.judge_silence()


@shared_task(soft_time_limit=240, time_limit=300)
def chase_alerts() -> int:
    """Wake alerts whose rest is over, and tell of those that nobody answers; returns how many."""
    return escalation.wake_snoozed() + escalation.start_missing_clocks() + escalation.chase_late()


@shared_task(soft_time_limit=240, time_limit=300)
def roll_up_points() -> int:
    """Sum up the hours and days whose points changed; returns of how many series."""
    ids = rollups.due(timezone.now())
    for series_id in ids:
        rollups.roll_up(series_id)
    return len(ids)


@shared_task(soft_time_limit=540, time_limit=600)
def forget_points() -> int:
    """Delete points that are older than their series keeps them; returns how many."""
    return sum(retention.forget(series_id) for series_id in retention.due(timezone.now()))


@shared_task(soft_time_limit=240, time_limit=300)
def measure_reviews(use_case_id: str = "") -> int:
    """Write what reviewers found, of one use case or of all that are owed; returns of how many."""
    ids = [UUID(use_case_id)] if use_case_id else review_measures.owed(timezone.now())
    for pk in ids:
        judge_soon(review_measures.measure(pk))
    return len(ids)


@shared_task(soft_time_limit=540, time_limit=600)
def forget_payloads() -> int:
    """Delete what outputs held when its time is over; the verdicts stay. Returns of how many outputs."""
    return output_retention.forget_payloads(timezone.now())


@shared_task(soft_time_limit=240, time_limit=300)
def forget_dashboards() -> int:
    """Delete dashboards for good that nobody had back in time; returns how many."""
    return dashboard_retention.forget_deleted(timezone.now())


# Longer than the lease moves on for: a scan that tells how far it came keeps its lease, one that hangs loses it.
@shared_task(soft_time_limit=1700, time_limit=1800)
def make_profile(profile_id: str) -> None:
    """Count the rows of one profile, and compare it with its reference."""
    judge_soon(profiling.make(UUID(profile_id)))


@shared_task(soft_time_limit=25, time_limit=30)
def make_owed_profiles() -> int:
    """Send a worker to every profile and comparison of contents whose message or worker was lost."""
    now = timezone.now()
    profiles, contents = profiling.owed(now), classifying.owed(now)
    for profile_id in profiles:
        profile_soon(profile_id)
    for comparison_id in contents:
        compare_content_soon(comparison_id)
    return len(profiles) + len(contents)


def profile_soon(profile_id: UUID) -> None:
    """Wake a worker to make this profile; if the broker is away the sweep will."""
    try:
        make_profile.delay(str(profile_id))
    except (OperationalError, OSError):
        log.warning("the broker is away; the sweep will make profile %s", profile_id)


@shared_task(soft_time_limit=1700, time_limit=1800)
def compare_content(comparison_id: str) -> None:
    """Read texts or embeddings, and tell how well newer ones can be told from the reference."""
    judge_soon(classifying.compare(UUID(comparison_id)))


def compare_content_soon(comparison_id: UUID) -> None:
    """Wake a worker to make this comparison; if the broker is away the sweep will."""
    try:
        compare_content.delay(str(comparison_id))
    except (OperationalError, OSError):
        log.warning("the broker is away; the sweep will make comparison %s", comparison_id)


@shared_task(soft_time_limit=240, time_limit=300)
def watch_retraining() -> int:
    """Ask for retraining where a use case says so, and tell of requests that are late."""
    return retraining.ask_automatically() + retraining.chase_late()


@shared_task(soft_time_limit=60, time_limit=90)
def tell_undelivered(request_id: str, message_id: str = "") -> None:
    """A request never reached one of its receivers: whoever runs it is told."""
    retraining.undelivered(int(request_id), UUID(message_id) if message_id else None)


def judge_soon(series_ids: Iterable[int]) -> None:
    """Wake a worker to judge these series; if the broker is away the sweep will."""
    ids = list(series_ids)
    for start in range(0, len(ids), AT_ONCE):
        try:
            judge_series.delay(ids[start : start + AT_ONCE])
        except (OperationalError, OSError):
            log.warning("the broker is away; the sweep will judge %d series", len(ids) - start)
            return


def pull_soon(source_id: UUID) -> None:
    """Wake a worker to pull this source; if the broker is away the sweep will."""
    try:
        pull_source.delay(str(source_id))
    except (OperationalError, OSError):
        log.warning("the broker is away; the sweep will pull source %s", source_id)


def measure_reviews_soon(use_case_id: UUID) -> None:
    """Wake a worker to write the statistics of a use case; if the broker is away the sweep will."""
    try:
        measure_reviews.delay(str(use_case_id))
    except (OperationalError, OSError):
        log.warning("the broker is away; the sweep will measure the reviews of %s", use_case_id)
