"""Decisions that are owed after breaches: opened when a system in use breaches its act level, once a breach.

A breach that was accepted asks again when it is worse than what was accepted, or when the day until which it was
accepted is over. A new breach of a rule whose earlier breach is accepted, and which is not worse, is covered by that.
Everything here may run twice and at once: the database has room for one open decision an alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Max, Q
from django.utils import timezone

from accounts.models import User
from accounts.people import people_on
from gates.criterion import day
from gates.fact import within
from gates.in_force import policy_for, rules_in_force
from gates.models import BreachDecision, GateAssurance, Policy
from gates.policy import judged_tier
from kernel.canonical import digest, plain
from kernel.database import lock_rows
from ledger import SYSTEM, UnitOfWork, unit_of_work
from monitoring.deciding import ask_anew, locked_alert, note_decision
from monitoring.models import Alert
from monitoring.selectors.breach_facts import breach_facts, excess
from notify.services import tell
from portfolio.models import Stage, Status, UseCase
from portfolio.signals import announce_change

WATCHED = (Stage.PRODUCTION, Stage.OPERATIONS)
"""Stages in which a breach owes a decision."""
OWES = ("business_owner", "risk_compliance")
"""Who owes it: the first of these roles that somebody holds."""
ALSO_TOLD = ("technical_lead",)
STILL_COUNTS = timedelta(hours=1)
"""A breach that was over before anybody looked owes its decision too, if it ended no longer ago."""
OPEN = (BreachDecision.State.OWED, BreachDecision.State.PROPOSED)
ACCEPT = Alert.Outcome.ACCEPT


def open_owed(use_case_ids: Sequence[UUID] | None = None, *, at: datetime | None = None) -> int:
    """Open every decision that is owed and not open yet. Returns how many; four queries when there is nothing new."""
    moment = at or timezone.now()
    if not rules_in_force().policies:
        return 0
    alerts = list(_breached(use_case_ids, moment))
    if not alerts:
        return 0
    history: dict[UUID, list[BreachDecision]] = {}
    rows = BreachDecision.objects.filter(alert__in=[a.pk for a in alerts]).select_related("covered_by")
    for row in rows.order_by("occasion"):
        history.setdefault(row.alert_id, []).append(row)
    accepted = _acceptances(alerts, moment)
    return sum(_settle(a, history.get(a.pk, []), accepted.get(_subject(a), ()), moment) for a in alerts)


def open_for(uow: UnitOfWork, alert: Alert, *, cause: str, at: datetime) -> BreachDecision:
    """One decision about a locked alert, owed from now on. The caller has made sure that none is open."""
    use_case = alert.series.use_case
    _version, policy = policy_for(use_case)
    days = policy.breach_days[judged_tier(use_case.tier)]
    occasion = int(BreachDecision.objects.filter(alert=alert).aggregate(last=Max("occasion"))["last"] or 0) + 1
    return BreachDecision.objects.create(
        number=_next_number(),
        use_case=use_case,
        alert=alert,
        occasion=occasion,
        cause=cause,
        gate=_gate_of(use_case),
        tier=use_case.tier,
        opened_at=at,
        due_at=at + timedelta(days=days),
        owed_by=owing([use_case.pk]).get(use_case.pk),
    )


def owing(use_case_ids: Iterable[UUID]) -> dict[UUID, User]:
    """use case -> the person who owes its decisions. Four queries, however many."""
    found: dict[UUID, User] = {}
    for use_case, held in people_on(use_case_ids).items():
        by_role: dict[str, list[User]] = {}
        for one in held:
            by_role.setdefault(one.role, []).append(one.user)
        for role in reversed(OWES):
            if people := by_role.get(role):
                found[use_case] = min(people, key=lambda person: (person.full_name, str(person.pk)))
    return found


def freeze(alert: Alert, use_case: UseCase) -> tuple[dict[str, Any], str]:
    """What is known of a breach now, as plain data, and its digest."""
    _version, policy = policy_for(use_case)
    known = {
        **breach_facts(alert),
        "assurance": use_case.assurance,
        "stage": use_case.stage,
        "tier": use_case.tier,
        "policy": {"key": policy.key, "version": policy.version, "digest": policy.digest},
    }
    facts = plain(known)
    assert isinstance(facts, dict)
    return facts, digest(facts)


def is_worse(alert: Alert, accepted: Mapping[str, Any]) -> bool:
    """Whether the value is further beyond its limit than when it was accepted."""
    now = excess(alert.value, alert.limit)
    value, limit = accepted.get("value"), accepted.get("limit")
    if now is None or value is None or limit is None:
        return False
    return now > abs(Decimal(value) - Decimal(limit))


def _breached(use_case_ids: Sequence[UUID] | None, at: datetime) -> Iterable[Alert]:
    rows = Alert.objects.filter(
        level=Alert.Level.ACT, series__use_case__stage__in=WATCHED, series__use_case__status=Status.ACTIVE
    )
    lasting = ~Q(state=Alert.AlertState.RESOLVED) | Q(resolved_at__gt=at - STILL_COUNTS)
    return within(rows.filter(lasting), use_case_ids, "series__use_case").order_by("opened_at", "pk")


Subject = tuple[UUID | None, int]


def _subject(alert: Alert) -> Subject:
    """What an acceptance is about: the rule; where a series fell silent, the series."""
    return alert.rule_id, alert.series_id


def _acceptances(alerts: Iterable[Alert], at: datetime) -> dict[Subject, list[BreachDecision]]:
    """Acceptances that still hold, by what they are about, the newest first. One query."""
    rows = BreachDecision.objects.filter(
        state=BreachDecision.State.DECIDED,
        outcome=ACCEPT,
        covered_by__isnull=True,
        accepted_until__gte=at.date(),
        alert__series__in={a.series_id for a in alerts},
    )
    found: dict[Subject, list[BreachDecision]] = {}
    for row in rows.select_related("alert").order_by("-decided_at"):
        found.setdefault(_subject(row.alert), []).append(row)
    return found


def _settle(alert: Alert, rows: list[BreachDecision], accepted: Sequence[BreachDecision], at: datetime) -> bool:
    if any(row.is_open for row in rows):
        return False
    last = rows[-1] if rows else None
    if last is None and not alert.outcome:
        holding = accepted[0] if accepted and not is_worse(alert, accepted[0].facts) else None
        return _cover(alert, holding, at) if holding else _ask(alert, BreachDecision.Cause.BREACH, at)
    if last is None or last.outcome != ACCEPT or alert.state == Alert.AlertState.RESOLVED:
        return False
    if not last.holds(at.date()):
        return _ask(alert, BreachDecision.Cause.EXPIRED, at)
    if is_worse(alert, (last.covered_by or last).facts):
        return _ask(alert, BreachDecision.Cause.WORSE, at)
    return False


def _ask(alert: Alert, cause: str, at: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        lock_rows(UseCase.objects.filter(pk=_use_case_of(alert))).get()
        held = locked_alert(alert)
        rows = BreachDecision.objects.filter(alert=held)
        if rows.filter(state__in=OPEN).exists() or (cause == BreachDecision.Cause.BREACH and rows.exists()):
            return False
        row = open_for(uow, held, cause=cause, at=at)
        if cause != BreachDecision.Cause.BREACH:
            ask_anew(uow, held, note=str(row.get_cause_display()))
        after = {"cause": cause, "due_at": row.due_at, "owed_by": row.owed_by_id, "alert": held.pk}
        uow.record("breach.opened", subject=row, use_case=row.use_case, after=after, note=held.message)
        _tell(row, held)
        announce_change(uow, row.use_case_id, "breach")
    return True


def _cover(alert: Alert, holding: BreachDecision, at: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        lock_rows(UseCase.objects.filter(pk=_use_case_of(alert))).get()
        held = locked_alert(alert)
        if BreachDecision.objects.filter(alert=held).exists():
            return False
        row = open_for(uow, held, cause=BreachDecision.Cause.BREACH, at=at)
        row.facts, row.digest = freeze(held, held.series.use_case)
        row.state, row.outcome, row.covered_by = BreachDecision.State.DECIDED, ACCEPT, holding
        row.reason, row.accepted_until = f"Covered by {holding}: {holding.reason}", holding.accepted_until
        row.decided_at = at
        row.save()
        after = {"covered_by": str(holding), "accepted_until": row.accepted_until, "facts": row.digest}
        uow.record("breach.covered", subject=row, use_case=row.use_case, after=after, note=held.message)
        note_decision(uow, held, outcome=ACCEPT, reason=row.reason, by=None, at=at)
        announce_change(uow, row.use_case_id, "breach")
    return True


def _tell(row: BreachDecision, alert: Alert) -> None:
    held = people_on([row.use_case_id]).get(row.use_case_id, [])
    people = {one.user.pk: one.user for one in held if one.role in ALSO_TOLD}
    if row.owed_by is not None:
        people[row.owed_by.pk] = row.owed_by
    tell(
        recipients=list(people.values()),
        kind="breach.owed",
        title=f"{row.use_case.key} {row.use_case.name}: decide what is done by {day(row.due_at)}",
        body=f"{alert.message} {row.get_cause_display()}.",
        url=f"/gates/breaches/{row.number}/",
        dedupe_key=f"breach-{row.pk}",
    )


def _gate_of(use_case: UseCase) -> str:
    rows = GateAssurance.objects.filter(use_case=use_case).order_by("-decision__decided_at", "-pk")
    return rows.values_list("gate", flat=True).first() or ""


def _use_case_of(alert: Alert) -> UUID:
    return Alert.objects.values_list("series__use_case_id", flat=True).get(pk=alert.pk)


def _next_number() -> int:
    """The next number, under the lock of the primary policy's row: breaches are rare."""
    lock_rows(Policy.objects.filter(is_primary=True)).get()
    return int(BreachDecision.objects.aggregate(last=Max("number"))["last"] or 0) + 1
