"""Emergency release: two people let the next gate count as passed for at most a day. Nothing of it is free.

It opens an incident, owes a full review within five days, and ends by itself. It moves no stage.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils import timezone

from accounts.access import can, forget_grants, require, roles_on
from accounts.models import Delegation, User
from gates.criterion import day
from gates.emergency_end import RESPONSIBLE, end_release, tell_all
from gates.engine import blockers
from gates.in_force import policy_for
from gates.models import EmergencyRelease, ReviewCall
from gates.policy import PolicyBody
from gates.review_owed import DAYS_AFTER_EMERGENCY, open_call, responsible_for
from governance.models import Incident
from governance.services.incidents import report_incident
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import SYSTEM, UnitOfWork, unit_of_work
from notify.services import tell
from portfolio.models import Status, UseCase
from portfolio.signals import announce_change

RIGHT = "emergency.release"
MOST_HOURS = 24
SHORTEST_REASON = 20
ANSWERABLE = frozenset({"business_sponsor", "ai_governance_board"})
"""One of the two people holds one of these roles."""
VALID_REQUEST = timedelta(hours=24)
"""A request that nobody confirmed for so long was no emergency."""
State = EmergencyRelease.State


def request_emergency(
    *, use_case: UseCase, gate: str, reason: str, by: User, hours: int = MOST_HOURS
) -> EmergencyRelease:
    """Ask for the next gate to count as passed for some hours. A second person has to confirm it."""
    require(by, RIGHT, use_case)
    require_at_hand(by)
    _check_words(reason, hours)
    with unit_of_work(by=by) as uow:
        fresh = _locked_use_case(use_case)
        _check_possible(fresh, gate)
        _check_none_other(fresh)
        release = EmergencyRelease.objects.create(
            use_case=fresh,
            gate=gate,
            reason=reason.strip(),
            hours=hours,
            requested_by=by,
            requested_at=timezone.now(),
        )
        after = {"gate": gate, "hours": hours, "state": release.state, "reason": release.reason}
        uow.record("emergency.requested", subject=release, use_case=fresh, after=after, note=release.reason[:300])
        tell(
            recipients=[p for p in candidates(fresh) if p.pk != by.pk],
            kind="emergency.requested",
            title=f"{fresh.key} {fresh.name}: an emergency release waits for a second person",
            body=release.reason[:300],
            url=url_of(release),
            dedupe_key=f"emergency-{release.pk}",
        )
        announce_change(uow, fresh.pk, "emergency")
    return release


def confirm_emergency(*, release: EmergencyRelease, by: User) -> EmergencyRelease:
    """Put it in force, as the second person: from now for the hours asked for. Opens the incident and the review."""
    require(by, RIGHT, release.use_case)
    require_at_hand(by)
    with unit_of_work(by=by) as uow:
        use_case = _locked_use_case(release.use_case)
        fresh = _locked(release)
        _require_state(fresh, State.REQUESTED)
        now = timezone.now()
        _check_two_people(fresh, use_case, by, now)
        if now - fresh.requested_at > VALID_REQUEST:
            raise Conflict("This request is older than a day.", hint="Ask again if it is still needed.")
        policy = _check_possible(use_case, fresh.gate)
        before = {"state": fresh.state}
        fresh.state, fresh.answered_by, fresh.answered_at = State.ACTIVE, by, now
        fresh.ends_at = now + timedelta(hours=fresh.hours)
        fresh.incident = _incident(fresh, policy)
        fresh.call = _review(uow, fresh, use_case, policy, now)
        fresh.save(update_fields=["state", "answered_by", "answered_at", "ends_at", "incident", "call"])
        after = {"state": fresh.state, "ends_at": fresh.ends_at, "incident": fresh.incident.pk}
        uow.record("emergency.confirmed", subject=fresh, use_case=use_case, before=before, after=after)
        title = f"{use_case.key} {use_case.name}: emergency release until {fresh.ends_at:%-d %b %H:%M} UTC"
        tell_all(fresh, "emergency.confirmed", title, fresh.reason[:300], url_of(fresh))
        announce_change(uow, use_case.pk, "emergency")
    return fresh


def refuse_emergency(*, release: EmergencyRelease, by: User, reason: str) -> EmergencyRelease:
    """Say no, as the second person."""
    require(by, RIGHT, release.use_case)
    require_at_hand(by)
    if not reason.strip():
        raise Invalid("Say why.", errors={"reason": ["Say why; the person who asked reads it."]})
    with unit_of_work(by=by) as uow:
        fresh = _locked(release)
        _require_state(fresh, State.REQUESTED)
        if by.pk == fresh.requested_by_id:
            raise PermissionDenied("You asked for it yourself: end it instead.")
        before = {"state": fresh.state}
        fresh.state, fresh.answered_by, fresh.answered_at = State.REFUSED, by, timezone.now()
        fresh.save(update_fields=["state", "answered_by", "answered_at"])
        note = reason.strip()[:300]
        after = {"state": fresh.state}
        uow.record("emergency.refused", subject=fresh, use_case=fresh.use_case, before=before, after=after, note=note)
        title = f"{fresh.use_case.key}: your emergency release was refused"
        tell(recipients=[fresh.requested_by], kind="emergency.refused", title=title, body=note, url=url_of(fresh))
        announce_change(uow, fresh.use_case_id, "emergency")
    return fresh


def end_emergency(*, release: EmergencyRelease, by: User) -> EmergencyRelease:
    """End it before its time, or take the request back. Either of the two may, and whoever may release here."""
    if by.pk not in (release.requested_by_id, release.answered_by_id):
        require(by, RIGHT, release.use_case)
    require_at_hand(by)
    with unit_of_work(by=by) as uow:
        fresh = _locked(release)
        _require_state(fresh, State.REQUESTED, State.ACTIVE)
        end_release(uow, fresh, at=timezone.now(), who=by.full_name or by.email)
    return fresh


def why_not_confirm(release: EmergencyRelease, person: User) -> str:
    """Why this person cannot be the second one, in words; empty when they can."""
    try:
        require(person, RIGHT, release.use_case)
        require_at_hand(person)
        _check_two_people(release, release.use_case, person, timezone.now())
    except PermissionDenied as refused:
        return str(refused)
    return ""


def why_not_request(use_case: UseCase, gate: str) -> str:
    """What stands against a release of this gate now; empty when nothing does."""
    try:
        _check_possible(use_case, gate)
        _check_none_other(use_case)
    except Conflict as refused:
        return str(refused)
    return ""


def candidates(use_case: UseCase) -> list[User]:
    """People who hold a role that may release here."""
    roles = ("business_sponsor", "it_operations", "ai_governance_board")
    return [p for p in responsible_for([use_case.pk], roles).get(use_case.pk, []) if p.is_person]


def require_at_hand(by: User) -> None:
    """A person who is signed in: two people answer for a release, no machine and no token."""
    if not by.is_person:
        raise PermissionDenied("A service account never releases anything: two people answer for it.")
    if by.token_scopes is not None:
        raise PermissionDenied("A token never releases anything: sign in and do it yourself.")


def url_of(release: EmergencyRelease) -> str:
    return f"/gates/emergencies/{release.pk}/"


def _check_words(reason: str, hours: int) -> None:
    errors: dict[str, list[str]] = {}
    if len(reason.strip()) < SHORTEST_REASON:
        errors["reason"] = [f"Say what happened and why it cannot wait, in {SHORTEST_REASON} characters or more."]
    if isinstance(hours, bool) or not 1 <= hours <= MOST_HOURS:
        errors["hours"] = [f"Give whole hours from 1 to {MOST_HOURS}."]
    if errors:
        raise Invalid("This cannot be asked for like this.", errors=errors)


def _check_possible(use_case: UseCase, gate: str) -> PolicyBody:
    """``Conflict`` unless it concerns the next gate of an active use case that nothing forbids."""
    _version, policy = policy_for(use_case)
    closed = blockers({"tier": use_case.tier, "legal_hold": use_case.legal_hold})
    if closed:
        raise Conflict(f"No emergency opens this. {closed[0]}")
    if use_case.status != Status.ACTIVE:
        raise Conflict(f"{use_case.key} is {use_case.get_status_display().lower()}: nothing of it is released.")
    ahead = policy.next_gate(use_case.stage)
    if ahead is None or ahead.key != gate:
        expected = ahead.title if ahead else "none, for it has ended"
        raise Conflict(
            f"“{gate}” is not the next gate of {use_case.key} (stage {use_case.stage}); that is: {expected}.",
            hint="Stages are never skipped, not in an emergency either.",
        )
    return policy


def _check_none_other(use_case: UseCase) -> None:
    """One at a time, and none while the review of an earlier one is owed: days must not be strung together."""
    other = EmergencyRelease.objects.filter(use_case=use_case, state__in=(State.REQUESTED, State.ACTIVE)).first()
    if other is not None:
        raise Conflict(f"There is an emergency release of this use case already: {other.get_state_display().lower()}.")
    owed = ReviewCall.objects.filter(use_case=use_case, cause=ReviewCall.Cause.EMERGENCY, settled_at__isnull=True)
    call = owed.first()
    if call is not None:
        raise Conflict(
            f"The full review after the last emergency release is still owed, by {day(call.due_at)}.",
            hint="Have it reviewed and decided first.",
        )


def _check_two_people(release: EmergencyRelease, use_case: UseCase, by: User, now: datetime) -> None:
    """``PermissionDenied`` unless two independent people, both entitled at this moment, stand behind it."""
    first = release.requested_by
    if by.pk == first.pk:
        raise PermissionDenied("You asked for it: a second person confirms it.")
    forget_grants(first)
    if not first.is_active or not can(first, RIGHT, use_case):
        raise PermissionDenied(f"{first} may not release here any more. Refuse this; somebody else may ask.")
    if _stands_in(first, by, now):
        raise PermissionDenied("One of you stands in for the other: that is one person's word, not two.")
    forget_grants(by)
    if not (roles_on(by, use_case) | roles_on(first, use_case)) & ANSWERABLE:
        raise PermissionDenied("One of the two has to be the business sponsor or a member of the AI governance board.")


def _stands_in(one: User, other: User, now: datetime) -> bool:
    pair = Q(giver=one, stand_in=other) | Q(giver=other, stand_in=one)
    return any(row.holds(now) for row in Delegation.objects.filter(pair, ends_at__gt=now))


def _incident(release: EmergencyRelease, policy: PolicyBody) -> Incident:
    people = f"{release.requested_by} and {release.answered_by}"
    return report_incident(
        use_case=release.use_case,
        severity=Incident.Severity.SEV2,
        title=f"Emergency release: {policy.gates[release.gate].title}",
        description=f"{release.reason}\n\nReleased for {release.hours} hours by {people}.",
        by=SYSTEM,
    )


def _review(
    uow: UnitOfWork, release: EmergencyRelease, use_case: UseCase, policy: PolicyBody, now: datetime
) -> ReviewCall | None:
    return open_call(
        uow,
        use_case=use_case,
        gate=release.gate,
        cause=ReviewCall.Cause.EMERGENCY,
        text=f"{policy.gates[release.gate].title} was released in an emergency; the full review is owed.",
        reference=f"emergency:{release.pk}",
        due_at=now + timedelta(days=DAYS_AFTER_EMERGENCY),
        at=now,
    )


def _locked_use_case(use_case: UseCase) -> UseCase:
    return lock_rows(UseCase.objects.select_related("unit").filter(pk=use_case.pk)).get()


def _locked(release: EmergencyRelease) -> EmergencyRelease:
    rows = EmergencyRelease.objects.select_related("use_case__unit", "requested_by", "answered_by", "call")
    return lock_rows(rows.filter(pk=release.pk)).get()


def _require_state(release: EmergencyRelease, *states: str) -> None:
    if release.state not in states:
        raise Conflict(f"This emergency release is {release.get_state_display().lower()}.")


__all__ = [
    "MOST_HOURS",
    "RESPONSIBLE",
    "candidates",
    "confirm_emergency",
    "end_emergency",
    "refuse_emergency",
    "request_emergency",
    "why_not_confirm",
    "why_not_request",
]
