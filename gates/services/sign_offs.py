"""Sign: one person's vote, in one role, on one frozen snapshot."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.access import forget_grants, require, roles_on
from accounts.models import User
from accounts.roles import role_name
from gates.duties import complete, refusal
from gates.in_force import body_of
from gates.models import Review, SignOff
from gates.services.reviews import SnapshotRenewed, locked_review, renew_if_changed, require_open
from gates.services.scenes import room_of, scenes_of, votes_that_count
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


def meaning(role: str, verdict: str) -> str:
    """What a signature means, in the words shown before signing (21 CFR 11.50)."""
    return MEANINGS[verdict].format(role=_in_sentence(role_name(role)))


def _in_sentence(name: str) -> str:
    """ "Business owner" becomes "business owner", "IT operations" stays as it is."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


@again_when_overtaken
def sign(*, review: Review, role: str, verdict: str, digest: str, by: User, reason: str = "") -> SignOff:
    """Put one vote on the current snapshot.

    ``Conflict`` when the review is closed, the digest is not the current one, or facts changed since (the snapshot
    is then taken again and the old votes lapse); ``PermissionDenied`` with the reason when separation of duties or
    the role stands against it; ``Invalid`` for a reject or a conditional approval without a reason.
    """
    require(by, "use_case.view", review.use_case)
    require_in_person(by)
    _check_words(verdict, reason)
    with unit_of_work(by=by) as uow:
        fresh = locked_review(review)
        require_open(fresh)
        votes = votes_that_count(fresh)
        forget_grants(by)
        why_not = refusal(scenes_of([fresh], {fresh.pk: votes})[fresh.pk], by, role, roles_on(by, fresh.use_case))
        if why_not:
            raise PermissionDenied(why_not)
        changed = renew_if_changed(uow, fresh)
        if not changed:
            _require_current(fresh, digest)
            vote = _insert(fresh, role, verdict, reason.strip(), by)
            _announce(uow, fresh, vote)
    if changed:
        raise SnapshotRenewed(
            f"The facts changed since this was frozen: {', '.join(changed)}. The snapshot was taken again.",
            hint="Read what changed, then sign the new snapshot.",
        )
    return vote


def require_in_person(by: User) -> None:
    """Only a person who is signed in signs and decides: no machine, and no token that a script carries."""
    if not by.is_person:
        raise PermissionDenied("Service accounts never sign or decide (SOD-12).")
    if by.token_scopes is not None:
        raise PermissionDenied("A token never signs or decides: sign in and do it yourself (SOD-12).")


def _require_current(review: Review, digest: str) -> None:
    if digest != review.digest:
        raise Conflict("You looked at an older snapshot of this review.", hint="Reload the page and read what changed.")


def _announce(uow: UnitOfWork, review: Review, vote: SignOff) -> None:
    after = {
        "role": vote.role,
        "verdict": vote.verdict,
        "digest": vote.digest,
        "reason": vote.reason,
        "signer": Personal(vote.signer_name),
    }
    uow.record("sign_off.given", subject=vote, use_case=review.use_case, after=after)
    _tell_progress(review, vote)
    announce_change(uow, review.use_case_id, "review")


def _check_words(verdict: str, reason: str) -> None:
    if verdict not in MEANINGS:
        raise Invalid(f"“{verdict}” is not a verdict.", errors={"verdict": [f"Choose one of {', '.join(MEANINGS)}."]})
    if verdict != "approve" and not reason.strip():
        raise Invalid("Give your reason.", errors={"reason": ["A refusal or a condition needs its reason."]})


def _insert(review: Review, role: str, verdict: str, reason: str, by: User) -> SignOff:
    try:
        with transaction.atomic():
            return SignOff.objects.create(
                review=review,
                digest=review.digest,
                role=role,
                person=by,
                verdict=verdict,
                reason=reason,
                meaning=meaning(role, verdict),
                signer_name=by.full_name or by.email,
                method=current_context().auth_method or "session",
                signed_at=timezone.now(),
            )
    except IntegrityError as twice:
        raise Conflict("You have already signed this review.") from twice


def _tell_progress(review: Review, vote: SignOff) -> None:
    slots = room_of(review).slots()
    title = f"{review}: {role_name(vote.role)} signed ({vote.get_verdict_display().lower()})"
    if complete(slots):
        title = f"{review}: all signatures are in; it can be decided"
    elif vote.verdict == "reject":
        title = f"{review}: rejected by {role_name(vote.role)}"
    tell(
        recipients=[review.submitted_by],
        kind="sign_off.given",
        title=title,
        body=vote.reason,
        url=f"/gates/reviews/{review.number}/",
    )


def expired(vote: SignOff, review: Review) -> bool:
    """Whether a vote is older than the policy lets votes live."""
    days = body_of(review.policy_version).sign_off_validity_days
    return (timezone.now() - vote.signed_at).days >= days


__all__ = ["expired", "meaning", "require_in_person", "sign"]
