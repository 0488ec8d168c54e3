"""Recusals: who declares an interest takes no part in deciding, and a vote already given lapses."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.access import require
from accounts.models import User
from gates.models import Recusal, Review
from gates.services.boards.meetings import say_why
from gates.services.reviews import lapse, locked_review, require_open
from gates.services.scenes import votes_that_count
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import Personal, UnitOfWork, unit_of_work
from notify.services import tell
from portfolio.models import UseCase
from portfolio.signals import announce_change

LONGEST = 300


def recuse(*, by: User, reason: str, review: Review | None = None, use_case: UseCase | None = None) -> Recusal:
    """Declare an interest of one's own: in one open review, or in a use case for as long as the interest lasts.

    Votes that the person, or a delegate for them, gave on what is still open lapse in the same transaction.
    """
    about = _about(review, use_case)
    require(by, "use_case.view", about)
    if not by.is_person:
        raise PermissionDenied("Only people have interests to declare.")
    say_why(reason)
    if len(reason.strip()) > LONGEST:
        raise Invalid("This is too long.", errors={"reason": [f"At most {LONGEST} characters."]})
    with unit_of_work(by=by) as uow:
        touched = _lock(review, about)
        row = _insert(Recusal(use_case=about, review=review, person=by, reason=reason.strip()))
        after = {"review": review.number if review else None, "reason": Personal(row.reason)}
        uow.record("recusal.declared", subject=row, use_case=about, after=after)
        for one in touched:
            _drop_votes(uow, one, by)
        announce_change(uow, about.pk, "review")
    return row


def take_back(*, recusal: Recusal, by: User) -> None:
    """Say that the interest has ended, or was declared by mistake.

    One in a single review is taken back only while it is open: what was decided without somebody stays so.
    """
    if recusal.person_id != by.pk:
        raise PermissionDenied("Only who declared an interest says that it has ended.")
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(Recusal.objects.select_related("use_case__unit").filter(pk=recusal.pk)).first()
        if fresh is None or fresh.ended_at is not None:
            raise Conflict("This has ended already.")
        if fresh.review is not None:
            if not locked_review(fresh.review).is_open:
                raise Conflict(f"{fresh.review} is closed: who was recused from it stays recused.")
            before = {"reason": Personal(fresh.reason)}
            uow.record("recusal.taken_back", subject=fresh, use_case=fresh.use_case, before=before)
            fresh.delete()
        else:
            fresh.ended_at = timezone.now()
            fresh.save(update_fields=["ended_at"])
            uow.record("recusal.ended", subject=fresh, use_case=fresh.use_case, after={"ended_at": fresh.ended_at})
        announce_change(uow, fresh.use_case_id, "review")


def _about(review: Review | None, use_case: UseCase | None) -> UseCase:
    if (review is None) == (use_case is None):
        said = "Name one review or one use case."
        raise Invalid(said, errors={"review": [said]})
    return review.use_case if review is not None else use_case  # type: ignore[return-value]  # one of them is there


def _lock(review: Review | None, use_case: UseCase) -> list[Review]:
    """The open reviews that it concerns, locked: a vote cannot slip in beside it."""
    if review is not None:
        fresh = locked_review(review)
        require_open(fresh)
        return [fresh]
    lock_rows(UseCase.objects.filter(pk=use_case.pk)).get()
    rows = Review.objects.filter(use_case=use_case, state=Review.State.OPEN)
    return [locked_review(row) for row in rows.order_by("pk")]


def _insert(row: Recusal) -> Recusal:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as twice:
        raise Conflict("You declared this already.") from twice
    return row


def _drop_votes(uow: UnitOfWork, review: Review, person: User) -> None:
    votes = [v for v in votes_that_count(review) if person.pk in (v.person_id, v.on_behalf_of_id)]
    if not votes:
        return
    lapse(uow, review, votes, "The signer declared an interest and takes no part in deciding (SOD-13).")
    tell(
        recipients=[review.submitted_by],
        kind="recusal.declared",
        title=f"{review}: a vote no longer counts",
        body=f"{person.full_name} declared an interest.",
        url=f"/gates/reviews/{review.number}/",
    )
