"""Votes that no longer count: they lapse with a reason, and their signers are told."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.people import ancestors
from accounts.roles import role_name
from gates.models import Review, SignOff
from gates.scenes import expires_at, room_of, rooms_of, still_counts
from kernel.database import lock_rows
from ledger import SYSTEM, UnitOfWork, unit_of_work
from notify.services import tell
from portfolio.models import BusinessUnit
from portfolio.signals import announce_change

MOST_AT_ONCE = 500


def locked_review(review: Review) -> Review:
    """The review under its row lock, as it is now."""
    rows = Review.objects.select_related("use_case__unit", "policy_version__policy", "submitted_by")
    return lock_rows(rows.filter(pk=review.pk)).get()


def live_votes(review: Review) -> list[SignOff]:
    """Votes that have not lapsed, expired ones among them, oldest first."""
    rows = review.sign_offs.select_related("person", "on_behalf_of").filter(lapsed_at__isnull=True)
    return list(rows.order_by("signed_at"))


def lapse(uow: UnitOfWork, review: Review, votes: Iterable[SignOff], because: str) -> None:
    """Votes stay on record but count no more; their signers are told why."""
    now, gone = timezone.now(), list(votes)
    for vote in gone:
        vote.lapsed_at, vote.lapsed_because = now, because[:300]
        vote.save(update_fields=["lapsed_at", "lapsed_because"])
        uow.record("sign_off.lapsed", subject=vote, use_case=review.use_case, after={"lapsed_because": because})
    tell(
        recipients=_signers(gone),
        kind="sign_off.lapsed",
        title=f"Your sign-off on {review} no longer counts",
        body=because,
        url=f"/gates/reviews/{review.number}/",
    )


def lapse_expired(uow: UnitOfWork, review: Review) -> list[SignOff]:
    """Lapse the votes on a locked, open review that are too old; returns them."""
    gone = [vote for vote in live_votes(review) if not still_counts(vote, review)]
    if gone:
        lapse(uow, review, gone, f"It expired on {expires_at(gone[0], review):%-d %b %Y}. Please sign again.")
    return gone


def lapse_what_counts_no_more(review: Review) -> int:
    """Lapse every vote on an open review that a decision would not count today; returns how many.

    Too old, or by somebody who left, lost the role, took the delegation back or may not sign any more. The others,
    who submitted it and who can sign now, are told that a signature is missing again.
    """
    with unit_of_work(by=SYSTEM) as uow:
        fresh = locked_review(review)
        if not fresh.is_open:
            return 0
        gone = lapse_expired(uow, fresh)
        room = room_of(fresh)
        for vote in room.votes:
            if because := room.refusal_of_vote(vote):
                lapse(uow, fresh, [vote], f"It cannot count any more: {_told_of(vote, because)}")
                gone.append(vote)
        if gone:
            _tell_the_others(fresh, gone)
            announce_change(uow, fresh.use_case_id, "review")
    return len(gone)


def lapse_all(reviews: QuerySet[Review, Review] | None = None) -> int:
    """The same for open reviews (all of them), each in its own transaction; returns how many votes lapsed.

    Which ones need it is found in a constant number of queries, so that most rounds change nothing and lock nothing.
    """
    return sum(lapse_what_counts_no_more(review) for review in _to_look_at(reviews))


def open_reviews(*, scope_kind: str, scope_ids: Iterable[UUID]) -> QuerySet[Review, Review]:
    """Open reviews of these use cases, or of the use cases of these units and all below them."""
    rows = Review.objects.filter(state=Review.State.OPEN)
    if scope_kind == "use_case":
        return rows.filter(use_case__in=list(scope_ids))
    wanted = set(BusinessUnit.objects.filter(pk__in=list(scope_ids)).values_list("path", flat=True))
    below = [pk for pk, path in BusinessUnit.objects.values_list("pk", "path") if wanted & set(ancestors(path))]
    return rows.filter(use_case__unit__in=below)


def _to_look_at(reviews: QuerySet[Review, Review] | None) -> list[Review]:
    rows = Review.objects.all() if reviews is None else reviews
    signed = SignOff.objects.filter(lapsed_at__isnull=True)
    found = list(
        rows.filter(state=Review.State.OPEN, pk__in=signed.values("review_id"))
        .select_related("use_case__unit", "policy_version__policy")
        .order_by("submitted_at")[:MOST_AT_ONCE]
    )
    votes: dict[UUID, list[SignOff]] = {review.pk: [] for review in found}
    for vote in signed.filter(review__in=list(votes)).select_related("person", "on_behalf_of"):
        votes[vote.review_id].append(vote)
    rooms = rooms_of(found, votes)
    return [
        review
        for review in found
        if any(not still_counts(v, review) or rooms[review.pk].refusal_of_vote(v) for v in votes[review.pk])
    ]


def _told_of(vote: SignOff, because: str) -> str:
    return because if vote.person.is_active else f"the account of {vote.signer_name} was closed."


def _signers(votes: Iterable[SignOff]) -> list[User]:
    found = {vote.person_id: vote.person for vote in votes}
    found.update({v.on_behalf_of.pk: v.on_behalf_of for v in votes if v.on_behalf_of is not None})
    return list(found.values())


def _tell_the_others(review: Review, gone: list[SignOff]) -> None:
    """Who submitted it, and whoever can sign now; those who signed were told already."""
    told = {vote.person_id for vote in gone}
    people = {p.pk: p for p in [review.submitted_by, *room_of(review).waited_for()] if p.pk not in told}
    names = ", ".join(sorted({role_name(vote.role) for vote in gone}))
    tell(
        recipients=list(people.values()),
        kind="sign_off.missing",
        title=f"{review}: a signature is missing again ({names})",
        body="A sign-off that was given no longer counts. It has to be given again, or by somebody else.",
        url=f"/gates/reviews/{review.number}/",
    )
