"""Notices of one person, read."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import User
from notify.models import Notice
from notify.topics import OTHER, TOPICS, nouns_of

MOST_COUNTED = 99


def notices_of(user: User) -> QuerySet[Notice]:
    return Notice.objects.filter(recipient=user.pk)


def about(rows: QuerySet[Notice], topic: str) -> QuerySet[Notice]:
    """Those about one topic; what belongs to no other topic is about "other"."""
    if topic != OTHER:
        return rows.filter(_any_of(nouns_of(topic)))
    known = [noun for key in TOPICS if key != OTHER for noun in nouns_of(key)]
    return rows.exclude(_any_of(known))


def unread_count(user: User) -> int:
    """How many notices wait, counted to one more than ``MOST_COUNTED`` at most: one query on the inbox index."""
    return notices_of(user).filter(read_at__isnull=True).order_by()[: MOST_COUNTED + 1].count()


def _any_of(nouns: tuple[str, ...] | list[str]) -> Q:
    condition = Q(pk__in=[])
    for noun in nouns:
        condition |= Q(kind=noun) | Q(kind__startswith=f"{noun}.")
    return condition
