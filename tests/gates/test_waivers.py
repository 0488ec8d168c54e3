"""Waivers: who may ask and who may grant, what can never be excused, and that nothing gets round it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.models import Delegation, User
from accounts.services import end_role
from gates.models import Waiver, WaiverVote
from gates.services.waiver_scenes import refusal_to_vote
from gates.services.waivers import vote_on_waiver
from gates.waiving import is_granted, most_days, still_needed
from kernel.errors import Conflict, Invalid
from ledger import SYSTEM
from ledger.models import Event
from notify.models import Notice
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with
from tests.factories.gates import BOARD, CRITERIA, Case, publish, ready_case, small_text
from tests.factories.governance import IssueFactory, ValidationRunFactory
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation
from tests.factories.waivers import ask_for, board_member, grant, in_days, risk_officer
from tests.gates.test_policy_extension import extended

pytestmark = pytest.mark.django_db


def failing(tier: str = "limited", **more: Any) -> Case:
    """A use case whose open assumption keeps it from its first gate."""
    case = ready_case(tier=tier, **more)
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    return case


def approve(waiver: Waiver, by: User, **more: Any) -> Waiver:
    return vote_on_waiver(waiver=waiver, verdict="approve", by=by, **more)


def unchanged() -> tuple[int, ...]:
    events = Event.objects.filter(action__startswith="waiver.").count()
    notices = Notice.objects.filter(kind__startswith="waiver.").count()
    return (Waiver.objects.count(), WaiverVote.objects.count(), events, notices)


def refused(deed: Any, error: type[Exception], match: str) -> Any:
    """The error of a deed that has to leave everything as it was."""
    before = unchanged()
    with pytest.raises(error, match=match or None) as wrong:
        deed()
    assert unchanged() == before
    return wrong.value


# --- asking


def test_a_request_is_numbered_recorded_and_goes_to_those_who_decide() -> None:
    case = failing()
    officer, member = risk_officer(), board_member()
    waiver = ask_for(case)
    assert (waiver.number, str(waiver), waiver.state, waiver.tier) == (1, "W-1", "requested", "limited")
    assert Event.objects.filter(action="waiver.requested", use_case_id=str(case.use_case.pk)).count() == 1
    told = set(Notice.objects.filter(kind="waiver.requested").values_list("recipient__email", flat=True))
    assert told == {officer.email, member.email}


@pytest.mark.parametrize("field", ["reason", "compensating_control"])
def test_a_request_says_why_and_what_is_done_instead(field: str) -> None:
    case = failing()
    empty: dict[str, Any] = {field: "  "}
    wrong = refused(lambda: ask_for(case, **empty), Invalid, "not complete")
    assert list(wrong.errors) == [field]


@pytest.mark.parametrize(
    ("tier", "days", "fits"),
    [("minimal", 365, True), ("limited", 364, True), ("limited", 366, False), ("high", 89, True), ("high", 91, False)],
)
def test_it_runs_as_long_as_its_tier_allows(tier: str, days: int, fits: bool) -> None:
    case = failing(tier)
    if fits:
        assert ask_for(case, days=days).state == "requested"
        return
    wrong = refused(lambda: ask_for(case, days=days), Invalid, "At most")
    assert list(wrong.errors) == ["expires_at"]


def test_a_policy_may_shorten_that_and_never_lengthen_it() -> None:
    publish(small_text() + "waivers: {max_days: {minimal: 30, limited: 20, high: 10}}\n")
    case = failing(policy=False)
    refused(lambda: ask_for(case, days=21), Invalid, "At most 20 days")
    assert ask_for(case, days=19).state == "requested"
    assert most_days({"high": 400}, "high") == 90
    with pytest.raises(Invalid, match="90 days at the latest"):
        publish(small_text() + "waivers: {max_days: {high: 91}}\n")


def test_a_unit_may_tighten_that_for_its_own_use_cases() -> None:
    retail = UnitFactory.create(code="retail")
    case, outside = failing(unit=retail), failing(policy=False)
    held = grant(case)
    extended(retail, "waivers:\n  max_days: {limited: 20}\n")
    refused(lambda: ask_for(case, renews=held), Invalid, "At most 20 days")
    assert ask_for(outside).state == "requested"
    listed = "gates:\n  idea_to_poc:\n    change:\n      IP-03:\n        waivable: false\n"
    cards = UnitFactory.create(code="cards", parent=retail)
    extended(cards, listed)
    refused(lambda: ask_for(failing(policy=False, unit=cards)), Invalid, "cannot be waived")


@pytest.mark.parametrize(
    "when",
    [None, "2027-01-01", datetime(2027, 1, 1), in_days(-1)],  # noqa: DTZ001  # no zone is the point
)
def test_an_end_that_is_unclear_or_past_is_refused_at_its_field(when: Any) -> None:
    case = failing()
    wrong = refused(lambda: ask_for(case, expires_at=when), Invalid, "")
    assert list(wrong.errors) == ["expires_at"]


def test_an_unclassified_use_case_asks_as_the_highest_tier() -> None:
    case = failing("")
    assert ask_for(case, days=80).tier == "high"
    refused(lambda: ask_for(failing("", policy=False), days=100), Invalid, "At most 90 days")


def test_only_roles_that_may_ask_do_and_only_where_they_hold_them() -> None:
    case = failing()
    owner = case.signers["business_owner"]
    stranger = person_with("use_case_lead", UseCaseFactory.create())
    for person in (owner, risk_officer(), stranger, person_with("system_admin", organisation())):
        refused(lambda person=person: ask_for(case, by=person), PermissionDenied, "needs one of these roles")
    assert ask_for(case, by=case.signers["technical_lead"]).state == "requested"


def test_a_machine_never_asks() -> None:
    case = failing()
    machine = ServiceAccountFactory.create()
    refused(lambda: ask_for(case, by=machine), PermissionDenied, "")


@pytest.mark.parametrize(
    ("criterion", "gate", "field"),
    [
        ("IP-09", "idea_to_poc", "criterion"),  # an approval
        ("IP-02", "idea_to_poc", "criterion"),  # advisory at this tier
        ("XX-99", "idea_to_poc", "criterion"),
        ("IP-03", "no_such_gate", "gate"),
        ("PP-01", "poc_to_pilot", "gate"),  # neither next nor passed
    ],
)
def test_what_cannot_be_waived_is_refused_at_its_field(criterion: str, gate: str, field: str) -> None:
    case = failing()
    wrong = refused(lambda: ask_for(case, criterion, gate=gate), Invalid, "")
    assert list(wrong.errors) == [field]


def test_criteria_that_the_policy_lists_cannot_be_waived() -> None:
    listed = CRITERIA.replace("title: No open assumption\n", "title: No open assumption\n      waivable: false\n")
    publish(small_text(criteria=listed))
    case = failing(policy=False)
    wrong = refused(lambda: ask_for(case), Invalid, "cannot be waived")
    assert list(wrong.errors) == ["criterion"]


def test_what_passes_has_nothing_to_waive() -> None:
    case = ready_case()
    refused(lambda: ask_for(case), Conflict, "passes without a waiver")


@pytest.mark.parametrize("fields", [{"tier": "prohibited"}, {"legal_hold": True}])
def test_legal_blocks_are_never_waived(fields: dict[str, Any]) -> None:
    case = failing()
    UseCase.objects.update(**fields)
    refused(lambda: ask_for(case, days=30), Conflict, "Legal blocks cannot be waived")


def test_a_use_case_on_hold_asks_for_nothing() -> None:
    case = failing()
    UseCase.objects.update(status="on_hold")
    refused(lambda: ask_for(case), Conflict, "on hold")


def test_one_request_at_a_time_for_one_criterion() -> None:
    case = failing()
    ask_for(case)
    refused(lambda: ask_for(case, by=case.signers["technical_lead"]), Conflict, "W-1 already asks")


# --- deciding


def test_one_approval_grants_it_below_the_high_tier() -> None:
    case = failing()
    waiver = approve(ask_for(case), risk_officer())
    assert waiver.state == "approved"
    assert waiver.holds(timezone.now())
    told = set(Notice.objects.filter(kind="waiver.approved").values_list("recipient__email", flat=True))
    assert told == {case.lead.email, *(p.email for p in case.signers.values())}


def test_the_high_tier_needs_two_people_of_whom_one_is_the_board() -> None:
    case = failing("high")
    waiver = ask_for(case)
    assert approve(waiver, risk_officer()).state == "requested"
    assert approve(waiver, risk_officer()).state == "requested"  # two risk officers are no board decision
    assert approve(waiver, board_member()).state == "approved"


def test_two_board_members_grant_it_and_one_alone_does_not() -> None:
    case = failing("high")
    waiver = ask_for(case)
    assert approve(waiver, board_member()).state == "requested"
    assert approve(waiver, board_member()).state == "approved"


def test_how_many_and_who_as_a_table() -> None:
    assert is_granted("limited", ["risk_compliance"])
    assert not is_granted("limited", [])
    assert not is_granted("high", ["risk_compliance", "risk_compliance", "risk_compliance"])
    assert not is_granted("", [BOARD])
    assert still_needed("high", []) == "2 approvals, one of them by a member of the AI governance board"
    assert still_needed("high", ["risk_compliance"]) == "one more approval, by a member of the AI governance board"
    assert still_needed("high", [BOARD]) == "one more approval"
    assert still_needed("high", [BOARD, BOARD]) == ""


def test_who_asked_decides_in_no_role() -> None:
    case = failing()
    give(case.lead, "risk_compliance", organisation())
    give(case.lead, BOARD, organisation())
    waiver = ask_for(case)
    for role in (None, "risk_compliance", BOARD):
        refused(lambda role=role: approve(waiver, case.lead, role=role), PermissionDenied, "SOD-06")


def test_one_person_in_two_roles_is_one_approval() -> None:
    case = failing("high")
    both = risk_officer()
    give(both, BOARD, organisation())
    waiver = ask_for(case)
    approve(waiver, both, role="risk_compliance")
    refused(lambda: approve(waiver, both, role=BOARD), PermissionDenied, "one person decides once")
    assert Waiver.objects.get().state == "requested"


def test_nobody_gets_round_that_through_delegation() -> None:
    case = failing("high")
    waiver = ask_for(case)
    first, second, third = board_member(), board_member(), risk_officer()
    approve(waiver, first)
    more = {"created_by": first, "reason": "Away.", "ends_at": in_days(5)}
    Delegation.objects.create(giver=first, stand_in=second, role=BOARD, **more)
    refused(lambda: approve(waiver, second), PermissionDenied, "SOD-10")
    Delegation.objects.create(giver=case.lead, stand_in=third, role="use_case_lead", **more)
    refused(lambda: approve(waiver, third), PermissionDenied, "stand in for the person who asked")


def test_machines_tokens_administrators_and_strangers_do_not_decide() -> None:
    case = failing()
    waiver = ask_for(case)
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", case.use_case)
    refused(lambda: approve(waiver, machine), PermissionDenied, "")
    scripted = User.objects.get(pk=risk_officer().pk)
    scripted.token_scopes = frozenset({"waiver.approve", "use_case.view"})
    refused(lambda: approve(waiver, scripted), PermissionDenied, "SOD-12")
    both = {"system_admin", "risk_compliance"}
    assert "SOD-08" in refusal_to_vote(waiver, risk_officer(), "risk_compliance", held=both)
    refused(lambda: approve(waiver, PersonFactory.create(is_superuser=True)), PermissionDenied, "")
    refused(lambda: approve(waiver, case.signers["business_owner"]), PermissionDenied, "")
    elsewhere = person_with("risk_compliance", UseCaseFactory.create().unit)
    refused(lambda: approve(waiver, elsewhere), PermissionDenied, "")


def test_a_role_that_one_does_not_hold_or_that_does_not_decide_is_refused() -> None:
    case = failing()
    waiver, officer = ask_for(case), risk_officer()
    refused(lambda: approve(waiver, officer, role=BOARD), PermissionDenied, "do not hold")
    refused(lambda: approve(waiver, officer, role="security"), PermissionDenied, "does not decide")


def test_board_members_of_the_sponsoring_unit_do_not_vote() -> None:
    case = failing("high")
    waiver, member = ask_for(case), board_member()
    give(member, "data_steward", case.use_case.unit)
    refused(lambda: approve(waiver, member), PermissionDenied, "SOD-13")


def test_who_made_the_failing_evidence_does_not_excuse_it() -> None:
    case = ready_case(tier="high")
    officer = risk_officer()
    ValidationRunFactory.create(use_case=case.use_case, metrics={"f1": 0.4}, recorded_by=officer)
    waiver = ask_for(case, "IP-02")
    refused(lambda: approve(waiver, officer), PermissionDenied, "SOD-05")
    assert approve(waiver, board_member()).state == "requested"


def test_one_refusal_ends_it_and_needs_its_reason() -> None:
    case = failing("high")
    waiver = ask_for(case)
    approve(waiver, board_member())
    officer = risk_officer()
    wrong = refused(lambda: vote_on_waiver(waiver=waiver, verdict="refuse", by=officer), Invalid, "reason")
    assert list(wrong.errors) == ["reason"]
    assert vote_on_waiver(waiver=waiver, verdict="refuse", by=officer, reason="Too long.").state == "refused"
    refused(lambda: approve(waiver, board_member()), Conflict, "closed: refused")


def test_an_unknown_verdict_is_refused_at_its_field() -> None:
    waiver = ask_for(failing())
    wrong = refused(lambda: vote_on_waiver(waiver=waiver, verdict="maybe", by=risk_officer()), Invalid, "verdict")
    assert list(wrong.errors) == ["verdict"]


def test_an_approver_who_has_lost_the_role_since_does_not_count() -> None:
    case = failing("high")
    waiver, member = ask_for(case), board_member()
    approve(waiver, member)
    end_role(assignment=member.role_assignments.get(), by=SYSTEM, reason="Left the board.")
    assert approve(waiver, risk_officer()).state == "requested"
    assert approve(waiver, board_member()).state == "approved"


def test_what_passes_by_now_is_not_granted() -> None:
    case = failing()
    waiver = ask_for(case)
    case.use_case.issues.all().delete()
    refused(lambda: approve(waiver, risk_officer()), Conflict, "passes without a waiver")


def test_a_tier_that_rose_since_asks_for_a_new_request() -> None:
    case = failing()
    waiver = ask_for(case)
    UseCase.objects.update(tier="high")
    refused(lambda: approve(waiver, board_member()), Conflict, "the tier is high now")


def test_a_legal_hold_that_came_since_stops_it() -> None:
    waiver = ask_for(failing())
    UseCase.objects.update(legal_hold=True)
    refused(lambda: approve(waiver, risk_officer()), Conflict, "SOD-06")


def test_a_policy_that_lists_it_since_stops_it() -> None:
    waiver = ask_for(failing())
    listed = CRITERIA.replace("title: No open assumption\n", "title: No open assumption\n      waivable: false\n")
    publish(small_text(criteria=listed, version="1.1.0"))
    refused(lambda: approve(waiver, risk_officer()), Conflict, "can no longer be granted")


def test_what_would_have_ended_already_is_not_granted() -> None:
    waiver = ask_for(failing(), days=3)
    with time_machine.travel(timezone.now() + timedelta(days=4)):
        refused(lambda: approve(waiver, risk_officer()), Conflict, "would have ended")


# --- ending
