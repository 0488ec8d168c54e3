"""Waivers: ask that one criterion be excused until a date, decide about it, take it back, end it early."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.access import forget_grants, require
from accounts.models import User
from accounts.people import holders
from gates.models import Policy, Review, Waiver, WaiverVote
from gates.services.reviews import locked_review, renew_if_changed
from gates.services.sign_offs import require_in_person
from gates.services.waiver_scenes import (
    Excused,
    approvals,
    approvers_of,
    authors_of,
    refusal_to_vote,
    role_to_vote_in,
    what_is_excused,
)
from gates.waiving import RENEWAL_DAYS, covers, is_granted, most_days, still_needed
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, again_when_overtaken, unit_of_work
from notify.services import tell
from portfolio.models import UseCase
from portfolio.signals import announce_change

LONGEST_TEXT = 4000


@again_when_overtaken
def request_waiver(
    *,
    use_case: UseCase,
    gate: str,
    criterion: str,
    reason: str,
    compensating_control: str,
    expires_at: datetime,
    by: User,
    renews: Waiver | None = None,
) -> Waiver:
    """Ask that one mandatory criterion which does not pass be excused until a moment.

    ``Invalid`` by field for what can never be waived and for an expiry that is unclear, past or too far;
    ``Conflict`` when the criterion passes, when one is asked for already, or for a second renewal.
    """
    require(by, "waiver.request", use_case)
    if not by.is_person:
        raise PermissionDenied("Service accounts never ask for a waiver (SOD-12).")
    now = timezone.now()
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(UseCase.objects.select_related("unit").filter(pk=use_case.pk)).get()
        uow.watch(fresh)
        excused = what_is_excused(fresh, gate, criterion, now)
        _check_words(reason, compensating_control)
        _check_expiry(expires_at, excused, now)
        _check_chain(fresh, excused, renews, now)
        waiver = Waiver.objects.create(
            number=_next_number(),
            use_case=fresh,
            gate=gate,
            criterion=criterion,
            tier=excused.tier,
            reason=reason.strip(),
            compensating_control=compensating_control.strip(),
            expires_at=expires_at,
            renews=renews,
            requested_by=by,
            requested_at=now,
        )
        after = {
            "gate": gate,
            "criterion": criterion,
            "tier": waiver.tier,
            "expires_at": expires_at,
            "compensating_control": waiver.compensating_control,
            "renews": str(renews) if renews else "",
            "state": waiver.state,
        }
        uow.record("waiver.requested", subject=waiver, use_case=fresh, after=after, note=waiver.reason[:300])
        _ask_approvers(waiver, excused)
        announce_change(uow, fresh.pk, "waiver")
    return waiver


@again_when_overtaken
def vote_on_waiver(*, waiver: Waiver, verdict: str, by: User, role: str | None = None, reason: str = "") -> Waiver:
    """Approve or refuse a waiver that is asked for, once a person.

    One refusal ends it. It is granted once as many people as its tier asks for have approved; the votes on an open
    review of the same use case lapse then, in the same transaction, for its findings have changed.
    """
    require(by, "use_case.view", waiver.use_case)
    require(by, "waiver.approve", waiver.use_case)
    require_in_person(by)
    _check_verdict(verdict, reason)
    now = timezone.now()
    with unit_of_work(by=by) as uow:
        fresh = locked_waiver(waiver)
        _require_requested(fresh)
        forget_grants(by)
        chosen, why_not = (role, refusal_to_vote(fresh, by, role)) if role else role_to_vote_in(fresh, by)
        if why_not:
            raise PermissionDenied(why_not)
        if verdict == WaiverVote.Verdict.APPROVE:
            uow.watch(fresh.use_case)
            _check_still_owed(fresh, by, now)
        vote = WaiverVote(waiver=fresh, person=by, role=chosen, verdict=verdict, reason=reason.strip(), given_at=now)
        _insert(vote)
        uow.record(
            "waiver.voted",
            subject=vote,
            use_case=fresh.use_case,
            after={"waiver": str(fresh), "role": chosen, "verdict": verdict},
            note=vote.reason[:300],
        )
        if verdict == WaiverVote.Verdict.REFUSE:
            _settle(uow, fresh, Waiver.State.REFUSED, now, f"Refused by {by.full_name}. {vote.reason}")
        elif is_granted(fresh.tier, [v.role for v in approvals(fresh)]):
            _settle(uow, fresh, Waiver.State.APPROVED, now, f"It holds until {fresh.expires_at:%-d %b %Y}.")
    return fresh


def withdraw_waiver(*, waiver: Waiver, by: User, reason: str = "") -> Waiver:
    """Take back what one asked for, before it is decided about."""
    require(by, "use_case.view", waiver.use_case)
    if by.pk != waiver.requested_by_id:
        raise PermissionDenied("Only the person who asked for a waiver takes it back.")
    with unit_of_work(by=by) as uow:
        fresh = locked_waiver(waiver)
        _require_requested(fresh)
        _end(uow, fresh, Waiver.State.WITHDRAWN, timezone.now(), reason.strip() or "Taken back.")
    return fresh


@again_when_overtaken
def revoke_waiver(*, waiver: Waiver, by: User, reason: str) -> Waiver:
    """End a granted waiver before its time. Whoever may approve one may revoke it, with a reason."""
    require(by, "waiver.approve", waiver.use_case)
    require_in_person(by)
    if not reason.strip():
        raise Invalid("Give your reason.", errors={"reason": ["Say why the waiver ends now."]})
    now = timezone.now()
    with unit_of_work(by=by) as uow:
        fresh = locked_waiver(waiver)
        if not fresh.holds(now):
            raise Conflict(f"{fresh} is not in force: {state_in_words(fresh, now)}.")
        _end(uow, fresh, Waiver.State.REVOKED, now, reason.strip())
        _renew_open_review(uow, fresh)
        text = f"{fresh.use_case.name}: {fresh.criterion} is no longer excused. {reason.strip()}"
        _tell_owners(fresh, "waiver.revoked", f"{fresh} is revoked", text)
    return fresh


def locked_waiver(waiver: Waiver) -> Waiver:
    """The waiver under its row lock, as it is now."""
    rows = Waiver.objects.select_related("use_case__unit", "requested_by", "renews")
    return lock_rows(rows.filter(pk=waiver.pk)).get()


def state_in_words(waiver: Waiver, at: datetime) -> str:
    """How a waiver stands, where "approved" alone would hide that its time is over."""
    if waiver.state == Waiver.State.APPROVED and waiver.expires_at <= at:
        return "expired"
    return str(waiver.get_state_display()).lower()


def _check_words(reason: str, compensating_control: str) -> None:
    errors: dict[str, list[str]] = {}
    asked = (
        ("reason", reason, "Say why."),
        ("compensating_control", compensating_control, "Say what is done instead."),
    )
    for name, text, ask in asked:
        if not text.strip():
            errors[name] = [ask]
        elif len(text) > LONGEST_TEXT:
            errors[name] = [f"At most {LONGEST_TEXT} characters."]
    if errors:
        raise Invalid("The request is not complete.", errors=errors)


def _check_expiry(expires_at: Any, excused: Excused, now: datetime) -> None:
    message = ""
    days = most_days(excused.policy.waiver_days, excused.tier)
    if not isinstance(expires_at, datetime) or expires_at.tzinfo is None:
        message = "Say until when, as a moment with its time zone."
    elif expires_at <= now:
        message = "The end is in the past."
    elif expires_at > now + timedelta(days=days):
        message = f"At most {days} days on the {excused.tier} tier: until {now + timedelta(days=days):%-d %b %Y}."
    if message:
        raise Invalid(message, errors={"expires_at": [message]})


def _check_chain(use_case: UseCase, excused: Excused, renews: Waiver | None, now: datetime) -> None:
    """A waiver is renewed once. Asking anew for what has just ended is a renewal too, by whatever name."""
    same = Waiver.objects.filter(use_case=use_case, gate=excused.gate.key, criterion=excused.criterion.id)
    if (open_one := same.filter(state=Waiver.State.REQUESTED).first()) is not None:
        raise Conflict(f"{open_one} already asks for this.", hint="Wait for its decision, or withdraw it.")
    recent = same.filter(state=Waiver.State.APPROVED, expires_at__gt=now - timedelta(days=RENEWAL_DAYS))
    last = next((w for w in recent.order_by("-expires_at") if covers(w.tier, excused.tier)), None)
    if renews is None and last is not None and last.renews_id is None:
        message = (
            f"{last} {'holds' if last.holds(now) else 'held'} until {last.expires_at:%-d %b %Y} for this criterion."
        )
        raise Conflict(message, hint="Ask for its renewal instead.", errors={"renews": [message]})
    if last is not None and last.renews_id is not None:
        raise Conflict(
            f"{last} was the renewal of {last.renews}: a waiver is renewed once.",
            hint=f"Meet {excused.criterion.id}, or ask again {RENEWAL_DAYS} days after it ended.",
        )
    if renews is not None:
        _check_renewal(renews, use_case, excused)
        if last is not None and last.pk != renews.pk:
            raise Invalid("A newer waiver is there.", errors={"renews": [f"The newest of this criterion is {last}."]})


def _check_renewal(renews: Waiver, use_case: UseCase, excused: Excused) -> None:
    about = (renews.use_case_id, renews.gate, renews.criterion)
    message = ""
    if about != (use_case.pk, excused.gate.key, excused.criterion.id):
        message = f"{renews} is about another criterion."
    elif renews.state != Waiver.State.APPROVED:
        message = f"{renews} was never granted, or was revoked: there is nothing to renew."
    elif renews.renews_id is not None:
        message = f"{renews} is a renewal itself: a waiver is renewed once."
    elif Waiver.objects.filter(renews=renews).exists():
        message = f"{renews} has been renewed already: a waiver is renewed once."
    if message:
        raise Invalid(message, errors={"renews": [message]})


def _check_verdict(verdict: str, reason: str) -> None:
    if verdict not in WaiverVote.Verdict.values:
        known = ", ".join(WaiverVote.Verdict.values)
        raise Invalid(f"“{verdict}” is not a verdict.", errors={"verdict": [f"Choose one of {known}."]})
    if verdict == WaiverVote.Verdict.REFUSE and not reason.strip():
        raise Invalid("Give your reason.", errors={"reason": ["A refusal needs its reason."]})
    if len(reason) > LONGEST_TEXT:
        raise Invalid("The reason is too long.", errors={"reason": [f"At most {LONGEST_TEXT} characters."]})


def _check_still_owed(waiver: Waiver, by: User, now: datetime) -> None:
    """What has changed since it was asked for: nobody approves what has ended, passes by now, or needs more people."""
    if waiver.expires_at <= now:
        raise Conflict(f"{waiver} would have ended on {waiver.expires_at:%-d %b %Y}.", hint="Ask for a new one.")
    try:
        excused = what_is_excused(waiver.use_case, waiver.gate, waiver.criterion, now)
    except Invalid as changed:
        raise Conflict(f"{waiver} can no longer be granted: {changed}") from changed
    if not covers(waiver.tier, excused.tier):
        raise Conflict(
            f"{waiver} was asked for at the {waiver.tier} tier, and the tier is {excused.tier} now.",
            hint="Withdraw it and ask for a new one.",
        )
    if by.pk in authors_of(excused.finding.evidence):
        raise PermissionDenied("You made the evidence that does not pass, so somebody else decides (SOD-05).")


def _require_requested(waiver: Waiver) -> None:
    if waiver.state != Waiver.State.REQUESTED:
        raise Conflict(f"{waiver} is closed: {state_in_words(waiver, timezone.now())}.")


def _insert(vote: WaiverVote) -> None:
    try:
        with transaction.atomic():
            vote.save(force_insert=True)
    except IntegrityError as twice:
        raise Conflict("You have already decided about this waiver; one person decides once.") from twice


def _settle(uow: UnitOfWork, waiver: Waiver, state: str, now: datetime, text: str) -> None:
    before = {"state": waiver.state}
    waiver.state, waiver.settled_at = state, now
    verb = {"approved": "waiver.approved", "refused": "waiver.refused"}[state]
    _free_what_it_would_renew(waiver)
    waiver.save(update_fields=["state", "settled_at", "renews"])
    uow.record(verb, subject=waiver, use_case=waiver.use_case, before=before, after={"state": state}, note=text[:300])
    word = str(waiver.get_state_display()).lower()
    _tell_owners(waiver, verb, f"{waiver} is {word}: {waiver.criterion} of {waiver.use_case.key}", text)
    if state == Waiver.State.APPROVED:
        _renew_open_review(uow, waiver)
    announce_change(uow, waiver.use_case_id, "waiver")


def _end(uow: UnitOfWork, waiver: Waiver, state: str, now: datetime, because: str) -> None:
    before = {"state": waiver.state}
    waiver.state, waiver.ended_at, waiver.ended_because = state, now, because[:300]
    _free_what_it_would_renew(waiver)
    waiver.save(update_fields=["state", "ended_at", "ended_because", "renews"])
    verb = {"withdrawn": "waiver.withdrawn", "revoked": "waiver.revoked"}[state]
    after = {"state": state, "ended_at": now}
    uow.record(verb, subject=waiver, use_case=waiver.use_case, before=before, after=after, note=because[:300])
    announce_change(uow, waiver.use_case_id, "waiver")


def _free_what_it_would_renew(waiver: Waiver) -> None:
    """A renewal that came to nothing does not use up the one that there is; the record keeps what it was for."""
    if waiver.state in (Waiver.State.REFUSED, Waiver.State.WITHDRAWN):
        waiver.renews = None


def _renew_open_review(uow: UnitOfWork, waiver: Waiver) -> None:
    """Findings of an open review have changed: its snapshot is taken again and the votes on the old one lapse."""
    for review in Review.objects.filter(use_case=waiver.use_case_id, state=Review.State.OPEN):
        locked = locked_review(review)
        if locked.is_open:
            renew_if_changed(uow, locked)


def _next_number() -> int:
    """The next number, under the lock of the primary policy's row: requests are rare."""
    lock_rows(Policy.objects.filter(is_primary=True)).get()
    return int(Waiver.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def _ask_approvers(waiver: Waiver, excused: Excused) -> None:
    people = [p for p in approvers_of(waiver.use_case) if p.pk != waiver.requested_by_id]
    title = f"{waiver}: a waiver of {excused.criterion.id} is asked for"
    needs = still_needed(waiver.tier, ())
    text = f"{waiver.use_case.name}: {excused.criterion.title}, until {waiver.expires_at:%-d %b %Y}. Needs {needs}."
    tell(recipients=people, kind="waiver.requested", title=title, body=text, url=waiver_url(waiver))


def _tell_owners(waiver: Waiver, kind: str, title: str, text: str) -> None:
    people = {waiver.requested_by_id: waiver.requested_by}
    for role in ("business_owner", "technical_lead"):
        people.update({p.pk: p for p in holders(role=role, use_case=waiver.use_case)})
    tell(recipients=list(people.values()), kind=kind, title=title, body=text, url=waiver_url(waiver))


def waiver_url(waiver: Waiver) -> str:
    return f"/gates/waivers/{waiver.number}/"
