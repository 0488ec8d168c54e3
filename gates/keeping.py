"""What gates ask monitoring to keep: the points that were the newest when a snapshot was taken."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from gates.models import Snapshot


def moments_of_snapshots(use_case_id: UUID) -> Iterable[datetime]:
    """When facts of this use case were frozen for a decision."""
    return Snapshot.objects.filter(review__use_case=use_case_id).values_list("taken_at", flat=True)
