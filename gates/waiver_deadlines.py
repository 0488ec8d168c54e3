"""Waivers that end soon, or have just ended: who asked for one is told in time to renew it or to meet the criterion."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.people import holders
from gates.models import Waiver
from notify.services import tell

WARNINGS = (7, 30)
"""Days before the end, the nearest first."""
JUST_ENDED = timedelta(days=7)
OWNERS = ("business_owner", "technical_lead")


def remind_of_ends(*, at: datetime | None = None) -> int:
    """Tell of each warning once a person, however often this runs. Returns how many notices are new."""
    moment = at or timezone.now()
    rows = Waiver.objects.filter(
        state=Waiver.State.APPROVED,
        expires_at__gt=moment - JUST_ENDED,
        expires_at__lte=moment + timedelta(days=max(WARNINGS)),
    ).exclude(renewed_by__state=Waiver.State.APPROVED)
    return sum(_remind(waiver, moment) for waiver in rows.select_related("use_case__unit", "requested_by"))


def _remind(waiver: Waiver, moment: datetime) -> int:
    left = waiver.expires_at - moment
    ended = left <= timedelta(0)
    stage = 0 if ended else next(days for days in WARNINGS if left <= timedelta(days=days))
    if not ended and waiver.settled_at and waiver.expires_at - waiver.settled_at <= timedelta(days=stage):
        return 0  # it was granted for less than the warning: everybody knows
    people = {waiver.requested_by_id: waiver.requested_by}
    if ended:
        people.update({p.pk: p for role in OWNERS for p in holders(role=role, use_case=waiver.use_case)})
    on = f"{waiver.expires_at:%-d %b %Y}"
    with transaction.atomic():
        told = tell(
            recipients=list(people.values()),
            kind="waiver.expired" if ended else "waiver.expiring",
            title=f"{waiver} {'ended' if ended else 'ends'} on {on}: {waiver.criterion} of {waiver.use_case.key}",
            body=f"{waiver.use_case.name}. Meet the criterion{'' if waiver.renews_id else ', or ask for a renewal'}.",
            url=f"/gates/waivers/{waiver.number}/",
            dedupe_key=f"waiver-{waiver.number}-{stage}",
        )
    return len(told)
