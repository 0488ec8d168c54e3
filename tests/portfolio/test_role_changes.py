"""Who holds a role is a fact: a change is announced for the use cases it concerns."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.services import Grant, assign_roles_bulk, end_role
from ledger import SYSTEM
from portfolio.signals import facts_changed, portfolio_changed
from tests.factories.accounts import PersonFactory, give
from tests.factories.portfolio import UnitFactory, UseCaseFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard() -> Any:
    """What was announced: sets of use case ids."""
    announced: list[set[Any]] = []

    def one(use_case_id: Any, **_more: Any) -> None:
        announced.append({use_case_id})

    def many(use_case_ids: Any, **_more: Any) -> None:
        announced.append(set(use_case_ids))

    facts_changed.connect(one)
    portfolio_changed.connect(many)
    yield announced
    facts_changed.disconnect(one)
    portfolio_changed.disconnect(many)


def test_a_role_on_a_use_case_concerns_it_alone(
    heard: list[Any], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    use_case = UseCaseFactory.create()
    with django_capture_on_commit_callbacks(execute=True):
        assignment = give(PersonFactory.create(), "technical_lead", use_case)
    with django_capture_on_commit_callbacks(execute=True):
        end_role(assignment=assignment, by=SYSTEM)
    assert heard == [{use_case.pk}, {use_case.pk}]


def test_a_role_on_a_unit_concerns_everything_below_in_one_announcement(
    heard: list[Any], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    retail = UnitFactory.create()
    a, b = UseCaseFactory.create(unit=retail), UseCaseFactory.create(unit=UnitFactory.create(parent=retail))
    UseCaseFactory.create()
    with django_capture_on_commit_callbacks(execute=True):
        give(PersonFactory.create(), "data_steward", retail)
    assert heard == [{a.pk, b.pk}]


def test_a_batch_is_one_announcement(
    heard: list[Any], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    a, b = UseCaseFactory.create(), UseCaseFactory.create()
    person = PersonFactory.create()
    with django_capture_on_commit_callbacks(execute=True):
        assign_roles_bulk(grants=[Grant(person, "technical_lead", case) for case in (a, b)], by=SYSTEM)
    assert heard == [{a.pk, b.pk}]
