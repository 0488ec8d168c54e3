"""Call reviews: the recurring ones at the tier's cadence, and those that something which happened asks for.

Everything here may run twice and at once: a cause calls once, and only what happened after the last approval counts,
for an approval looked at what was there before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from accounts.models import RoleAssignment
from accounts.roles import role_name
from gates.criterion import day
from gates.fact import within
from gates.in_force import primary
from gates.models import GateAssurance, ReviewCall
from gates.review_owed import DAYS_AFTER_INCIDENT, DAYS_TO_REVIEW, Cause, causes_of, gate_to_review, open_call
from governance.models import Incident, ModelVersion
from kernel.database import lock_rows
from ledger import SYSTEM, unit_of_work
from monitoring.models import Alert
from portfolio.models import MaterialChange, Stage, Status, UseCase

AHEAD = timedelta(days=14)
"""How long before it is due a recurring review is called."""
WATCHED = (Stage.PRODUCTION, Stage.OPERATIONS)
"""Stages in which a breach calls a review."""
WORDS = {
    **dict.fromkeys(("model", "prompt", "vendor"), Cause.CHANGE),
    **dict.fromkeys(("purpose", "data", "oversight"), Cause.SCOPE),
    "owner": Cause.OWNER,
}
"""What changed -> the cause it is."""
OWNERS = ("business_owner", "business_sponsor")


@dataclass(frozen=True, slots=True)
class Approved:
    """What a use case lives under: its newest approval."""

    use_case_id: UUID
    stage: str
    gates: tuple[str, ...]
    at: datetime
    decision_id: UUID | None
    review_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that asks for a review of one use case."""

    use_case_id: UUID
    cause: str
    reference: str
    text: str
    at: datetime


def call_due_reviews(use_case_ids: Sequence[UUID] | None = None, *, at: datetime | None = None) -> int:
    """Call every review that is due to be called. Returns how many calls are new; the queries do not grow with rows."""
    moment = at or timezone.now()
    _version, policy = primary()
    approved = _approved(use_case_ids)
    if not approved:
        return 0
    named = causes_of(policy)
    known = _known(list(approved))
    called = 0
    for happened in [*_recurring(approved, moment), *_out_of_cycle(list(approved), named, moment)]:
        under = approved.get(happened.use_case_id)
        if under is None or (happened.cause != Cause.CADENCE and happened.at <= under.at):
            continue
        references, open_causes = known.get(happened.use_case_id, (set(), set()))
        if happened.reference in references or happened.cause in open_causes:
            continue
        gate = gate_to_review(policy, under.stage, under.gates)
        if gate and _call(happened, gate, under, moment):
            known.setdefault(happened.use_case_id, (references, open_causes))
            references.add(happened.reference)
            open_causes.add(happened.cause)
            called += 1
    return called


