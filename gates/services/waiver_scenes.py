"""What has to be known about one waiver: what it excuses, who may decide about it, and why somebody may not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.access import roles_on
from accounts.models import Delegation, RoleAssignment, User
from accounts.people import holders
from accounts.roles import role_name, roles_allowing
from gates.criterion import Finding, Ref
from gates.duties import BOARD
from gates.engine import FactBase, blockers, judge_unexcused
from gates.in_force import policy_for
from gates.models import GateAssurance, Waiver, WaiverVote
from gates.policy import Criterion, Gate, PolicyBody, judged_tier
from gates.waiving import why_never
from governance.models import Document, Evidence, ValidationRun
from kernel.errors import Conflict, Invalid
from portfolio.models import Status, UseCase


@dataclass(frozen=True, slots=True)
class Excused:
    """A criterion that a waiver is about, as it stands without the waiver."""

    policy: PolicyBody
    gate: Gate
    criterion: Criterion
    tier: str
    finding: Finding


def approver_roles() -> list[str]:
    """Roles that decide about waivers; the board first, for what is its decision alone needs it."""
    return sorted(roles_allowing("waiver.approve"), key=lambda key: (key != BOARD, key))


def what_is_excused(use_case: UseCase, gate: str, criterion: str, at: datetime) -> Excused:
    """``Invalid`` by field when this cannot be waived at all; ``Conflict`` when there is nothing to waive now."""
    _version, policy = policy_for(use_case)
    found = _gate_of(policy, use_case, gate)
    rule = next((c for c in found.criteria if c.id == criterion), None)
    if rule is None:
        raise _wrong("criterion", f"{found.title} has no criterion “{criterion}”.")
    if never := why_never(rule):
        raise _wrong("criterion", never)
    if use_case.status != Status.ACTIVE:
        raise Conflict(f"{use_case.key} is {use_case.get_status_display().lower()}; resume it first.")
    base = FactBase([use_case.pk], policy.needs(), at)
    facts = base.of(use_case.pk)
    if closed := blockers(facts["profile"]):
        raise Conflict(f"{closed[0]} Legal blocks cannot be waived (SOD-06).")
    tier = judged_tier(facts["profile"]["tier"])
    if rule.applies[tier] != "mandatory":
        raise _wrong("criterion", f"{rule.id} is not mandatory at the {tier} tier: there is nothing to waive.")
    finding = judge_unexcused(rule, facts, found.key, tier, at)
    if finding.outcome.passes:
        raise Conflict(f"{rule.id} passes without a waiver: {finding.reason}", hint="There is nothing to waive.")
    return Excused(policy, found, rule, tier, finding)


def _gate_of(policy: PolicyBody, use_case: UseCase, gate: str) -> Gate:
    found = policy.gates.get(gate)
    if found is None:
        raise _wrong("gate", f"There is no gate “{gate}” (there are: {', '.join(policy.gates)}).")
    ahead = policy.next_gate(use_case.stage)
    if found != ahead and not GateAssurance.objects.filter(use_case=use_case, gate=gate).exists():
        raise _wrong("gate", f"{found.title} is neither the next gate of {use_case.key} nor one that it has passed.")
    return found


def refusal_to_vote(waiver: Waiver, person: User, role: str, *, held: Iterable[str] | None = None) -> str:
    """Why ``person`` may not decide about ``waiver`` as ``role``; empty when nothing stands against it."""
    has = roles_on(person, waiver.use_case) if held is None else set(held)
    return _not_entitled(person, role, has) or _not_independent(waiver, person, role)


def _not_entitled(person: User, role: str, held: set[str]) -> str:
    if not person.is_person:
        return "Service accounts never decide about a waiver (SOD-12)."
    if not person.is_active:
        return "This account is not active."
    if role not in approver_roles():
        return f"{role_name(role)} does not decide about waivers."
    if role not in held:
        return f"You do not hold the role {role_name(role)} on this use case."
    if "system_admin" in held:
        return "Administrators do not approve (SOD-08)."
    return ""


def _not_independent(waiver: Waiver, person: User, role: str) -> str:
    if person.pk == waiver.requested_by_id:
        return "You asked for this waiver, so somebody else decides about it (SOD-06)."
    voters = set(waiver.votes.values_list("person_id", flat=True))
    if person.pk in voters:
        return "You have already decided about this waiver; one person decides once."
    stood_for = stands_in_for(person)
    if waiver.requested_by_id in stood_for:
        return "You stand in for the person who asked for this waiver, so somebody else decides about it (SOD-06)."
    if voters & stood_for:
        return "The person you stand in for has already decided about this waiver (SOD-10)."
    if role == BOARD and from_the_unit(waiver.use_case, person):
        return "Board members from the sponsoring unit do not vote (SOD-13)."
    return ""


def roles_to_vote_in(waiver: Waiver, person: User) -> list[str]:
    """Every role in which ``person`` may decide."""
    held = roles_on(person, waiver.use_case)
    return [role for role in approver_roles() if role in held and not refusal_to_vote(waiver, person, role, held=held)]


def role_to_vote_in(waiver: Waiver, person: User) -> tuple[str, str]:
    """(role, refusal): the role in which ``person`` may decide, or the reason why in none."""
    held = roles_on(person, waiver.use_case)
    asked = [role for role in approver_roles() if role in held]
    if not asked:
        names = " or ".join(role_name(role) for role in approver_roles())
        return "", f"A waiver is decided by somebody who is {names} here."
    refusals = {role: refusal_to_vote(waiver, person, role, held=held) for role in asked}
    free = next((role for role, why in refusals.items() if not why), "")
    return free, "" if free else next(iter(refusals.values()))


def approvals(waiver: Waiver) -> list[WaiverVote]:
    """Approvals by people who may still give them: who left or lost the role since does not count."""
    found = []
    for vote in waiver.votes.filter(verdict=WaiverVote.Verdict.APPROVE).select_related("person"):
        held = roles_on(vote.person, waiver.use_case)
        if not _not_entitled(vote.person, vote.role, held):
            found.append(vote)
    return found


def approvers_of(use_case: UseCase) -> list[User]:
    """Everybody who holds a role that decides about waivers here."""
    found = {p.pk: p for role in approver_roles() for p in holders(role=role, use_case=use_case)}
    return list(found.values())


def authors_of(refs: Iterable[Ref]) -> set[UUID]:
    """Who made the evidence that a finding rests on: they do not excuse what it shows."""
    ids: dict[str, list[str]] = {}
    for ref in refs:
        ids.setdefault(ref.kind, []).append(ref.id)
    found: set[UUID] = set()
    if ids.get("evidence"):
        found |= set(Evidence.objects.filter(pk__in=ids["evidence"]).values_list("added_by_id", flat=True))
    if ids.get("document"):
        found |= set(Document.objects.filter(pk__in=ids["document"]).values_list("written_by_id", flat=True))
    if ids.get("validation_run"):
        rows = ValidationRun.objects.filter(pk__in=ids["validation_run"], recorded_by__isnull=False)
        found |= set(rows.values_list("recorded_by_id", flat=True))
    return found


def stands_in_for(person: User) -> set[UUID]:
    now = timezone.now()
    rows = Delegation.objects.filter(stand_in=person, starts_at__lte=now, ends_at__gt=now, ended_at__isnull=True)
    return set(rows.values_list("giver_id", flat=True))


def from_the_unit(use_case: UseCase, person: User) -> bool:
    """Whether somebody holds a role on the sponsoring unit itself or on the use case; the root unit is nobody's own."""
    scopes = [use_case.pk] if use_case.unit.path == "/" else [use_case.pk, use_case.unit_id]
    rows = RoleAssignment.objects.filter(user=person, scope_id__in=scopes, ended_at__isnull=True)
    return rows.exclude(role=BOARD).exists()


def _wrong(field: str, message: str) -> Invalid:
    return Invalid(message, errors={field: [message]})
