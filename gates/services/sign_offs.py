"""Sign: one person's vote, in one role, on one frozen snapshot."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.access import forget_grants, require, roles_on
from accounts.models import User
from accounts.roles import role_name
from gates.duties import BOARD, Signer, complete, refusal, slot_states
from gates.lapsing import lapse_expired, locked_review
from gates.models import Review, SignOff
from gates.quorum import Board
from gates.scenes import room_of, scenes_of, still_counts, votes_that_count
from gates.services.reviews import SnapshotRenewed, renew_if_changed, require_open
from kernel.errors import Conflict, Invalid
from ledger import Personal, UnitOfWork, again_when_overtaken, current_context, unit_of_work
from notify.services import tell
from portfolio.signals import announce_change

MEANINGS = {
    "approve": "I have read the frozen facts and findings, and as {role} I approve passing this gate.",
    "approve_with_conditions": (
        "I have read the frozen facts and findings, and as {role} I approve passing this gate on conditions."
    ),
    "reject": "I have read the frozen facts and findings, and as {role} I refuse passing this gate.",
}


def meaning(role: str, verdict: str, on_behalf_of: User | None = None) -> str:
    """What a signature means, in the words shown before signing (21 CFR 11.50)."""
    name = _in_sentence(role_name(role))
    if on_behalf_of is not None:
        name = f"{name} in place of {on_behalf_of.full_name or on_behalf_of.email}"
    return MEANINGS[verdict].format(role=name)[:300]


def _in_sentence(name: str) -> str:
    """ "Business owner" becomes "business owner", "IT operations" stays as it is."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


METHODS = frozenset({"password", "totp", "webauthn", "recovery_codes", "demonstration", "session", "command", "worker"})
SINGLE_SIGN_ON = "sso:"


@again_when_overtaken
def sign(
    *,
    review: Review,
    role: str,
    verdict: str,
    digest: str,
    by: User,
    reason: str = "",
    on_behalf_of: User | None = None,
    method: str = "",
) -> SignOff:
    """Put one vote on the current snapshot, as oneself or as the stand-in of ``on_behalf_of``.

    ``method`` is how the person proved who they are (``accounts.freshness.Proof.method``).

    ``Conflict`` when the review is closed, the digest is not the current one, or facts changed since (the snapshot
    is then taken again and the old votes lapse); ``PermissionDenied`` with the reason when separation of duties or
    the role stands against it; ``Invalid`` for a reject or a conditional approval without a reason.
    """
    require(by, "use_case.view", review.use_case)
    require_in_person(by)
    _check_words(verdict, reason, method)
    with unit_of_work(by=by) as uow:
        fresh = locked_review(review)
        require_open(fresh)
        _require_of_this_review(fresh, digest)
        lapse_expired(uow, fresh)
        votes = votes_that_count(fresh)
        _require_entitled(fresh, votes, by, role, on_behalf_of)
        changed = renew_if_changed(uow, fresh)
        if not changed:
            _require_current(fresh, digest)
            vote = _insert(
                SignOff(
                    review=fresh,
                    digest=fresh.digest,
                    role=role,
                    person=by,
                    on_behalf_of=on_behalf_of,
                    verdict=verdict,
                    reason=reason.strip(),
                    meaning=meaning(role, verdict, on_behalf_of),
                    signer_name=by.full_name or by.email,
                    method=method or current_context().auth_method or "session",
                    signed_at=timezone.now(),
                )
            )
            _announce(uow, fresh, vote, [*votes, vote])
    if changed:
        raise SnapshotRenewed(
            f"The facts changed since this was frozen: {', '.join(changed)}. The snapshot was taken again.",
            hint="Read what changed, then sign the new snapshot.",
        )
    return vote


def _require_entitled(review: Review, votes: list[SignOff], by: User, role: str, giver: User | None) -> None:
    for someone in (by, giver):
        if someone is not None:
            forget_grants(someone)
    other = Signer(giver, frozenset(roles_on(giver, review.use_case))) if giver is not None else None
    scene = scenes_of([review], {review.pk: votes})[review.pk]
    why_not = refusal(scene, by, role, roles_on(by, review.use_case), on_behalf_of=other)
    if why_not:
        raise PermissionDenied(why_not)