def _call(happened: Happened, gate: str, under: Approved, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        use_case = lock_rows(UseCase.objects.select_related("unit").filter(pk=happened.use_case_id)).get()
        call = open_call(
            uow,
            use_case=use_case,
            gate=gate,
            cause=happened.cause,
            text=happened.text,
            reference=happened.reference,
            due_at=_due(happened, under, moment),
            at=moment,
        )
    return call is not None


def _due(happened: Happened, under: Approved, moment: datetime) -> datetime:
    if happened.cause == Cause.CADENCE and under.review_due_at is not None:
        return under.review_due_at
    days = DAYS_AFTER_INCIDENT if happened.cause == Cause.INCIDENT else DAYS_TO_REVIEW
    return moment + timedelta(days=days)


def _approved(use_case_ids: Sequence[UUID] | None) -> dict[UUID, Approved]:
    """use case -> its newest approval, of those that are active. One query."""
    rows = GateAssurance.objects.filter(use_case__status=Status.ACTIVE).order_by("decision__decided_at", "pk")
    columns = ("use_case_id", "use_case__stage", "gate", "decision_id", "review_due_at", "since")
    found: dict[UUID, Approved] = {}
    values = within(rows, use_case_ids).values_list(*columns, "decision__decided_at")
    for pk, stage, gate, decision, due, since, decided_at in values:
        gates = (*found[pk].gates, gate) if pk in found else (gate,)
        found[pk] = Approved(pk, stage, gates, decided_at or since, decision, due)
    return found


def _known(ids: list[UUID]) -> dict[UUID, tuple[set[str], set[str]]]:
    """use case -> references that called already, causes whose call is open. One query."""
    found: dict[UUID, tuple[set[str], set[str]]] = {}
    rows = within(ReviewCall.objects.all(), ids)
    for pk, reference, cause, settled in rows.values_list("use_case_id", "reference", "cause", "settled_at"):
        references, causes = found.setdefault(pk, (set(), set()))
        references.add(reference)
        if settled is None:
            causes.add(cause)
    return found


def _recurring(approved: dict[UUID, Approved], moment: datetime) -> Iterator[Happened]:
    for pk, under in approved.items():
        if under.review_due_at is not None and under.review_due_at - AHEAD <= moment:
            text = (
                f"The recurring review is due on {day(under.review_due_at)}; the last approval is of {day(under.at)}."
            )
            yield Happened(pk, Cause.CADENCE, f"cadence:{under.decision_id}", text, moment)


def _out_of_cycle(ids: list[UUID], named: frozenset[str], moment: datetime) -> list[Happened]:
    """What happened, oldest first, of the causes that the policy names. One query a source."""
    found = [row for source, causes in SOURCES if named & causes for row in source(ids, moment)]
    return sorted((row for row in found if row.cause in named), key=lambda row: (row.at, row.reference))


def _incidents(ids: list[UUID], moment: datetime) -> Iterator[Happened]:
    rows = within(Incident.objects.filter(severity=Incident.Severity.SEV1, occurred_at__lte=moment), ids)
    for use_case, pk, title, when in rows.values_list("use_case_id", "pk", "title", "occurred_at"):
        yield Happened(use_case, Cause.INCIDENT, f"incident:{pk}", f"Severity-1 incident: {title}", when)


def _breaches(ids: list[UUID], moment: datetime) -> Iterator[Happened]:
    """Alerts at the act level that are not resolved, of systems in use."""
    rows = Alert.objects.filter(level=Alert.Level.ACT, series__use_case__stage__in=WATCHED)
    rows = rows.exclude(state=Alert.AlertState.RESOLVED)
    columns = ("series__use_case_id", "pk", "message", "act_since", "opened_at")
    for use_case, pk, message, since, opened in within(rows, ids, "series__use_case").values_list(*columns):
        yield Happened(use_case, Cause.BREACH, f"alert:{pk}", f"Act level breached: {message}", since or opened)


def _versions(ids: list[UUID], moment: datetime) -> Iterator[Happened]:
    rows = ModelVersion.objects.filter(significant=True, number__gt=1, registered_at__lte=moment)
    columns = ("model__use_case_id", "pk", "model__name", "label", "registered_at")
    for use_case, pk, name, label, when in within(rows, ids, "model__use_case").values_list(*columns):
        text = f"{name} {label} was registered as a significant change."
        yield Happened(use_case, Cause.CHANGE, f"version:{pk}", text, when)


def _changes(ids: list[UUID], moment: datetime) -> Iterator[Happened]:
    rows = within(MaterialChange.objects.filter(what__in=WORDS, at__lte=moment), ids)
    for change in rows:
        text = f"{change.get_what_display()} changed: {change.note}"
        yield Happened(change.use_case_id, WORDS[change.what], f"change:{change.pk}", text, change.at)


def _leavers(ids: list[UUID], moment: datetime) -> Iterator[Happened]:
    """Owners and sponsors of a use case whose role ended, or whose account is no longer active."""
    rows = RoleAssignment.objects.filter(role__in=OWNERS, scope_kind=RoleAssignment.Scope.USE_CASE)
    gone = rows.filter(Q(ended_at__lte=moment) | Q(user__is_active=False)).annotate(use_case_id=F("scope_id"))
    columns = ("use_case_id", "pk", "role", "ended_at")
    for use_case, pk, role, ended in within(gone, ids, "scope_id").values_list(*columns):
        yield Happened(use_case, Cause.OWNER, f"role:{pk}", f"The {role_name(role).lower()} left.", ended or moment)


Source = Callable[[list[UUID], datetime], Iterator[Happened]]
SOURCES: tuple[tuple[Source, frozenset[str]], ...] = (
    (_incidents, frozenset({Cause.INCIDENT})),
    (_breaches, frozenset({Cause.BREACH})),
    (_versions, frozenset({Cause.CHANGE})),
    (_changes, frozenset({Cause.CHANGE, Cause.SCOPE, Cause.OWNER})),
    (_leavers, frozenset({Cause.OWNER})),
)
"""Where to look, and for which causes."""
