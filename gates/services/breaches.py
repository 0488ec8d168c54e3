"""What is done after a breach: decided once, by a person who may, on facts that are kept with the decision.

An acceptance runs until a day. On the high tier it takes two people: one proposes it, and somebody else who has the
authority over risk confirms it, never the owner of the use case (SOD-04). Machines and tokens decide nothing (SOD-12).
"""

from __future__ import annotations

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import forget_grants, require, roles_on
from accounts.models import User
from accounts.people import holders
from accounts.roles import role_name
from gates.breaching import ACCEPT, OPEN, freeze, open_for
from gates.duties import BOARD
from gates.in_force import policy_for
from gates.models import BreachDecision
from gates.policy import judged_tier
from gates.services.sign_offs import require_in_person
from gates.services.waiver_scenes import from_the_unit, stands_in_for
from gates.waiving import most_days
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, again_when_overtaken, state, unit_of_work
from monitoring.deciding import locked_alert, note_decision
from monitoring.models import Alert, RetrainingRequest
from monitoring.retraining import ask
from notify.services import tell
from portfolio.models import UseCase
from portfolio.signals import announce_change

RIGHT = "breach.decide"
RISK_AUTHORITY = (BOARD, "risk_compliance")
"""Who confirms an acceptance on the high tier."""
LONGEST_REASON = 4000
FIELDS = (
    "state",
    "outcome",
    "accepted_until",
    "proposed_by",
    "decided_by",
    "decided_role",
    "decided_at",
    "digest",
)


@again_when_overtaken
def decide_breach(
    *, alert: Alert, outcome: str, reason: str, by: User, accepted_until: date | None = None
) -> BreachDecision:
    """Record what is done after a breach. ``Conflict`` for a warning, and for what was decided already.

    A breach that is over may still be decided. One of a system that is not in use owes no decision but may have one.
    """
    use_case = alert.series.use_case
    require(by, RIGHT, use_case)
    require_in_person(by)
    now = timezone.now()
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(UseCase.objects.select_related("unit").filter(pk=use_case.pk)).get()
        uow.watch(fresh)
        held = locked_alert(alert)
        _check(held, fresh, outcome, reason, accepted_until)
        row = _row_to_decide(uow, held)
        before = state(row, FIELDS)
        row.outcome, row.reason = outcome, reason.strip()
        row.accepted_until = accepted_until if outcome == ACCEPT else None
        row.facts, row.digest = freeze(held, fresh)
        row.proposed_by = row.proposed_at = None
        row.refused_because = ""
        if takes_two(row):
            row.state, row.proposed_by, row.proposed_at = BreachDecision.State.PROPOSED, by, now
            row.save()
            _record(uow, "breach.proposed", row, before)
            _ask_authority(row)
        else:
            _decide(uow, row, held, by=by, role=_role_of(by, fresh))
            _record(uow, "breach.decided", row, before)
            _tell_decided(row)
    return row


@again_when_overtaken
def confirm_acceptance(*, breach: BreachDecision, by: User) -> BreachDecision:
    """The second person, who has the authority over risk, agrees. ``Conflict`` unless it waits for that."""
    require(by, RIGHT, breach.use_case)
    require_in_person(by)
    with unit_of_work(by=by) as uow:
        row, held = _locked(breach)
        require_proposed(row)
        forget_grants(by)
        role, why_not = authority_of(row, by)
        if why_not:
            raise PermissionDenied(why_not)
        if row.accepted_until is not None and row.accepted_until < timezone.localdate():
            raise Conflict(_("The day until which it was to be accepted is over: decide anew."))
        before = state(row, FIELDS)
        row.facts, row.digest = freeze(held, row.use_case)
        _decide(uow, row, held, by=by, role=role)
        _record(uow, "breach.decided", row, before)
        _tell_decided(row)
    return row


