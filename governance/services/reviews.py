"""Specialist reviews that start early, and reviews of access."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.models import AccessReview, SpecialistReview
from governance.services.permission import Actor, account, allow_any, hold, person
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import state, unit_of_work
from portfolio.models import UseCase
from portfolio.signals import announce_change

SHOWN = ("area", "due_on", "closed_at", "closed_by", "outcome")
MAY_OPEN = ("use_case.edit", "risk.classify", "evidence.verify")
SPECIALIST: Mapping[str, str] = {
    SpecialistReview.Area.PRIVACY: "legal_privacy",
    SpecialistReview.Area.SECURITY: "security",
    SpecialistReview.Area.COMPLIANCE: "risk_compliance",
}
ACCESS_REVIEWERS = ("security", "risk_compliance", "system_admin", "it_operations")


def open_specialist_review(*, use_case: UseCase, area: str, by: Actor, due_on: date | None = None) -> SpecialistReview:
    """Start a privacy, security or compliance review now, not later."""
    if area not in SpecialistReview.Area.values:
        message = _("Choose one of %(areas)s.") % {"areas": ", ".join(SpecialistReview.Area.values)}
        raise Invalid(message, errors={"area": [message]})
    allow_any(by, MAY_OPEN, use_case)
    with unit_of_work(by=by) as uow:
        lock_rows(UseCase.objects.filter(pk=use_case.pk)).get()
        if SpecialistReview.objects.filter(use_case=use_case, area=area, closed_at__isnull=True).exists():
            raise Conflict(_("This review is open already."))
        review = SpecialistReview.objects.create(
            use_case=use_case, area=area, opened_by=account(by), opened_at=timezone.now(), due_on=due_on
        )
        uow.record("specialist_review.opened", subject=review, use_case=use_case, after=state(review, SHOWN))
        announce_change(uow, use_case.pk, "evidence")
    return review


def close_specialist_review(*, review: SpecialistReview, outcome: str, by: Actor) -> SpecialistReview:
    """The specialist of the area says how it ended."""
    someone = person(by)
    hold(by, [SPECIALIST[review.area]], review.use_case)
    if not outcome.strip():
        message = _("Say how the review ended.")
        raise Invalid(message, errors={"outcome": [message]})
    with unit_of_work(by=by) as uow:
        review = lock_rows(SpecialistReview.objects.select_related("use_case__unit")).get(pk=review.pk)
        if review.closed_at:
            raise Conflict(_("This review is closed."))
        before = state(review, SHOWN)
        review.closed_at, review.closed_by, review.outcome = timezone.now(), someone, outcome.strip()
        review.save(update_fields=["closed_at", "closed_by", "outcome"])
        after = state(review, SHOWN)
        uow.record("specialist_review.closed", subject=review, use_case=review.use_case, before=before, after=after)
        announce_change(uow, review.use_case_id, "evidence")
    return review


def record_access_review(*, use_case: UseCase, by: Actor, removed: int = 0, note: str = "") -> AccessReview:
    """Rights on the use case were looked through, and some were taken away."""
    someone = person(by)
    hold(by, ACCESS_REVIEWERS, use_case)
    if removed < 0:
        message = _("Give the number of rights that were taken away.")
        raise Invalid(message, errors={"removed": [message]})
    with unit_of_work(by=by) as uow:
        review = AccessReview.objects.create(
            use_case=use_case, reviewed_by=someone, reviewed_at=timezone.now(), removed=removed, note=note.strip()
        )
        uow.record("access.reviewed", subject=review, use_case=use_case, after=state(review, ("removed", "note")))
        announce_change(uow, use_case.pk, "evidence")
    return review
