"""A decision and a change of facts at the same moment: no decision is ever made on votes that the change made stale."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from accounts.models import User
from gates.models import Decision, Review, SignOff
from gates.services.decisions import decide
from gates.services.reviews import submit_review
from gates.services.sign_offs import sign
from governance.services import raise_issue
from kernel.errors import Conflict
from ledger import SYSTEM
from ledger.models import Event
from portfolio.models import UseCase
from portfolio.services import edit_use_case
from tests.factories.accounts import give, person_with
from tests.factories.gates import PAIR, small_policy
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db(transaction=True)
log = logging.getLogger(__name__)
CHANGES = ("use_case.edited", "issue.raised", "role.assigned")


class Company:
    """One unit with everybody who is needed; each race takes a new use case of it."""

    def __init__(self) -> None:
        small_policy()
        self.unit = UnitFactory.create()
        self.signers = {role: person_with(role, self.unit) for role in PAIR}
        self.lead = person_with("use_case_lead", self.unit)
        self.manager = person_with("portfolio_manager", organisation())
        self.dice = random.Random(7)
        self.takes = self._measure()
        """How long a decision takes on this machine now: the change starts somewhere in that time, or just after."""

    def _measure(self) -> float:
        review, started = self.signed_review(), time.monotonic()
        decide(review=review, outcome="go", by=self.manager, digest=review.digest)
        return time.monotonic() - started

    def signed_review(self) -> Review:
        use_case = UseCaseFactory.create(unit=self.unit, problem_statement="Slow.", target_users="Clerks")
        UseCase.objects.filter(pk=use_case.pk).update(tier="limited")
        use_case.refresh_from_db()
        review = submit_review(use_case=use_case, gate="idea_to_poc", by=self.lead)
        for role in PAIR:
            sign(review=review, role=role, verdict="approve", digest=review.digest, by=self.signers[role])
        return review

    def race(self) -> tuple[Review, Any]:
        """Decide and change at once; the review, and what the decision gave or raised."""
        review = self.signed_review()
        pause, head_start = self.dice.uniform(0, 1.6 * self.takes), self.dice.uniform(0, 0.8 * self.takes)
        changes = (self._edit, self._raise)
        change = changes[self.dice.randrange(len(changes))]
        barrier = Barrier(2)

        def decision() -> Any:
            try:
                barrier.wait()
                time.sleep(head_start)
                # The person as their own request would load them.
                by = User.objects.get(pk=self.manager.pk)
                return decide(review=review, outcome="go", by=by, digest=review.digest)
            except (Conflict, PermissionDenied) as refused:
                return refused
            finally:
                connection.close()

        def disturbance() -> None:
            try:
                barrier.wait()
                time.sleep(pause)
                change(UseCase.objects.get(pk=review.use_case_id))
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            decided, disturbed = pool.submit(decision), pool.submit(disturbance)
            disturbed.result()
            return review, decided.result()

    def _edit(self, use_case: UseCase) -> None:
        edit_use_case(use_case=use_case, changes={"target_users": f"Clerks {self.dice.random()}"}, by=SYSTEM)
        edit_use_case(use_case=use_case, changes={"problem_statement": f"Slow {self.dice.random()}"}, by=SYSTEM)

    def _raise(self, use_case: UseCase) -> None:
        raise_issue(use_case=use_case, kind="assumption", title="Is the mail readable?", severity="medium", by=SYSTEM)


def outcome_of(review: Review, result: Any) -> str:
    """Checks the one rule, and says who was first."""
    changes = Event.objects.filter(use_case_id=str(review.use_case_id), action__in=CHANGES).order_by("index")
    first_change = changes.values_list("index", flat=True).first()
    assert first_change is not None
    decision = Decision.objects.filter(review=review).first()
    if decision is None:
        assert isinstance(result, Conflict), repr(result)
        live = SignOff.objects.filter(
            review=review, lapsed_at__isnull=True, digest=Review.objects.get(pk=review.pk).digest
        )
        if result.code == "snapshot_renewed":
            assert not live.exists(), "votes on the old snapshot go on counting"
        return f"refused ({result.code})"
    made = Event.objects.get(action="decision.made", subject_id=str(decision.pk)).index
    assert made < first_change, f"{review}: decided on facts that had changed: {first_change} before {made}"
    assert decision.digest == review.digest
    return "decided before the change"


def run(races: int) -> Counter[str]:
    company, found = Company(), Counter[str]()
    for number in range(1, races + 1):
        found[outcome_of(*company.race())] += 1
        if number % 50 == 0:
            log.info("%s, %d races: %s", connection.vendor, number, dict(found))
    return found


def test_no_decision_rests_on_stale_votes() -> None:
    found = run(60)
    assert sum(found.values()) == 60


@pytest.mark.long
def test_no_decision_rests_on_stale_votes_in_a_thousand_races() -> None:
    found = run(1000)
    assert sum(found.values()) == 1000
    assert len(found) > 1, "one side always won: the race is none"


def test_a_role_that_changes_hands_on_a_unit_makes_a_decision_begin_again() -> None:
    """What concerns no single use case counts as well: the decision is made anew on what is there then."""
    company = Company()
    review = company.signed_review()
    barrier = Barrier(2)

    def run_both(deed: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return deed()
        finally:
            connection.close()

    another = person_with("auditor", organisation())
    with ThreadPoolExecutor(2) as pool:
        decided = pool.submit(
            run_both, lambda: decide(review=review, outcome="go", by=company.manager, digest=review.digest)
        )
        given = pool.submit(run_both, lambda: give(another, "domain_expert", company.unit))
        given.result()
        assert decided.result().outcome == "go"
