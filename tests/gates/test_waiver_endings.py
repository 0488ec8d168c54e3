"""A waiver taken back, revoked or renewed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from gates.models import Waiver
from gates.services.waivers import request_waiver, revoke_waiver, vote_on_waiver, withdraw_waiver
from kernel.errors import Conflict, Invalid
from tests.factories.waivers import ask_for, grant, in_days, risk_officer
from tests.gates.test_waivers import approve, failing, refused

pytestmark = pytest.mark.django_db


def test_who_asked_takes_it_back_and_nobody_else() -> None:
    case = failing()
    waiver = ask_for(case)
    other = case.signers["technical_lead"]
    refused(lambda: withdraw_waiver(waiver=waiver, by=other), PermissionDenied, "Only the person who asked")
    assert withdraw_waiver(waiver=waiver, by=case.lead).state == "withdrawn"
    refused(lambda: approve(waiver, risk_officer()), Conflict, "withdrawn")
    assert ask_for(case).state == "requested"


def test_a_granted_waiver_is_revoked_with_a_reason_by_who_may_approve() -> None:
    case = failing()
    waiver, officer = grant(case), risk_officer()
    refused(lambda: revoke_waiver(waiver=waiver, by=case.lead, reason="x"), PermissionDenied, "needs one of")
    refused(lambda: revoke_waiver(waiver=waiver, by=officer, reason=" "), Invalid, "reason")
    refused(lambda: withdraw_waiver(waiver=waiver, by=case.lead), Conflict, "closed: approved")
    before = timezone.now()
    found = revoke_waiver(waiver=waiver, by=officer, reason="The control is not kept.")
    assert found.state == "revoked"
    assert not found.holds(timezone.now())
    assert found.holds(before - timedelta(microseconds=1)) == (found.settled_at < before)  # type: ignore[operator]
    refused(lambda: revoke_waiver(waiver=waiver, by=officer, reason="x"), Conflict, "not in force")


# --- renewing


def test_it_is_renewed_once() -> None:
    case = failing()
    first = grant(case, days=30)
    second = grant(case, days=60, renews=first)
    assert second.renews == first
    refused(lambda: ask_for(case, renews=second), Conflict, "renewed once")
    refused(lambda: ask_for(case, renews=first), Conflict, "renewed once")
    refused(lambda: ask_for(case), Conflict, "renewed once")


def test_asking_anew_for_what_has_just_ended_is_a_renewal_by_another_name() -> None:
    case = failing()
    first = grant(case, days=30)
    refused(lambda: ask_for(case), Conflict, "W-1 holds until")
    with time_machine.travel(timezone.now() + timedelta(days=40)):
        refused(lambda: ask_for(case), Conflict, "W-1 held until")
        grant(case, days=30, renews=first)
    with time_machine.travel(timezone.now() + timedelta(days=100)):
        refused(lambda: ask_for(case), Conflict, "renewed once")
    with time_machine.travel(timezone.now() + timedelta(days=40 + 30 + 366)):
        assert ask_for(case).state == "requested"


def test_a_renewal_that_came_to_nothing_does_not_use_it_up() -> None:
    case = failing()
    first = grant(case)
    withdraw_waiver(waiver=ask_for(case, renews=first), by=case.lead)
    vote_on_waiver(waiver=ask_for(case, renews=first), verdict="refuse", by=risk_officer(), reason="Not yet.")
    assert ask_for(case, renews=first).renews == first


@pytest.mark.parametrize("how", ["other", "requested", "revoked"])
def test_only_a_granted_waiver_of_the_same_criterion_is_renewed(how: str) -> None:
    case = failing()
    if how == "other":
        renews = grant(failing(policy=False))
    else:
        renews = grant(case)
        Waiver.objects.filter(pk=renews.pk).update(state="withdrawn" if how == "requested" else "revoked")
        renews.refresh_from_db()
    wrong = refused(lambda: ask_for(case, renews=renews), Invalid, "")
    assert list(wrong.errors) == ["renews"]


def test_a_renewal_needs_its_own_approvals() -> None:
    case = failing()
    second = ask_for(case, renews=grant(case))
    assert second.state == "requested"
    assert list(second.votes.all()) == []
    refused(lambda: approve(second, case.lead), PermissionDenied, "")


def test_the_service_takes_what_the_interface_says() -> None:
    case = failing()
    given: dict[str, Any] = {"reason": "Because.", "compensating_control": "Four eyes.", "expires_at": in_days(9)}
    made = request_waiver(use_case=case.use_case, gate="idea_to_poc", criterion="IP-03", by=case.lead, **given)
    assert vote_on_waiver(waiver=made, verdict="approve", by=risk_officer(), role="risk_compliance").state == "approved"
