"""Reading review calls and emergency releases: what a person may see, and what is owed right now."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.db.models import QuerySet

from accounts.access import for_user
from accounts.models import User
from gates.models import EmergencyRelease, ReviewCall
from portfolio.models import UseCase

OPEN = (EmergencyRelease.State.REQUESTED, EmergencyRelease.State.ACTIVE)


def calls_for(user: User) -> QuerySet[ReviewCall, ReviewCall]:
    """Review calls of the use cases that a person may see."""
    return for_user(ReviewCall.objects.select_related("use_case__unit", "settled_by"), user, "use_case.view")


def calls_of(use_case: UseCase) -> list[ReviewCall]:
    """The open calls of a use case, by their day; read once for a page."""
    kept: list[ReviewCall] | None = getattr(use_case, "_open_calls", None)
    if kept is None:
        kept = list(ReviewCall.objects.filter(use_case=use_case, settled_at__isnull=True).order_by("due_at"))
        use_case._open_calls = kept  # type: ignore[attr-defined]  # the tab and the card ask in one request
    return kept


def releases_for(user: User) -> QuerySet[EmergencyRelease, EmergencyRelease]:
    """Emergency releases of the use cases that a person may see."""
    rows = EmergencyRelease.objects.select_related("use_case__unit", "requested_by", "answered_by", "incident", "call")
    return for_user(rows, user, "use_case.view")


def standing_release(use_case: UseCase, now: datetime) -> EmergencyRelease | None:
    """The one that is asked for or holds, if there is one; one whose time is up is not, whatever its row says yet."""
    found = _open_release(use_case)
    if found is not None and found.ends_at is not None and found.ends_at <= now:
        return None
    return found


def _open_release(use_case: UseCase) -> EmergencyRelease | None:
    if not hasattr(use_case, "_open_release"):
        rows = EmergencyRelease.objects.filter(use_case=use_case, state__in=OPEN)
        found = rows.select_related("use_case__unit", "requested_by", "answered_by", "incident", "call").first()
        use_case._open_release = found  # type: ignore[attr-defined]  # the tab and the card ask in one request
    return cast("EmergencyRelease | None", use_case._open_release)  # type: ignore[attr-defined]
