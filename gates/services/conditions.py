"""Conditions: imposed with a decision, reported done by whoever owes them, closed by somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.dateparse import parse_date

from accounts.access import require, roles_on
from accounts.models import User
from accounts.people import holders
from accounts.roles import roles_allowing
from gates.decision_record import Term
from gates.models import Condition, Decision
from gates.models.conditions import MOST_CONDITIONS
from gates.owed import OWED
from gates.services.sign_offs import require_in_person
from governance.models import Evidence
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, state, unit_of_work
from notify.services import tell
from portfolio.models import UseCase
from portfolio.signals import announce_change

LONGEST_DAYS = 365
LONGEST_REPORT = 4000
LIMITS = {"text": 2000, "scope": 300, "evidence_wanted": 300}
ASKED = {
    "text": "Say what has to be done.",
    "scope": "Say what it concerns or limits: users, region, volume, data.",
    "evidence_wanted": "Say what will show that it is done.",
}
IMPOSED = ("text", "scope", "owner", "due_on", "evidence_wanted", "state")
CLOSE = "condition.close"


def read_terms(given: Sequence[Mapping[str, Any]], use_case: UseCase) -> tuple[tuple[Term, ...], dict[str, list[str]]]:
    """Conditions as they would be imposed, and what is wrong with them by field (``conditions.0.text``)."""
    if not given:
        return (), {"conditions": ["Give at least one condition; without any, this is a plain go."]}
    if len(given) > MOST_CONDITIONS:
        return (), {"conditions": [f"At most {MOST_CONDITIONS} conditions: more than that is not ready to go."]}
    errors: dict[str, list[str]] = {}
    terms = []
    for n, row in enumerate(given):
        wrong, values = _read(row, use_case)
        errors |= {f"conditions.{n}.{name}": [said] for name, said in wrong.items()}
        if not wrong:
            terms.append(Term(**values))
    return tuple(terms), errors


def impose(uow: UnitOfWork, decision: Decision, use_case: UseCase, terms: Iterable[Term]) -> list[Condition]:
    """Write down what is owed from a decision on, and tell those who owe it. Part of ``decide``."""
    made = []
    for position, term in enumerate(terms, start=1):
        row = Condition.objects.create(
            decision=decision,
            use_case=use_case,
            position=position,
            text=term.text,
            scope=term.scope,
            owner=term.owner,
            due_on=term.due_on,
            evidence_wanted=term.evidence_wanted,
        )
        uow.record("condition.imposed", subject=row, use_case=use_case, after=state(row, IMPOSED))
        title = f"{use_case.key}: you owe a condition until {row.due_on:%-d %b %Y}"
        _tell(row, [term.owner], "condition.imposed", title)
        made.append(row)
    return made


def report_condition(*, condition: Condition, by: User, report: str, evidence: Evidence | None = None) -> Condition:
    """The owner says that it is done, and with what. It stays owed until somebody else closes it."""
    require(by, "use_case.view", condition.use_case)
    require_in_person(by)
    _require_words("report", report, "Say what was done.")
    with unit_of_work(by=by) as uow:
        fresh = _locked(condition)
        if by.pk != fresh.owner_id:
            raise PermissionDenied(f"{fresh.owner} owes this condition, and reports it done.")
        _require_state(fresh, Condition.State.OPEN)
        _require_usable(evidence, fresh)
        before = state(fresh, ("state", "report", "evidence"))
        fresh.state, fresh.report, fresh.evidence = Condition.State.REPORTED, report.strip(), evidence
        fresh.reported_by, fresh.reported_at = by, timezone.now()
        fresh.save(update_fields=["state", "report", "evidence", "reported_by", "reported_at"])
        after = state(fresh, ("state", "report", "evidence"))
        uow.record("condition.reported", subject=fresh, use_case=fresh.use_case, before=before, after=after)
        _tell(fresh, _closers(fresh), "condition.reported", f"{fresh.use_case.key}: a condition is reported done")
        announce_change(uow, fresh.use_case_id, "condition")
    return fresh


def close_condition(*, condition: Condition, by: User, note: str = "") -> Condition:
    """Somebody else confirms what was reported: never the owner, the reporter, or the author of the evidence."""
    with unit_of_work(by=by) as uow:
        fresh = _to_judge(condition, by)
        if fresh.evidence is not None and fresh.evidence.withdrawn_at is not None:
            raise Conflict(
                "The evidence of this report was withdrawn since.", hint="Send it back, so that it is reported anew."
            )
        fresh.state, fresh.closed_by, fresh.closed_at = Condition.State.CLOSED, by, timezone.now()
        fresh.closing_note = note.strip()
        fresh.save(update_fields=["state", "closed_by", "closed_at", "closing_note"])
        _record_turn(uow, fresh, "condition.closed", Condition.State.REPORTED, fresh.closing_note)
        _tell(fresh, [fresh.owner], "condition.closed", f"{fresh.use_case.key}: your condition is closed")
        announce_change(uow, fresh.use_case_id, "condition")
    return fresh


def send_back_condition(*, condition: Condition, by: User, reason: str) -> Condition:
    """What was reported is not enough, and why. It is owed as before; its day stays."""
    _require_words("reason", reason, "Say what is missing.")
    with unit_of_work(by=by) as uow:
        fresh = _to_judge(condition, by)
        fresh.state, fresh.sent_back_because = Condition.State.OPEN, reason.strip()
        fresh.save(update_fields=["state", "sent_back_because"])
        _record_turn(uow, fresh, "condition.sent_back", Condition.State.REPORTED, reason.strip())
        title = f"{fresh.use_case.key}: your report on a condition was sent back"
        _tell(fresh, [fresh.owner], "condition.sent_back", title, body=reason.strip())
        announce_change(uow, fresh.use_case_id, "condition")
    return fresh


def reschedule_condition(
    *, condition: Condition, by: User, due_on: date, reason: str, owner: User | None = None
) -> Condition:
    """Another day, and another owner where the one who owed it cannot: by whoever decides at gates, with a reason."""
    require(by, "gate.record_decision", condition.use_case)
    require_in_person(by)
    _require_words("reason", reason, "Say why it is moved; this becomes part of the record.")
    wrong = _wrong_day(due_on)
    with unit_of_work(by=by) as uow:
        fresh = _locked(condition)
        new = owner or fresh.owner
        if by.pk in (fresh.owner_id, new.pk):
            raise PermissionDenied("You owe this condition, so somebody else moves it.")
        _require_state(fresh, *OWED)
        errors = {"due_on": [wrong]} if wrong else {}
        if new.pk != fresh.owner_id and (unfit := _unfit(new, fresh.use_case)):
            errors["owner"] = [unfit]
        if errors:
            raise Invalid("The condition cannot be moved like this.", errors=errors)
        if (due_on, new.pk) == (fresh.due_on, fresh.owner_id):
            raise Conflict("This is the day and the owner that it has already.")
        _move(uow, fresh, due_on, new, reason.strip())
    return fresh


def drop_conditions(uow: UnitOfWork, use_case: UseCase, because: str) -> None:
    """Nothing is owed any more by what has ended. Part of ``decide``: the only way a condition goes undone."""
    rows = lock_rows(Condition.objects.select_related("owner").filter(use_case=use_case, state__in=OWED))
    for row in rows.order_by("pk"):
        before = row.state
        row.state, row.closed_at, row.closing_note = Condition.State.DROPPED, timezone.now(), because[:300]
        row.save(update_fields=["state", "closed_at", "closing_note"])
        row.use_case = use_case
        _record_turn(uow, row, "condition.dropped", before, row.closing_note)
        _tell(row, [row.owner], "condition.dropped", f"{use_case.key}: a condition is no longer owed", body=because)


def why_not_close(condition: Condition, by: User) -> str:
    """Why ``by`` may not judge what was reported, rights aside; empty when nothing stands against it."""
    if by.pk in (condition.owner_id, condition.reported_by_id):
        return "You owe or reported this condition, so somebody else judges it."
    if condition.evidence is not None and by.pk == condition.evidence.added_by_id:
        return "You added the evidence of this report, so somebody else judges it (SOD-05)."
    return ""


def _to_judge(condition: Condition, by: User) -> Condition:
    """The reported condition under its lock, if ``by`` may close it or send it back."""
    require(by, CLOSE, condition.use_case)
    require_in_person(by)
    fresh = _locked(condition)
    if why_not := why_not_close(fresh, by):
        raise PermissionDenied(why_not)
    _require_state(fresh, Condition.State.REPORTED)
    return fresh


def _move(uow: UnitOfWork, fresh: Condition, due_on: date, owner: User, reason: str) -> None:
    before = state(fresh, ("due_on", "owner", "state"))
    told = {person.pk: person for person in (fresh.owner, owner)}
    if owner.pk != fresh.owner_id and fresh.state == Condition.State.REPORTED:
        fresh.state = Condition.State.OPEN  # the report was the other's word
    fresh.due_on, fresh.owner, fresh.reminded_at, fresh.overdue_told_at = due_on, owner, None, None
    fresh.save(update_fields=["due_on", "owner", "state", "reminded_at", "overdue_told_at"])
    after = state(fresh, ("due_on", "owner", "state"))
    uow.record("condition.moved", subject=fresh, use_case=fresh.use_case, before=before, after=after, note=reason[:300])
    title = f"{fresh.use_case.key}: a condition is now owed by {owner} until {due_on:%-d %b %Y}"
    _tell(fresh, told.values(), "condition.moved", title, body=reason)
    announce_change(uow, fresh.use_case_id, "condition")


def _read(row: Mapping[str, Any], use_case: UseCase) -> tuple[dict[str, str], dict[str, Any]]:
    wrong: dict[str, str] = {}
    values: dict[str, Any] = {name: str(row.get(name) or "").strip() for name in LIMITS}
    for name, limit in LIMITS.items():
        if not values[name]:
            wrong[name] = ASKED[name]
        elif len(values[name]) > limit:
            wrong[name] = f"At most {limit} characters."
    values["due_on"], values["owner"] = _day(row.get("due_on")), row.get("owner")
    if said := _wrong_day(values["due_on"]):
        wrong["due_on"] = said
    if said := _unfit(values["owner"], use_case):
        wrong["owner"] = said
    return wrong, values


def _day(value: object) -> date | None:
    if isinstance(value, date) or not value:
        return value or None  # type: ignore[return-value]  # not a date is empty here
    try:
        return parse_date(str(value))
    except ValueError:
        return None


def _wrong_day(due_on: date | None) -> str:
    today = timezone.localdate()
    if due_on is None:
        return "Give the day until which it is done."
    if due_on <= today:
        return "Give a day in the future."
    if due_on > today + timedelta(days=LONGEST_DAYS):
        return f"At most {LONGEST_DAYS} days ahead: what may wait longer is no condition."
    return ""


def _unfit(owner: object, use_case: UseCase) -> str:
    """Why somebody cannot owe a condition of this use case."""
    if not isinstance(owner, User):
        return "Name the person who sees to it."
    if not owner.is_active or not owner.is_person:
        return "Name a person with an active account."
    return "" if roles_on(owner, use_case) else f"{owner} holds no role on {use_case.key}."


def _require_words(field: str, said: str, asked: str) -> None:
    if not said.strip():
        raise Invalid(asked, errors={field: [asked]})
    if len(said) > LONGEST_REPORT:
        message = f"At most {LONGEST_REPORT} characters."
        raise Invalid(message, errors={field: [message]})


def _require_state(condition: Condition, *allowed: str) -> None:
    if condition.state not in allowed:
        raise Conflict(f"This condition is {condition.get_state_display().lower()}: that cannot be done to it now.")


def _require_usable(evidence: Evidence | None, condition: Condition) -> None:
    if evidence is None:
        return
    said = ""
    if evidence.use_case_id != condition.use_case_id:
        said = "This evidence belongs to another use case."
    elif evidence.withdrawn_at is not None:
        said = "This evidence was withdrawn."
    if said:
        raise Invalid(said, errors={"evidence": [said]})


def _closers(condition: Condition) -> list[User]:
    people = {p.pk: p for role in roles_allowing(CLOSE) for p in holders(role=role, use_case=condition.use_case)}
    return [person for person in people.values() if not why_not_close(condition, person)]


def _record_turn(uow: UnitOfWork, row: Condition, action: str, before: str, note: str) -> None:
    after = {"state": row.state}
    uow.record(action, subject=row, use_case=row.use_case, before={"state": before}, after=after, note=note[:300])


def _tell(row: Condition, people: Iterable[User], kind: str, title: str, body: str = "") -> None:
    tell(recipients=people, kind=kind, title=title, body=body or row.text, url=f"/gates/conditions/{row.pk}/")


def _locked(condition: Condition) -> Condition:
    rows = Condition.objects.select_related("use_case__unit", "decision__review", "owner", "reported_by", "evidence")
    return lock_rows(rows.filter(pk=condition.pk)).get()
