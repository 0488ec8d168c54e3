"""Waivers when two people act at once: one number each, one request, one vote a person, no decision on an ended one."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from gates.models import Decision, Waiver, WaiverVote
from gates.services.decisions import decide
from gates.services.waivers import revoke_waiver, vote_on_waiver
from kernel.errors import Conflict
from ledger.models import Event
from tests.factories.waivers import ask_for, board_member, grant, risk_officer
from tests.gates.test_races import at_once
from tests.gates.test_waivers import failing

pytestmark = pytest.mark.django_db(transaction=True)


def as_themselves(user: User) -> User:
    """The person as their own request would load them."""
    return User.objects.get(pk=user.pk)


def test_of_two_who_ask_for_the_same_at_once_one_does() -> None:
    case = failing()
    lead, technical = case.lead, case.signers["technical_lead"]
    found = at_once(*(lambda by=by: ask_for(case, by=as_themselves(by)) for by in (lead, technical)))
    assert sorted(type(one).__name__ for one in found) == ["Conflict", "Waiver"]
    assert Waiver.objects.count() == 1


def test_two_approvals_at_once_both_count_and_grant_it_once() -> None:
    case = failing("high")
    waiver = ask_for(case)
    people = [risk_officer(), board_member()]

    def vote(by: User) -> Any:
        return vote_on_waiver(waiver=waiver, verdict="approve", by=as_themselves(by))

    found = at_once(*(lambda by=by: vote(by) for by in people))
    assert [type(one) for one in found] == [Waiver, Waiver]
    assert Waiver.objects.get().state == "approved"
    assert Event.objects.filter(action="waiver.approved").count() == 1


def test_one_person_who_approves_twice_at_once_has_one_vote() -> None:
    case = failing("high")
    waiver, member = ask_for(case), board_member()
    at_once(*(lambda: vote_on_waiver(waiver=waiver, verdict="approve", by=as_themselves(member)) for _ in range(3)))
    assert WaiverVote.objects.count() == 1
    assert Waiver.objects.get().state == "requested"


def test_no_decision_is_made_on_a_waiver_that_is_revoked_at_the_same_moment() -> None:
    case = failing()
    waiver = grant(case)
    review = case.submit()
    case.sign_all(review)
    review.refresh_from_db()
    officer = risk_officer()

    def decision() -> Any:
        return decide(review=review, outcome="go", by=as_themselves(case.manager), digest=review.digest)

    def revocation() -> Any:
        return revoke_waiver(waiver=waiver, by=as_themselves(officer), reason="The control is not kept.")

    found = at_once(decision, revocation)
    assert isinstance(found[1], Waiver)
    decided = Event.objects.filter(action="decision.made").first()
    revoked = Event.objects.get(action="waiver.revoked")
    if isinstance(found[0], Conflict):
        assert not Decision.objects.exists()
    else:
        assert decided is not None
        assert decided.index < revoked.index
