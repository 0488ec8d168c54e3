"""Single moves: each asks one service for one thing, mostly something sensible, sometimes something forbidden."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils import timezone

import ledger
from accounts.models import Delegation, RoleAssignment
from accounts.services import assign_role, deactivate, end_role, reactivate
from accounts.services.delegations import delegate, end_delegation
from gates.models import Condition, EmergencyRelease, Recusal, Review, Waiver
from gates.services.boards.recusals import recuse, take_back
from gates.services.conditions import close_condition, report_condition, send_back_condition
from gates.services.decisions import OUTCOMES, STOP_REASONS, decide
from gates.services.emergencies import confirm_emergency, end_emergency, request_emergency
from gates.services.reviews import refresh_review, submit_review, withdraw_review
from gates.services.sign_offs import sign
from gates.services.waivers import request_waiver, revoke_waiver, vote_on_waiver, withdraw_waiver
from gates.tasks import expire
from kernel.errors import DomainError
from portfolio.services import edit_use_case, set_tier
from tests.gates.sequences.stage import FIELDS, GATES, SIGNERS, Stage, criteria_of, fresh

Move = Callable[[Stage], Any]
VERDICTS = (*["approve"] * 5, "approve_with_conditions", "approve_with_conditions", "reject")
PLAN = {
    "lessons": "Ask the clerks first.",
    "disposal": "The data is deleted by operations within a month.",
    "steps": "Switch off, then remove.",
    "notice_to": "All clerks by mail",
    "logs": "Kept for a year by operations",
    "access": "All keys are withdrawn",
}


def submit(stage: Stage) -> Any:
    gate = _next_gate(stage) if stage.random.random() < 0.85 else stage.random.choice(GATES)[0]
    review = submit_review(use_case=stage.now(), gate=gate, by=stage.one("use_case_lead"))
    stage.digests.append(review.digest)
    return review


def ask_to_end(stage: Stage) -> Any:
    person = stage.one(stage.random.choice(("use_case_lead", "business_sponsor")))
    return submit_review(
        use_case=stage.now(), gate=_next_gate(stage), by=person, message="It does not work.", asks_to_end=True
    )


def sign_open(stage: Stage) -> Any:
    review = _open(stage)
    role = stage.random.choice([slot["role"] for slot in review.slots])
    person = stage.one(role)
    digest = review.digest if stage.random.random() < 0.9 else stage.random.choice(stage.digests)
    verdict = stage.random.choice(VERDICTS)
    return sign(review=review, role=role, verdict=verdict, digest=digest, by=person, reason="Because.")


def sign_all(stage: Stage) -> None:
    """What a good week brings: everybody who may signs."""
    review, given = _open(stage), 0
    for slot in review.slots:
        for person in stage.by_role.get(slot["role"], ()):
            with suppress(DomainError, PermissionDenied):
                sign(review=review, role=slot["role"], verdict="approve", digest=review.digest, by=fresh(person))
                given += 1
    if not given:
        raise IndexError("Nobody who has not signed may sign.")


def sign_something_closed(stage: Stage) -> Any:
    review = stage.random.choice(list(_reviews(stage).exclude(state="open")))
    role = stage.random.choice([slot["role"] for slot in review.slots])
    return sign(review=review, role=role, verdict="approve", digest=review.digest, by=stage.one(role))


def go(stage: Stage) -> Any:
    return _decide(stage, "go")


def go_with_conditions(stage: Stage) -> Any:
    return _decide(stage, "go_with_conditions")


def decide_anything(stage: Stage) -> Any:
    return _decide(stage, stage.random.choice(OUTCOMES))


def edit(stage: Stage) -> Any:
    name = stage.random.choice(list(FIELDS.values()))
    words = stage.random.choice(("", "Letters take too long.", "Clerks and their deputies"))
    return edit_use_case(use_case=stage.now(), changes={name: words}, by=stage.one("use_case_lead"))


def fill_in(stage: Stage) -> Any:
    words = f"Written on {timezone.now():%d %b %Y}."
    return edit_use_case(use_case=stage.now(), changes=dict.fromkeys(FIELDS.values(), words), by=ledger.SYSTEM)


def empty(stage: Stage) -> Any:
    """The first criterion is met no more: only a waiver leads on."""
    return edit_use_case(use_case=stage.now(), changes={FIELDS["1"]: ""}, by=ledger.SYSTEM)


def change_tier(stage: Stage) -> Any:
    tier = stage.random.choice(list(SIGNERS))
    return set_tier(use_case=stage.now(), tier=tier, source="questionnaire", legal_hold=False, by=ledger.SYSTEM)


def withdraw(stage: Stage) -> Any:
    return withdraw_review(review=_open(stage), by=stage.one("use_case_lead"), reason="Not yet.")


def refresh(stage: Stage) -> Any:
    return refresh_review(review=_open(stage), by=stage.one("use_case_lead"))


def ask_for_waiver(stage: Stage) -> Any:
    gate = _next_gate(stage)
    renews = stage.random.choice([None, None, *Waiver.objects.filter(state="approved")])
    usual = stage.random.random() < 0.8
    return request_waiver(
        use_case=stage.now(),
        gate=gate,
        criterion=criteria_of(gate)[0] if usual else stage.random.choice(criteria_of(gate)),
        reason="The branch closes in March.",
        compensating_control="Every letter is read by a person.",
        expires_at=timezone.now() + timedelta(days=stage.random.choice((10, 60, 80, 89, 200, 400))),
        by=stage.one("use_case_lead"),
        renews=renews,
    )


def vote_on_a_waiver(stage: Stage) -> Any:
    waiver = stage.random.choice(list(Waiver.objects.filter(state="requested")))
    role = stage.random.choice(("risk_compliance", "ai_governance_board"))
    verdict = stage.random.choice(("approve", "approve", "approve", "refuse"))
    return vote_on_waiver(waiver=waiver, verdict=verdict, by=stage.one(role), reason="Because.")


def end_a_waiver(stage: Stage) -> Any:
    waiver = stage.random.choice(list(Waiver.objects.filter(state__in=("requested", "approved"))))
    if stage.random.random() < 0.5:
        return withdraw_waiver(waiver=waiver, by=fresh(waiver.requested_by))
    return revoke_waiver(waiver=waiver, by=stage.one("risk_compliance"), reason="No longer needed.")


def report(stage: Stage) -> Any:
    condition = stage.random.choice(list(Condition.objects.filter(state="open")))
    person = fresh(condition.owner) if stage.random.random() < 0.8 else stage.anybody()
    return report_condition(condition=condition, by=person, report="Done, see the file.")


def close_one(stage: Stage) -> Any:
    condition = stage.random.choice(list(Condition.objects.filter(state="reported")))
    person = stage.random.choice((stage.one("risk_compliance"), fresh(condition.owner)))
    if stage.random.random() < 0.2:
        return send_back_condition(condition=condition, by=person, reason="Not what was asked.")
    return close_condition(condition=condition, by=person, note="Seen.")


def declare_interest(stage: Stage) -> Any:
    review = _open(stage) if stage.random.random() < 0.7 else None
    about = {"review": review} if review else {"use_case": stage.now()}
    return recuse(by=stage.one("ai_governance_board"), reason="My brother works there.", **about)


def end_interest(stage: Stage) -> Any:
    row = stage.random.choice(list(Recusal.objects.filter(ended_at__isnull=True)))
    return take_back(recusal=row, by=fresh(row.person))


def hand_over(stage: Stage) -> Any:
    role = stage.random.choice(("business_owner", "technical_lead", "risk_compliance", "ai_governance_board"))
    giver, stand_in = stage.one(role), stage.one(role)
    days = stage.random.choice((3, 15, 30, 45))
    return delegate(
        giver=giver,
        stand_in=stand_in,
        role=role,
        ends_at=timezone.now() + timedelta(days=days),
        reason="Away.",
        by=giver,
    )


def take_over_again(stage: Stage) -> Any:
    row = stage.random.choice(list(Delegation.objects.filter(ended_at__isnull=True)))
    return end_delegation(delegation=row, by=fresh(row.giver))


def leave(stage: Stage) -> Any:
    person = stage.anybody()
    if person.is_active:
        return deactivate(user=person, by=ledger.SYSTEM, reason="Left.")
    return reactivate(user=person, by=ledger.SYSTEM)


def lose_a_role(stage: Stage) -> Any:
    rows = RoleAssignment.objects.filter(ended_at__isnull=True, user__in=stage.people)
    return end_role(assignment=stage.random.choice(list(rows)), by=ledger.SYSTEM, reason="Moved on.")


def win_a_role(stage: Stage) -> Any:
    role = stage.random.choice(("business_owner", "technical_lead", "use_case_lead"))
    return assign_role(user=stage.anybody(), role=role, on=stage.now(), by=ledger.SYSTEM)


def ask_for_release(stage: Stage) -> Any:
    gate = _next_gate(stage) if stage.random.random() < 0.8 else stage.random.choice(GATES)[0]
    hours = stage.random.choice((1, 12, 24, 30))
    person = stage.one(stage.random.choice(("business_sponsor", "ai_governance_board")))
    return request_emergency(use_case=stage.now(), gate=gate, reason="Flood in the valley.", hours=hours, by=person)


def confirm_release(stage: Stage) -> Any:
    row = stage.random.choice(list(EmergencyRelease.objects.filter(state="requested")))
    person = stage.random.choice((fresh(row.requested_by), stage.one("ai_governance_board")))
    return confirm_emergency(release=row, by=person)


def end_release(stage: Stage) -> Any:
    row = stage.random.choice(list(EmergencyRelease.objects.filter(state="active")))
    return end_emergency(release=row, by=stage.one("ai_governance_board"))


def sweep(_stage: Stage) -> Any:
    return expire()


BEFORE: tuple[tuple[Move, int], ...] = (
    (submit, 24),
    (fill_in, 5),
    (empty, 6),
    (ask_for_waiver, 14),
    (ask_for_release, 3),
    (ask_to_end, 2),
    (sign_something_closed, 2),
)
"""What people mostly do while nothing is submitted."""
MEANWHILE: tuple[tuple[Move, int], ...] = (
    (sign_open, 16),
    (sign_all, 20),
    (go, 14),
    (go_with_conditions, 10),
    (decide_anything, 3),
    (withdraw, 1),
    (refresh, 2),
    (declare_interest, 3),
    (submit, 1),
)
"""What they mostly do while a review is open."""
ALWAYS: tuple[tuple[Move, int], ...] = (
    (edit, 4),
    (change_tier, 2),
    (vote_on_a_waiver, 7),
    (end_a_waiver, 1),
    (report, 5),
    (close_one, 5),
    (end_interest, 1),
    (hand_over, 3),
    (take_over_again, 1),
    (leave, 1),
    (lose_a_role, 1),
    (win_a_role, 2),
    (confirm_release, 4),
    (end_release, 1),
    (sweep, 2),
)


def moves_for(stage: Stage) -> list[tuple[Move, int]]:
    """Moves with their weights, by whether a review is open."""
    return [*(MEANWHILE if _reviews(stage).filter(state="open").exists() else BEFORE), *ALWAYS]


def _decide(stage: Stage, outcome: str) -> Any:
    review = _open(stage)
    more: dict[str, Any] = {"reason": "Because."}
    if outcome == "go_with_conditions":
        more["conditions"] = [_condition(stage, n) for n in range(stage.random.choice((0, 1, 1, 2, 2, 5, 6)))]
    elif outcome == "stop":
        more |= {"reason_code": stage.random.choice(STOP_REASONS), "plan": PLAN}
    elif outcome == "pivot":
        more["to_stage"] = stage.random.choice(("idea", "poc", "pilot"))
    elif outcome == "retire":
        more["plan"] = {**PLAN, "notice_on": timezone.localdate().isoformat()}
    return decide(review=review, outcome=outcome, by=stage.one("portfolio_manager"), digest=review.digest, **more)


def _condition(stage: Stage, n: int) -> dict[str, Any]:
    return {
        "text": f"Train the deputies {n}",
        "scope": "All branches",
        "owner": stage.one("technical_lead"),
        "due_on": timezone.localdate() + timedelta(days=stage.random.choice((-2, 5, 5, 20, 20, 60, 60))),
        "evidence_wanted": "A list of names",
    }


def _reviews(stage: Stage) -> QuerySet[Review, Review]:
    return Review.objects.filter(use_case=stage.use_case)


def _open(stage: Stage) -> Review:
    found = _reviews(stage).filter(state="open").first()
    if found is None:
        raise IndexError("There is no open review.")
    return found


def _next_gate(stage: Stage) -> str:
    here = stage.now().stage
    return next((gate for gate, source, _target in GATES if source == here), GATES[-1][0])
