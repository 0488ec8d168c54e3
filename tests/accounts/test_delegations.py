"""Delegations: the same role at most, 30 days at most, no chains, one's own alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

import ledger
from accounts.models import Absence, Delegation, User
from accounts.services import (
    cancel_absence,
    deactivate,
    delegate,
    end_delegation,
    end_role,
    record_absence,
    shared_roles,
)
from kernel.errors import Conflict, Invalid
from ledger.models import Event
from notify.delegation_notices import tell_of_delegation
from notify.models import Notice
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, person_with
from tests.factories.portfolio import UnitFactory

pytestmark = pytest.mark.django_db
ROLE = "business_owner"


def two(role: str = ROLE) -> tuple[User, User]:
    return person_with(role, UnitFactory.create()), person_with(role, UnitFactory.create())


def give_away(giver: User, stand_in: User, *, days: float = 10, after: float = 0, **more: Any) -> Delegation:
    begin = timezone.now() + timedelta(days=after)
    more = {"by": giver, "role": ROLE, **more}
    return delegate(giver=giver, stand_in=stand_in, starts_at=begin, ends_at=begin + timedelta(days=days), **more)


def test_a_delegation_is_recorded_and_both_are_told() -> None:
    giver, stand_in = two()
    row = give_away(giver, stand_in)
    event = Event.objects.get(action="delegation.given")
    assert event.subject_id == str(row.pk)
    assert giver.full_name not in event.body
    assert giver.full_name not in event.subject_label
    tell_of_delegation(row.pk, "given")
    tell_of_delegation(row.pk, "given")
    assert set(Notice.objects.values_list("recipient", flat=True)) == {giver.pk, stand_in.pk}
    assert Notice.objects.count() == 2


def test_thirty_days_are_allowed_and_no_moment_more() -> None:
    giver, stand_in = two()
    with pytest.raises(Invalid) as wrong:
        give_away(giver, stand_in, days=30.001)
    assert "ends_at" in wrong.value.errors
    give_away(giver, stand_in, days=29.999)


def test_thirty_days_after_thirty_days_are_sixty() -> None:
    giver, stand_in = two()
    give_away(giver, stand_in, days=20)
    with pytest.raises(Conflict, match="on end"):
        give_away(giver, stand_in, days=20, after=20.5)
    give_away(giver, stand_in, days=20, after=22)


def test_taking_it_back_on_the_last_day_does_not_begin_anew() -> None:
    giver, stand_in = two()
    row = give_away(giver, stand_in, days=29)
    Delegation.objects.filter(pk=row.pk).update(
        starts_at=timezone.now() - timedelta(days=28), ends_at=timezone.now() + timedelta(days=1)
    )
    end_delegation(delegation=row, by=giver)
    with pytest.raises(Conflict, match="on end"):
        give_away(giver, stand_in, days=29)


@pytest.mark.parametrize("days", [0, -1])
def test_it_ends_after_it_begins(days: int) -> None:
    giver, stand_in = two()
    with pytest.raises(Invalid):
        give_away(giver, stand_in, days=days)


def test_a_stand_in_holds_the_role_already() -> None:
    giver, _other = two()
    for stranger in (PersonFactory.create(), person_with("technical_lead", UnitFactory.create())):
        with pytest.raises(Invalid) as wrong:
            give_away(giver, stranger)
        assert "stand_in" in wrong.value.errors


def test_a_role_that_has_ended_is_no_role() -> None:
    giver, stand_in = two()
    end_role(assignment=stand_in.role_assignments.get(), by=ledger.SYSTEM)
    with pytest.raises(Invalid):
        give_away(giver, stand_in)


def test_nobody_gives_what_they_do_not_hold() -> None:
    _giver, stand_in = two()
    with pytest.raises(Invalid) as wrong:
        give_away(person_with("technical_lead", UnitFactory.create()), stand_in)
    assert "role" in wrong.value.errors


@pytest.mark.parametrize("role", ["use_case_lead", "portfolio_manager", "made_up"])
def test_only_a_role_that_signs_is_delegated(role: str) -> None:
    giver, stand_in = two()
    with pytest.raises(Invalid):
        give_away(giver, stand_in, role=role)


def test_no_chains_in_either_direction() -> None:
    first, second = two()
    third = person_with(ROLE, UnitFactory.create())
    give_away(first, second)
    with pytest.raises(Conflict, match="no chains"):
        give_away(second, third)
    with pytest.raises(Conflict, match="stands in for them"):
        give_away(third, first)


def test_a_chain_that_begins_later_is_one_too() -> None:
    first, second = two()
    third = person_with(ROLE, UnitFactory.create())
    give_away(first, second, days=10, after=5)
    with pytest.raises(Conflict, match="no chains"):
        give_away(second, third, days=6)
    give_away(second, third, days=4.9)


def test_one_stand_in_at_a_time() -> None:
    first, second = two()
    give_away(first, second)
    with pytest.raises(Conflict, match="already"):
        give_away(first, person_with(ROLE, UnitFactory.create()))


def test_nobody_gives_for_another_and_no_token_gives_at_all() -> None:
    giver, stand_in = two()
    with pytest.raises(PermissionDenied):
        give_away(giver, stand_in, by=stand_in)
    with pytest.raises(PermissionDenied):
        give_away(giver, stand_in, by=person_with("system_admin", UnitFactory.create()))
    giver.token_scopes = frozenset({"gate.sign"})
    with pytest.raises(PermissionDenied, match="token"):
        give_away(giver, stand_in)


def test_machines_oneself_and_who_left_do_not_stand_in() -> None:
    giver, gone = two()
    deactivate(user=gone, by=ledger.SYSTEM, reason="Left.")
    gone.refresh_from_db()
    for nobody in (giver, gone, ServiceAccountFactory.create()):
        with pytest.raises(Invalid):
            give_away(giver, nobody)


def test_either_may_end_it_once_and_a_stranger_may_not() -> None:
    giver, stand_in = two()
    row = give_away(giver, stand_in)
    with pytest.raises(PermissionDenied):
        end_delegation(delegation=row, by=PersonFactory.create())
    end_delegation(delegation=row, by=stand_in)
    with pytest.raises(Conflict):
        end_delegation(delegation=row, by=giver)
    assert Event.objects.filter(action="delegation.ended").count() == 1


def test_an_absence_gives_the_roles_that_both_hold_in_one_step_and_ending_it_takes_them_back() -> None:
    giver, stand_in = two()
    today = timezone.localdate()
    assert shared_roles(giver, stand_in) == [ROLE]
    absence = record_absence(
        person=giver,
        starts_on=today,
        ends_on=today + timedelta(days=60),
        stand_in=stand_in,
        roles=[ROLE],
        by=giver,
    )
    row = Delegation.objects.get()
    assert timedelta(days=29.99) < row.ends_at - row.starts_at <= timedelta(days=30)
    cancel_absence(absence=absence, by=giver)
    row.refresh_from_db()
    assert row.is_over
    with pytest.raises(Conflict):
        cancel_absence(absence=absence, by=giver)


def test_an_absence_whose_delegation_is_refused_is_not_recorded_either() -> None:
    giver, _other = two()
    today = timezone.localdate()
    with pytest.raises(Invalid):
        record_absence(
            person=giver,
            starts_on=today,
            ends_on=today + timedelta(days=3),
            stand_in=PersonFactory.create(),
            roles=[ROLE],
            by=giver,
        )
    assert not Absence.objects.exists()


def test_absences_do_not_overlap_end_before_they_begin_or_lie_behind() -> None:
    person = PersonFactory.create()
    today = timezone.localdate()

    def away(first: int, last: int) -> Absence:
        return record_absence(
            person=person, starts_on=today + timedelta(days=first), ends_on=today + timedelta(days=last), by=person
        )

    away(1, 5)
    for first, last in ((5, 8), (0, 1), (2, 3)):
        with pytest.raises(Conflict):
            away(first, last)
    for first, last in ((9, 8), (-5, -1)):
        with pytest.raises(Invalid):
            away(first, last)


def test_nobody_says_for_another_when_they_are_away() -> None:
    person = PersonFactory.create()
    today = timezone.localdate()
    with pytest.raises(PermissionDenied):
        record_absence(person=person, starts_on=today, ends_on=today, by=PersonFactory.create())