def giver_of(by: User, review: Review, pk: UUID) -> User:
    """The person in whose place ``by`` would sign; ``Invalid`` when nobody of that id has them stand in."""
    for d in room_of(review).scene.stand_ins:
        if d.giver_id == pk and d.stand_in_id == by.pk:
            return d.giver
    said = "You do not stand in for this person in a role that signs here (SOD-10)."
    raise Invalid(said, errors={"on_behalf_of": [said]})


def require_in_person(by: User) -> None:
    """Only a person who is signed in signs and decides: no machine, and no token that a script carries."""
    if not by.is_person:
        raise PermissionDenied("Service accounts never sign or decide (SOD-12).")
    if by.token_scopes is not None:
        raise PermissionDenied("A token never signs or decides: sign in and do it yourself (SOD-12).")


def _require_of_this_review(review: Review, digest: str) -> None:
    """A vote names the snapshot it is on: one of another review, or made up, is no older one of this."""
    if not review.snapshots.filter(digest=digest).exists():
        raise Conflict(
            f"This is no snapshot of {review}: a signature counts for the review and the snapshot it was given on.",
            hint="Open the review, read its snapshot, and sign that.",
        )


def _require_current(review: Review, digest: str) -> None:
    if digest != review.digest:
        raise Conflict("You looked at an older snapshot of this review.", hint="Reload the page and read what changed.")


def _announce(uow: UnitOfWork, review: Review, vote: SignOff, votes: list[SignOff]) -> None:
    after = {
        "role": vote.role,
        "verdict": vote.verdict,
        "digest": vote.digest,
        "reason": vote.reason,
        "signer": Personal(vote.signer_name),
        "method": vote.method,
        "on_behalf_of": vote.on_behalf_of_id,
    }
    uow.record("sign_off.given", subject=vote, use_case=review.use_case, after=after)
    _tell_progress(review, vote, votes)
    announce_change(uow, review.use_case_id, "review")


def _check_words(verdict: str, reason: str, method: str) -> None:
    if method and method not in METHODS and not method.startswith(SINGLE_SIGN_ON):
        raise Invalid(f"“{method}” is no way to prove who one is.", errors={"method": ["Sign in and sign there."]})
    if verdict not in MEANINGS:
        raise Invalid(f"“{verdict}” is not a verdict.", errors={"verdict": [f"Choose one of {', '.join(MEANINGS)}."]})
    if verdict != "approve" and not reason.strip():
        raise Invalid("Give your reason.", errors={"reason": ["A refusal or a condition needs its reason."]})


def _insert(vote: SignOff) -> SignOff:
    try:
        with transaction.atomic():
            vote.save(force_insert=True)
    except IntegrityError as twice:
        raise Conflict("You have already signed this review.") from twice
    return vote


def _all_signed(review: Review, votes: list[SignOff]) -> bool:
    """Whether nothing is missing. Who sits on the board is asked only once everybody else has signed."""
    slots = [slot["role"] for slot in review.slots]
    if set(slots) - {v.role for v in votes}:
        return False
    return complete(room_of(review, votes).slots() if BOARD in slots else slot_states(slots, votes, board=Board()))


def _tell_progress(review: Review, vote: SignOff, votes: list[SignOff]) -> None:
    title = f"{review}: {role_name(vote.role)} signed ({vote.get_verdict_display().lower()})"
    if _all_signed(review, votes):
        title = f"{review}: all signatures are in; it can be decided"
    elif vote.verdict == "reject":
        title = f"{review}: rejected by {role_name(vote.role)}"
    url = f"/gates/reviews/{review.number}/"
    tell(recipients=[review.submitted_by], kind="sign_off.given", title=title, body=vote.reason, url=url)
    if vote.on_behalf_of is not None:
        tell(
            recipients=[vote.on_behalf_of],
            kind="sign_off.given",
            title=f"{vote.signer_name} signed {review} in your place ({vote.get_verdict_display().lower()})",
            body=vote.reason,
            url=url,
        )


def expired(vote: SignOff, review: Review) -> bool:
    """Whether a vote is older than the policy lets votes live."""
    return not still_counts(vote, review)


__all__ = ["expired", "giver_of", "meaning", "require_in_person", "sign"]