@again_when_overtaken
def refuse_acceptance(*, breach: BreachDecision, by: User, reason: str) -> BreachDecision:
    """The second person does not agree: the decision is owed as before, until the same day."""
    require(by, RIGHT, breach.use_case)
    require_in_person(by)
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Invalid(_("Give your reason."), errors={"reason": [_("Say why it cannot be accepted.")]})
    with unit_of_work(by=by) as uow:
        row, _held = _locked(breach)
        require_proposed(row)
        forget_grants(by)
        _role, why_not = authority_of(row, by)
        if why_not:
            raise PermissionDenied(why_not)
        before = state(row, FIELDS)
        proposer = row.proposed_by
        row.state, row.refused_because = BreachDecision.State.OWED, reason.strip()
        row.outcome, row.accepted_until, row.proposed_by, row.proposed_at = "", None, None, None
        row.save()
        _record(uow, "breach.refused", row, before, note=row.refused_because)
        people = {p.pk: p for p in (proposer, row.owed_by) if p is not None}
        _tell(row, "breach.refused", _("the acceptance was refused"), row.refused_because, list(people.values()))
    return row


def takes_two(row: BreachDecision) -> bool:
    """Whether a second person has to agree: to accept a breach on the high tier."""
    return row.outcome == ACCEPT and judged_tier(row.use_case.tier) == "high"


def authority_of(row: BreachDecision, person: User) -> tuple[str, str]:
    """(role, refusal): as whom a person may confirm or refuse an acceptance, or why they may not."""
    held = roles_on(person, row.use_case)
    role = next((r for r in RISK_AUTHORITY if r in held), "")
    if not role:
        names = " or ".join(role_name(r) for r in RISK_AUTHORITY)
        return "", _("Accepting it on the high tier is confirmed by somebody who is %(roles)s here.") % {"roles": names}
    if not person.is_person or person.token_scopes is not None:
        return "", _("Machines and tokens decide nothing: sign in and do it yourself (SOD-12).")
    if "system_admin" in held:
        return "", _("Administrators do not approve (SOD-08).")
    if person.pk == row.proposed_by_id:
        return "", _("You proposed this, so somebody else confirms it.")
    if row.proposed_by_id in stands_in_for(person):
        return "", _("You stand in for the person who proposed this, so somebody else confirms it (SOD-10).")
    if "business_owner" in held:
        return "", _("You answer for this use case: whoever owns a risk does not accept it (SOD-04).")
    if role == BOARD and from_the_unit(row.use_case, person):
        return "", _("Board members from the sponsoring unit do not vote (SOD-13).")
    return role, ""


def longest_acceptance(use_case: UseCase) -> int:
    """Days that a breach may be accepted for at most: as long as a waiver of its tier."""
    _version, policy = policy_for(use_case)
    return most_days(policy.waiver_days, use_case.tier)


def _check(alert: Alert, use_case: UseCase, outcome: str, reason: str, accepted_until: date | None) -> None:
    if alert.level != Alert.Level.ACT:
        raise Conflict(_("This is a warning: only a breach asks for a decision."))
    errors: dict[str, list[str]] = {}
    if outcome not in Alert.Outcome.values:
        errors["outcome"] = [_("Choose what is to be done.")]
    if not reason.strip() or len(reason) > LONGEST_REASON:
        errors["reason"] = [_("Give the reason, in at most %(most)d characters.") % {"most": LONGEST_REASON}]
    if outcome == ACCEPT and (wrong := _wrong_day(use_case, accepted_until)):
        errors["accepted_until"] = [wrong]
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=errors)


def _wrong_day(use_case: UseCase, until: date | None) -> str:
    today, days = timezone.localdate(), longest_acceptance(use_case)
    if until is None:
        return _("Say until which day it is accepted.")
    if until < today:
        return _("That day is over.")
    if until > today + timedelta(days=days):
        return _("At most %(days)d days on this tier, until %(day)s.") % {
            "days": days,
            "day": f"{today + timedelta(days=days):%-d %b %Y}",
        }
    return ""


