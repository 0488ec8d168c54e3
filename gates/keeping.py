"""What gates ask monitoring to keep: the points that were the newest when a decision was made."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from gates.models import BreachDecision, Snapshot


def moments_of_snapshots(use_case_id: UUID) -> Iterable[datetime]:
    """When facts of this use case were frozen for a decision."""
    return Snapshot.objects.filter(review__use_case=use_case_id).values_list("taken_at", flat=True)


def moments_of_breaches(use_case_id: UUID) -> Iterable[datetime]:
    """When it was decided what is done after a breach."""
    rows = BreachDecision.objects.filter(use_case=use_case_id, decided_at__isnull=False)
    return [decided for decided in rows.values_list("decided_at", flat=True) if decided is not None]
