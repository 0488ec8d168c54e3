"""What has to be tidied up now and then."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from accounts.models import IdempotencyRecord

ANSWERS_ARE_KEPT = timedelta(hours=24)


@shared_task(time_limit=120, soft_time_limit=100)
def forget_answers() -> int:
    """Drop stored answers to idempotent writes that are older than a day; returns how many."""
    old = IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - ANSWERS_ARE_KEPT)
    count, _by_model = old.delete()
    return count