def _row_to_decide(uow: UnitOfWork, alert: Alert) -> BreachDecision:
    """The open decision about a locked alert; a new one where none was owed yet."""
    rows = BreachDecision.objects.select_related("use_case__unit", "owed_by").filter(alert=alert)
    found = lock_rows(rows.filter(state__in=OPEN)).first()
    if found is not None:
        return found
    if alert.outcome or rows.exists():
        words = alert.get_outcome_display() or _("no longer owed")
        raise Conflict(_("This breach was decided already: %(outcome)s.") % {"outcome": words})
    return open_for(uow, alert, cause=BreachDecision.Cause.BREACH, at=timezone.now())


def _decide(uow: UnitOfWork, row: BreachDecision, alert: Alert, *, by: User, role: str) -> None:
    row.state = BreachDecision.State.DECIDED
    row.decided_by, row.decided_role, row.decided_at = by, role, timezone.now()
    row.save()
    note_decision(uow, alert, outcome=row.outcome, reason=row.reason, by=by, at=row.decided_at)
    if row.outcome in RetrainingRequest.Kind.values:
        ask(
            uow,
            use_case=row.use_case,
            kind=row.outcome,
            origin=RetrainingRequest.Origin.DECISION,
            reason=row.reason,
            by=by,
            alert=alert,
            decision=str(row),
        )


def _locked(breach: BreachDecision) -> tuple[BreachDecision, Alert]:
    lock_rows(UseCase.objects.filter(pk=breach.use_case_id)).get()
    rows = BreachDecision.objects.select_related("use_case__unit", "owed_by", "proposed_by", "alert")
    row = lock_rows(rows.filter(pk=breach.pk)).get()
    return row, locked_alert(row.alert)


def require_proposed(row: BreachDecision) -> None:
    """``Conflict`` unless it waits for a second person."""
    if row.state != BreachDecision.State.PROPOSED:
        words = str(row.get_state_display()).lower()
        raise Conflict(_("%(breach)s waits for no second person: it is %(state)s.") % {"breach": row, "state": words})


def _role_of(person: User, use_case: UseCase) -> str:
    held = roles_on(person, use_case)
    return next((r for r in ("business_owner", *RISK_AUTHORITY) if r in held), "")


def _record(uow: UnitOfWork, action: str, row: BreachDecision, before: dict[str, object], note: str = "") -> None:
    after = {**state(row, FIELDS), "facts": row.facts if action == "breach.decided" else row.digest}
    uow.record(action, subject=row, use_case=row.use_case, before=before, after=after, note=(note or row.reason)[:300])
    announce_change(uow, row.use_case_id, "breach")


def _ask_authority(row: BreachDecision) -> None:
    people = {p.pk: p for role in RISK_AUTHORITY for p in holders(role=role, use_case=row.use_case)}
    people = {pk: p for pk, p in people.items() if pk != row.proposed_by_id}
    until = f"{row.accepted_until:%-d %b %Y}"
    body = _("%(who)s proposes to accept it until %(day)s: %(why)s") % {
        "who": row.proposed_by,
        "day": until,
        "why": row.reason,
    }
    _tell(row, "breach.proposed", _("confirm or refuse that a breach is accepted"), body, list(people.values()))


def _tell_decided(row: BreachDecision) -> None:
    roles = ("business_owner", "technical_lead")
    held = [p for role in roles for p in holders(role=role, use_case=row.use_case)]
    people = {p.pk: p for p in held if p.pk != row.decided_by_id}
    words = _("after a breach it was decided: %(outcome)s") % {"outcome": str(row.get_outcome_display()).lower()}
    _tell(row, "breach.decided", words, row.reason, list(people.values()))


def _tell(row: BreachDecision, kind: str, words: str, body: str, people: list[User]) -> None:
    tell(
        recipients=people,
        kind=kind,
        title=f"{row.use_case.key} {row.use_case.name}: {words}",
        body=body,
        url=f"/gates/breaches/{row.number}/",
    )
