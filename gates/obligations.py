"""Reading review calls and emergency releases: what a person may see, and what is owed right now."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from accounts.access import for_user
from accounts.models import User
from gates.models import EmergencyRelease, ReviewCall
from portfolio.models import UseCase

OPEN = (EmergencyRelease.State.REQUESTED, EmergencyRelease.State.ACTIVE)


def calls_for(user: User) -> QuerySet[ReviewCall, ReviewCall]:
    """Review calls of the use cases that a person may see."""
    return for_user(ReviewCall.objects.select_related("use_case__unit", "settled_by"), user, "use_case.view")


def open_calls(use_case: UseCase) -> list[ReviewCall]:
    return list(ReviewCall.objects.filter(use_case=use_case, settled_at__isnull=True).order_by("due_at"))


def releases_for(user: User) -> QuerySet[EmergencyRelease, EmergencyRelease]:
    """Emergency releases of the use cases that a person may see."""
    rows = EmergencyRelease.objects.select_related("use_case__unit", "requested_by", "answered_by", "incident", "call")
    return for_user(rows, user, "use_case.view")


def standing_release(use_case: UseCase, now: datetime) -> EmergencyRelease | None:
    """The one that is asked for or holds, if there is one; one whose time is up is not, whatever its row says yet."""
    rows = EmergencyRelease.objects.filter(use_case=use_case, state__in=OPEN)
    found = rows.select_related("use_case__unit", "requested_by", "answered_by", "incident", "call").first()
    if found is not None and found.ends_at is not None and found.ends_at <= now:
        return None
    return found
