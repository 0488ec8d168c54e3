"""Two people at once: exactly one wins, the other is told."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from gates.models import Decision, Review, SignOff
from gates.services.decisions import decide
from gates.services.reviews import submit_review
from gates.services.sign_offs import sign
from kernel.errors import Conflict
from portfolio.models import StageChange
from tests.factories.accounts import person_with
from tests.factories.gates import ready_case
from tests.factories.portfolio import organisation

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """What each of these gives or raises when all of them start together."""
    barrier = Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return deed()
        except (Conflict, PermissionDenied) as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def test_of_two_people_who_decide_at_once_exactly_one_wins() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    review.refresh_from_db()
    other = person_with("portfolio_manager", organisation())

    def deed(person: Any, outcome: str) -> Callable[[], Any]:
        return lambda: decide(review=review, outcome=outcome, by=person, digest=review.digest, reason="It is time.")

    found = at_once(deed(case.manager, "go"), deed(other, "return"))
    assert sorted(type(one).__name__ for one in found) == ["Conflict", "Decision"]
    assert Decision.objects.count() == 1
    assert StageChange.objects.filter(decision_id__isnull=False).count() <= 1


def test_one_person_who_signs_twice_at_once_has_one_vote() -> None:
    case = ready_case()
    review = case.submit()
    owner = case.signers["business_owner"]

    def deed() -> SignOff:
        return sign(review=review, role="business_owner", verdict="approve", digest=review.digest, by=owner)

    found = at_once(deed, deed, deed)
    assert [type(one) for one in found].count(SignOff) == 1
    assert SignOff.objects.count() == 1


def test_two_people_who_sign_at_once_both_count() -> None:
    case = ready_case()
    review = case.submit()

    def deed(role: str) -> Callable[[], Any]:
        person = case.signers[role]
        return lambda: sign(review=review, role=role, verdict="approve", digest=review.digest, by=person)

    found = at_once(*(deed(role) for role in case.signers))
    assert [type(one) for one in found] == [SignOff, SignOff]


def test_of_two_submissions_at_once_one_opens_a_review() -> None:
    case = ready_case()
    second = person_with("transition_owner", case.use_case)

    def deed(person: Any) -> Callable[[], Any]:
        return lambda: submit_review(use_case=case.use_case, gate="idea_to_poc", by=person)

    found = at_once(deed(case.lead), deed(second))
    assert sorted(type(one).__name__ for one in found) == ["Conflict", "Review"]
    assert Review.objects.count() == 1
