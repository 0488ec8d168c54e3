"""What becomes of a source after a pull: working, failing, or stopped by the breaker until a cool-down is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.people import holders
from ledger import UnitOfWork, state
from monitoring.connector import ConnectorError
from monitoring.models import Source
from notify.services import tell

BREAK_AFTER = 5
COOL_DOWN = timedelta(minutes=30)
TOLD = ("technical_lead", "it_operations")
FIELDS = ("health", "failures", "last_error", "next_due_at")
HEALTH = (*FIELDS, "error_kind", "failing_since")


def backoff(every_seconds: int, failures: int) -> timedelta:
    """How long to wait after so many failures in a row: doubling, then the cool-down of the breaker."""
    if failures >= BREAK_AFTER:
        return max(COOL_DOWN, timedelta(seconds=every_seconds))
    return min(timedelta(seconds=every_seconds * 2**failures), COOL_DOWN)


def note_success(uow: UnitOfWork, source: Source, now: datetime, next_due_at: datetime) -> None:
    """Set the fields of health; saved by whoever ends the lease. Recorded when it had failed before."""
    before = state(source, FIELDS)
    recovered = source.health in {Source.Health.FAILING, Source.Health.BROKEN}
    source.health, source.failures, source.last_error = Source.Health.OK, 0, ""
    source.error_kind, source.failing_since = "", None
    source.last_success_at, source.next_due_at = now, next_due_at
    if recovered:
        uow.record(
            "source.recovered", subject=source, use_case=source.use_case, before=before, after=state(source, FIELDS)
        )


def note_failure(uow: UnitOfWork, source: Source, error: ConnectorError, now: datetime) -> None:
    """Count a failure; recorded when the health changes, not once more every few minutes."""
    before, health = state(source, FIELDS), source.health
    source.failures += 1
    source.last_error, source.error_kind = error.message[:1000], error.kind
    source.failing_since = source.failing_since or now
    is_broken = source.failures >= BREAK_AFTER
    source.health = Source.Health.BROKEN if is_broken else Source.Health.FAILING
    source.next_due_at = now + backoff(source.every_seconds, source.failures)
    if source.health != health:
        action = "source.broken" if is_broken else "source.failed"
        uow.record(action, subject=source, use_case=source.use_case, before=before, after=state(source, FIELDS))
        if is_broken:
            _tell(source, now)


def _tell(source: Source, now: datetime) -> None:
    people = {person.pk: person for role in TOLD for person in holders(role=role, use_case=source.use_case)}
    tell(
        recipients=people.values(),
        kind="alert.source_broken",
        title=_("Source stopped after repeated failures: %(name)s") % {"name": source.name},
        body=source.last_error,
        url=reverse("monitoring:source", args=[source.pk]),
        dedupe_key=f"source.broken:{source.pk}:{now.isoformat()}",
    )
