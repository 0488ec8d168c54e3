"""What an output held is kept until its date and no longer; what people said of it stays, sealed by its digest."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from ledger import SYSTEM, unit_of_work
from monitoring import verdict_seals
from monitoring.models import Output, ReviewItem
from portfolio.models import UseCase

AT_ONCE = 1000


def forget_payloads(now: datetime | None = None) -> int:
    """Delete payloads past their date, a use case at a time; a review that nobody gave by then is over."""
    moment = now or timezone.now()
    due = Output.objects.filter(payload_until__lte=moment, payload_deleted_at__isnull=True)
    return sum(_forget(pk, moment) for pk in due.order_by().values_list("use_case_id", flat=True).distinct())


def _forget(use_case_id: UUID, now: datetime) -> int:
    forgotten = 0
    while True:
        with unit_of_work(by=SYSTEM) as uow:
            due = Output.objects.filter(use_case=use_case_id, payload_until__lte=now, payload_deleted_at__isnull=True)
            ids = list(due.values_list("pk", flat=True)[:AT_ONCE])
            if not ids:
                return forgotten
            Output.objects.filter(pk__in=ids).update(payload={}, payload_url="", payload_deleted_at=now)
            waiting = ReviewItem.objects.filter(output__in=ids, state=ReviewItem.ItemState.WAITING)
            expired = waiting.update(
                state=ReviewItem.ItemState.EXPIRED, claimed_by=None, claimed_at=None, leased_until=None
            )
            use_case = UseCase.objects.select_related("unit").get(pk=use_case_id)
            after = {"payloads": len(ids), "expired": expired}
            uow.record("outputs.payloads_deleted", subject=use_case, use_case=use_case, after=after)
            verdict_seals.tell(uow, ids)
            forgotten += len(ids)
