"""Emergency release: two people, a day at most, an incident, a review owed. Every way around it is tried."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.models import Delegation
from accounts.services import deactivate
from gates import tasks
from gates.assurance import reassess
from gates.models import EmergencyRelease, GateAssurance, ReviewCall
from gates.services.emergencies import (
    confirm_emergency,
    end_emergency,
    refuse_emergency,
    request_emergency,
    why_not_confirm,
    why_not_request,
)
from gates.verdict import verdict
from governance.models import Incident
from kernel.errors import Conflict, Invalid
from ledger import SYSTEM
from ledger.models import Event
from notify.models import Notice
from portfolio.models import UseCase
from portfolio.services import hold
from tests.factories.accounts import ServiceAccountFactory, give, person_with
from tests.factories.gates import Case, ready_case
from tests.factories.portfolio import organisation

pytestmark = pytest.mark.django_db

GATE = "idea_to_poc"
REASON = "The old service is down and patients wait for their letters."


class Scene:
    """A use case with a sponsor and operations, who may release it together."""

    def __init__(self, **fields: Any) -> None:
        self.case: Case = ready_case(**fields)
        self.sponsor = person_with("business_sponsor", self.case.use_case)
        self.operations = person_with("it_operations", self.case.use_case)

    def ask(self, **more: Any) -> EmergencyRelease:
        given = {"use_case": self.case.use_case, "gate": GATE, "reason": REASON, "by": self.operations, **more}
        return request_emergency(**given)

    def release(self) -> EmergencyRelease:
        return confirm_emergency(release=self.ask(), by=self.sponsor)

    def allowed(self) -> bool:
        self.case.use_case.refresh_from_db()
        return bool(verdict(self.case.use_case, GATE)["allowed"])


def test_two_people_release_the_next_gate_for_a_time_and_everybody_is_told() -> None:
    scene = Scene()
    release = scene.ask(hours=6)
    assert not scene.allowed()
    release = confirm_emergency(release=release, by=scene.sponsor)
    assert release.state == "active"
    assert release.ends_at is not None
    assert release.answered_at is not None
    assert release.ends_at - release.answered_at == timedelta(hours=6)
    assert scene.allowed()
    assert scene.case.use_case.stage == "idea"
    told = set(Notice.objects.filter(kind="emergency.confirmed").values_list("recipient__email", flat=True))
    signers = {p.email for p in scene.case.signers.values()}
    assert told >= signers | {scene.sponsor.email, scene.operations.email, scene.case.manager.email}
    actions = list(
        Event.objects.filter(action__startswith="emergency.").order_by("index").values_list("action", flat=True)
    )
    assert actions == ["emergency.requested", "emergency.confirmed"]


def test_it_opens_an_incident_and_owes_a_full_review_within_five_days() -> None:
    release = Scene().release()
    incident = Incident.objects.get()
    assert (incident.severity, release.incident) == ("sev2", incident)
    assert REASON in incident.description
    call = ReviewCall.objects.get()
    assert (call.cause, call.gate, release.call) == ("emergency", GATE, call)
    assert release.answered_at is not None
    assert call.due_at == release.answered_at + timedelta(days=5)


def test_nobody_confirms_their_own_request() -> None:
    scene = Scene()
    release = scene.ask(by=scene.sponsor)
    with pytest.raises(PermissionDenied, match="second person"):
        confirm_emergency(release=release, by=scene.sponsor)
    with pytest.raises(PermissionDenied, match="end it instead"):
        refuse_emergency(release=release, by=scene.sponsor, reason="No.")
    assert "second person" in why_not_confirm(release, scene.sponsor)
    assert why_not_confirm(release, scene.operations) == ""


def test_two_of_operations_are_not_enough() -> None:
    scene = Scene()
    other = person_with("it_operations", scene.case.use_case)
    with pytest.raises(PermissionDenied, match="business sponsor or a member"):
        confirm_emergency(release=scene.ask(), by=other)
    member = person_with("ai_governance_board", organisation())
    assert confirm_emergency(release=EmergencyRelease.objects.get(), by=member).state == "active"


@pytest.mark.parametrize("direction", ["requester gives", "confirmer gives"])
def test_somebody_and_their_stand_in_are_one_person(direction: str) -> None:
    scene = Scene()
    release = scene.ask()
    giver, stand_in = scene.operations, scene.sponsor
    if direction == "confirmer gives":
        giver, stand_in = stand_in, giver
    now = timezone.now()
    delegation = Delegation.objects.create(
        giver=giver,
        stand_in=stand_in,
        role="it_operations",
        reason="Holiday",
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=5),
        created_by=giver,
    )
    with pytest.raises(PermissionDenied, match="stands in"):
        confirm_emergency(release=release, by=scene.sponsor)
    delegation.ended_at = now
    delegation.save(update_fields=["ended_at"])
    assert confirm_emergency(release=release, by=scene.sponsor).state == "active"


@pytest.mark.parametrize("role", ["use_case_lead", "technical_lead", "portfolio_manager", "risk_compliance"])
def test_other_roles_neither_ask_nor_confirm(role: str) -> None:
    scene = Scene()
    person = person_with(role, scene.case.use_case)
    with pytest.raises(PermissionDenied):
        scene.ask(by=person)
    with pytest.raises(PermissionDenied):
        confirm_emergency(release=scene.ask(), by=person)


def test_machines_and_tokens_release_nothing() -> None:
    scene = Scene()
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", scene.case.use_case)
    with pytest.raises(PermissionDenied):
        scene.ask(by=machine)
    scene.operations.token_scopes = frozenset({"emergency.release", "use_case.view"})
    with pytest.raises(PermissionDenied, match="token"):
        scene.ask()


def test_a_requester_who_left_since_no_longer_counts() -> None:
    scene = Scene()
    release = scene.ask()
    deactivate(user=scene.operations, by=SYSTEM, reason="Left.")
    with pytest.raises(PermissionDenied, match="may not release here any more"):
        confirm_emergency(release=EmergencyRelease.objects.get(pk=release.pk), by=scene.sponsor)


@pytest.mark.parametrize("hours", [0, 25, -1, True, 1000])
def test_it_never_lasts_longer_than_a_day(hours: int) -> None:
    with pytest.raises(Invalid) as refused:
        Scene().ask(hours=hours)
    assert "hours" in refused.value.errors


def test_it_says_why() -> None:
    with pytest.raises(Invalid) as refused:
        Scene().ask(reason=" urgent ")
    assert "reason" in refused.value.errors


@pytest.mark.parametrize("fields", [{"tier": "prohibited"}, {"legal_hold": True}])
def test_what_is_prohibited_or_held_by_legal_is_never_released(fields: dict[str, Any]) -> None:
    scene = Scene()
    release = scene.ask()
    UseCase.objects.update(**fields)
    with pytest.raises(Conflict, match="No emergency opens this"):
        confirm_emergency(release=release, by=scene.sponsor)
    end_emergency(release=release, by=scene.operations)
    with pytest.raises(Conflict, match="No emergency opens this"):
        scene.ask()
    assert not Incident.objects.exists()


@pytest.mark.parametrize("gate", ["poc_to_pilot", "no_such_gate", ""])
def test_stages_are_not_skipped_in_an_emergency_either(gate: str) -> None:
    with pytest.raises(Conflict, match="not the next gate"):
        Scene().ask(gate=gate)


def test_a_gate_that_was_passed_meanwhile_is_not_released() -> None:
    scene = Scene()
    release = scene.ask()
    scene.case.pass_gate()
    with pytest.raises(Conflict, match="not the next gate"):
        confirm_emergency(release=release, by=scene.sponsor)


def test_what_is_on_hold_is_not_released() -> None:
    scene = Scene()
    hold(use_case=scene.case.use_case, by=scene.case.manager, reason="Budget.")
    with pytest.raises(Conflict, match="on hold"):
        scene.ask()


def test_there_is_one_at_a_time() -> None:
    scene = Scene()
    scene.ask()
    with pytest.raises(Conflict, match="already"):
        scene.ask(by=scene.sponsor)


def test_days_are_not_strung_together() -> None:
    scene = Scene()
    end_emergency(release=scene.release(), by=scene.sponsor)
    with pytest.raises(Conflict, match="still owed"):
        scene.ask()
    assert "still owed" in why_not_request(scene.case.use_case, GATE)


def test_an_old_request_is_no_emergency_any_more() -> None:
    scene = Scene()
    release = scene.ask()
    with time_machine.travel(timezone.now() + timedelta(hours=25)), pytest.raises(Conflict, match="older than a day"):
        confirm_emergency(release=release, by=scene.sponsor)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        tasks.end_emergencies()
    release.refresh_from_db()
    assert (release.state, release.answered_by) == ("ended", None)


def test_it_is_confirmed_once() -> None:
    scene = Scene()
    release = scene.release()
    with pytest.raises(Conflict):
        confirm_emergency(release=release, by=scene.sponsor)
    with pytest.raises(Conflict):
        refuse_emergency(release=release, by=scene.sponsor, reason="Too late.")
    assert Incident.objects.count() == 1


def test_a_refusal_allows_nothing_and_is_told_to_the_one_who_asked() -> None:
    scene = Scene()
    release = refuse_emergency(release=scene.ask(), by=scene.sponsor, reason="Use the paper form.")
    assert (release.state, scene.allowed()) == ("refused", False)
    notice = Notice.objects.get(kind="emergency.refused")
    assert (notice.recipient, notice.body) == (scene.operations, "Use the paper form.")
    assert not ReviewCall.objects.exists()


@pytest.mark.parametrize("who", ["sponsor", "operations"])
def test_either_of_the_two_ends_it_early(who: str) -> None:
    scene = Scene()
    release = end_emergency(release=scene.release(), by=getattr(scene, who))
    assert (release.state, scene.allowed()) == ("ended", False)
    with pytest.raises(Conflict):
        end_emergency(release=release, by=scene.sponsor)


def test_a_stranger_does_not_end_it() -> None:
    scene = Scene()
    release = scene.release()
    with pytest.raises(PermissionDenied):
        end_emergency(release=release, by=scene.case.lead)


def test_it_ends_by_itself_even_if_no_worker_comes() -> None:
    scene = Scene()
    release = scene.release()
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        assert not scene.allowed()
        release.refresh_from_db()
        assert release.state == "active"
        assert tasks.end_emergencies() == 1
        assert tasks.end_emergencies() == 0
    release.refresh_from_db()
    assert (release.state, release.ended_at) == ("ended", release.ends_at)
    assert Notice.objects.filter(kind="emergency.ended").exists()


def test_a_use_case_that_is_not_reviewed_in_time_is_suspended_once() -> None:
    scene = Scene()
    scene.release()
    with time_machine.travel(timezone.now() + timedelta(days=5, seconds=1)):
        tasks.end_emergencies()
        assert tasks.end_emergencies() == 0
    scene.case.use_case.refresh_from_db()
    assert scene.case.use_case.status == "on_hold"
    event = Event.objects.get(action="use_case.held")
    assert "after an emergency release" in event.body
    assert Notice.objects.filter(kind="emergency.suspended", recipient=scene.sponsor).count() == 1


def test_a_review_in_time_settles_what_is_owed_and_nothing_is_suspended() -> None:
    scene = Scene()
    scene.release()
    review = scene.case.pass_gate()
    tasks.call_reviews()
    call = ReviewCall.objects.get(cause="emergency")
    assert call.settled_by == review
    with time_machine.travel(timezone.now() + timedelta(days=6)):
        tasks.end_emergencies()
    scene.case.use_case.refresh_from_db()
    assert scene.case.use_case.status == "active"


def test_a_returned_review_settles_nothing() -> None:
    scene = Scene()
    scene.release()
    review = scene.case.submit()
    scene.case.decide(review, "return", reason="Not enough.")
    tasks.call_reviews()
    assert ReviewCall.objects.get().settled_at is None


def test_what_is_overdue_turns_the_approval_under_which_it_lives() -> None:
    case = ready_case()
    sponsor, operations = (person_with(role, case.use_case) for role in ("business_sponsor", "it_operations"))
    case.pass_gate()
    asked = request_emergency(use_case=case.use_case, gate="poc_to_pilot", reason=REASON, by=operations)
    confirm_emergency(release=asked, by=sponsor)
    with time_machine.travel(timezone.now() + timedelta(days=5, seconds=1)):
        tasks.end_emergencies()
        reassess([case.use_case.pk])
    row = GateAssurance.objects.get()
    assert row.state == "reapproval_required"
    assert "review_overdue" in {reason["code"] for reason in row.reasons}
