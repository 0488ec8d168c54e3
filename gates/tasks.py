"""Background work of the gates. Every task may run twice; the database is the truth, the broker only wakes workers."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from gates.assessment import assess
from gates.assurance import reassess
from gates.assurance_escalation import escalate_overdue
from gates.breach_days import chase_breaches
from gates.breaching import open_owed
from gates.call_days import press_calls, settle_calls
from gates.calling import call_due_reviews
from gates.condition_days import remind_owners, tell_overdue
from gates.emergency_end import end_due_releases, suspend_unreviewed
from gates.escalation import chase_late_reviews
from gates.lapsing import lapse_all, open_reviews
from gates.models import Assessment, CriterionFinding
from gates.simulating import simulate
from gates.waiver_deadlines import remind_of_ends
from ledger.context import ledger_context
from portfolio.models import UseCase

MOST_AT_ONCE = 500


@shared_task(name="gates.tasks.reassess_use_case", soft_time_limit=60, time_limit=90)
def reassess_use_case(use_case_id: str) -> None:
    """Judge one use case again after its facts changed."""
    with ledger_context(auth_method="worker"):
        ids = [UUID(use_case_id)]
        settle_calls(ids)
        call_due_reviews(ids)
        open_owed(ids)
        assess(ids)
        reassess(ids)


@shared_task(name="gates.tasks.assess_all", soft_time_limit=900, time_limit=960)
def assess_all() -> None:
    """Judge every use case again, such as after an import or a new policy version."""
    with ledger_context(auth_method="worker"):
        assess()
        reassess()


@shared_task(name="gates.tasks.simulate_policy", soft_time_limit=900, time_limit=960)
def simulate_policy(simulation_id: str) -> None:
    """Judge the portfolio by a draft policy."""
    simulate(UUID(simulation_id))


@shared_task(name="gates.tasks.sweep", soft_time_limit=240, time_limit=300)
def sweep() -> int:
    """Do what a lost message would have done: judge what is in the queue, and what was never judged at all."""
    due = list(
        Assessment.objects.filter(Assessment.due()).order_by("asked_at").values_list("pk", flat=True)[:MOST_AT_ONCE]
    )
    room = MOST_AT_ONCE - len(due)
    if room > 0:
        due += UseCase.objects.filter(assessment__isnull=True).values_list("pk", flat=True)[:room]
    if due:
        with ledger_context(auth_method="worker"):
            open_owed(due)
            assess(due)
            reassess(due)
    return len(due)


@shared_task(name="gates.tasks.expire", soft_time_limit=240, time_limit=300)
def expire() -> int:
    """Judge again what has run out since it was found, and lapse the votes that are too old to count."""
    with ledger_context(auth_method="worker"):
        lapse_all()
    ran_out = CriterionFinding.objects.filter(valid_until__lte=timezone.now(), outcome__in=("met", "waived"))
    ids = list(ran_out.values_list("use_case_id", flat=True).distinct()[:MOST_AT_ONCE])
    if ids:
        with ledger_context(auth_method="worker"):
            assess(ids)
            reassess(ids)
    return len(ids)


@shared_task(name="gates.tasks.escalate", soft_time_limit=240, time_limit=300)
def escalate() -> int:
    """Take a level up what is at risk past its due date, and tell of waivers that end."""
    with ledger_context(auth_method="worker"):
        return escalate_overdue() + remind_of_ends()


@shared_task(name="gates.tasks.watch_conditions", soft_time_limit=240, time_limit=300)
def watch_conditions() -> int:
    """Remind of conditions that fall due, tell of those that are overdue, and judge their use cases again."""
    with ledger_context(auth_method="worker"):
        told = remind_owners()
        late = list(tell_overdue())
        if late:
            assess(late)
            reassess(late)
        return told + len(late)


@shared_task(name="gates.tasks.lapse_votes", soft_time_limit=240, time_limit=300)
def lapse_votes(scope_kind: str = "", scope_ids: Sequence[str] = ()) -> int:
    """Lapse votes of people who left, lost their role or took a delegation back; of some units or use cases, or all."""
    reviews = open_reviews(scope_kind=scope_kind, scope_ids=[UUID(pk) for pk in scope_ids]) if scope_kind else None
    with ledger_context(auth_method="worker"):
        return lapse_all(reviews)


@shared_task(name="gates.tasks.call_reviews", soft_time_limit=540, time_limit=600)
def call_reviews() -> int:
    """Settle the review calls that were answered, call what is due, remind of the rest and take what is late up."""
    with ledger_context(auth_method="worker"):
        return settle_calls() + call_due_reviews() + press_calls()


@shared_task(name="gates.tasks.watch_breaches", soft_time_limit=240, time_limit=300)
def watch_breaches() -> int:
    """Open the decisions that breaches owe, remind of those that are late and take them a level up."""
    with ledger_context(auth_method="worker"):
        opened = open_owed()
        late = chase_breaches()
        if late:
            assess(late)
            reassess(late)
        return opened + len(late)


@shared_task(name="gates.tasks.end_emergencies", soft_time_limit=240, time_limit=300)
def end_emergencies() -> int:
    """End emergency releases whose time is up, and suspend what was never reviewed after one."""
    with ledger_context(auth_method="worker"):
        return end_due_releases() + suspend_unreviewed()


@shared_task(name="gates.tasks.chase_reviews", soft_time_limit=240, time_limit=300)
def chase_reviews() -> int:
    """Remind of decisions past their time, and take a level up those past twice their time."""
    with ledger_context(auth_method="worker"):
        return chase_late_reviews()


def wake(use_case_id: UUID) -> None:
    """Ask a worker to judge a use case; a burst of changes within two seconds wakes it once."""
    if cache.add(f"gates:woken:{use_case_id}", 1, timeout=2):
        reassess_use_case.apply_async((str(use_case_id),), countdown=1)
