"""Board meetings: agenda, attendance, recusals, votes, decisions and minutes, and how to break each rule."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from gates.assessment import assess
from gates.models import AgendaItem, CriterionFinding, Meeting, Recusal, SignOff
from gates.services import boards
from gates.services.boards.minutes import minutes_body
from kernel.canonical import digest
from kernel.errors import Conflict, Invalid, NotReady
from ledger.models import Event
from notify.models import Notice
from tests.factories.accounts import give, person_with
from tests.factories.boards import QUORUM, BoardCase, board_case
from tests.factories.gates import ready_case
from tests.factories.portfolio import organisation

pytestmark = pytest.mark.django_db


def why_not_go(board: BoardCase) -> list[str]:
    with pytest.raises(NotReady) as refused:
        board.case.decide(board.review)
    return refused.value.errors["sign_offs"]


def told(kind: str) -> set[str]:
    return set(Notice.objects.filter(kind=kind).values_list("recipient__full_name", flat=True))


def test_a_meeting_is_called_and_its_members_are_told() -> None:
    board = board_case()
    meeting = board.call(place="Room 4")
    assert (meeting.state, meeting.chair, str(meeting)) == ("planned", board.chair, "M-1")
    assert [item.review for item in meeting.items.all()] == [board.review]
    assert told("meeting.called") == {m.full_name for m in board.members[1:]}
    assert Event.objects.filter(action="meeting.called").count() == 1


@pytest.mark.parametrize(
    ("field", "value"), [("title", " "), ("starts_at", timezone.now() - timedelta(days=3)), ("place", "x" * 301)]
)
def test_a_meeting_that_makes_no_sense_is_refused_at_its_field(field: str, value: object) -> None:
    board = board_case()
    with pytest.raises(Invalid) as wrong:
        board.call(**{field: value})
    assert field in wrong.value.errors
    assert not Meeting.objects.exists()


def test_only_who_manages_the_board_calls_it_and_only_a_member_chairs_it() -> None:
    board = board_case()
    with pytest.raises(PermissionDenied):
        board.call(by=board.case.lead)
    with pytest.raises(Invalid) as wrong:
        board.call(by=board.case.manager)
    assert "chair" in wrong.value.errors
    with pytest.raises(Invalid, match="not complete"):
        board.call(chair=board.case.lead)
    assert board.call(by=board.case.manager, chair=board.members[2]).chair == board.members[2]


def test_the_agenda_takes_open_reviews_that_ask_for_the_board_once() -> None:
    board = board_case()
    meeting = board.call()
    with pytest.raises(Conflict, match="already on the agenda"):
        boards.add_item(meeting=meeting, review=board.review, by=board.chair)
    with pytest.raises(Conflict, match="already on the agenda"):
        board.call()
    low = ready_case(policy=False).submit()
    with pytest.raises(Conflict, match="does not ask for the board"):
        boards.add_item(meeting=meeting, review=low, by=board.chair)
    boards.remove_item(meeting=meeting, review=board.review, by=board.chair)
    board.case.decide(board.review, "return", reason="Later.")
    with pytest.raises(Conflict, match="closed"):
        boards.add_item(meeting=meeting, review=board.review, by=board.chair)
    assert not AgendaItem.objects.exists()


def test_the_order_of_the_agenda_changes() -> None:
    board = board_case()
    from tests.factories.monitoring import SeriesFactory, points

    others = []
    for _ in range(2):
        case = ready_case(tier="high", policy=False)
        points(SeriesFactory.create(use_case=case.use_case), [0.95])
        others.append(case.submit())
    meeting = board.call(reviews=[board.review, *others])
    boards.move_item(meeting=meeting, review=others[1], position=1, by=board.chair)
    assert [i.review for i in meeting.items.order_by("position")] == [others[1], board.review, others[0]]
    boards.remove_item(meeting=meeting, review=board.review, by=board.chair)
    assert [i.position for i in meeting.items.order_by("position")] == [1, 2]


def test_states_lead_only_forward() -> None:
    board = board_case()
    meeting = board.call()
    with pytest.raises(Conflict, match="in session"):
        boards.close_meeting(meeting=meeting, by=board.chair)
    with pytest.raises(Conflict):
        boards.write_minutes(meeting=meeting, text="Too soon.", by=board.chair)
    boards.open_meeting(meeting=meeting, by=board.chair)
    with pytest.raises(Conflict, match="planned"):
        boards.cancel_meeting(meeting=meeting, by=board.chair, reason="Late.")
    with pytest.raises(Conflict):
        boards.open_meeting(meeting=meeting, by=board.chair)


def test_an_empty_agenda_is_not_opened() -> None:
    board = board_case()
    meeting = board.call(reviews=[])
    with pytest.raises(Conflict, match="nothing on its agenda"):
        boards.open_meeting(meeting=meeting, by=board.chair)


def test_a_member_who_does_not_chair_leads_by_board_manage_and_a_stranger_not_at_all() -> None:
    board = board_case()
    meeting = board.call()
    with pytest.raises(PermissionDenied):
        boards.open_meeting(meeting=meeting, by=board.case.lead)
    with pytest.raises(PermissionDenied):
        boards.remove_item(meeting=meeting, review=board.review, by=board.case.signers["business_owner"])
    assert boards.open_meeting(meeting=meeting, by=board.case.manager).state == "in_session"


def test_members_say_whether_they_are_there_and_nobody_else_does() -> None:
    board = board_case()
    meeting = board.call()
    boards.attend(meeting=meeting, present=True, by=board.members[1])
    boards.attend(meeting=meeting, present=False, by=board.members[1])
    assert not meeting.attendances.get().present
    with pytest.raises(PermissionDenied, match="not a member"):
        boards.attend(meeting=meeting, present=True, by=board.case.manager)
    with pytest.raises(PermissionDenied):
        boards.attend(meeting=meeting, present=True, by=board.case.lead, person=board.members[1])


def test_a_go_of_the_board_needs_a_meeting_that_took_it_up() -> None:
    board = board_case()
    board.sign_others()
    board.votes(m1="approve", m2="approve", m3="approve")
    assert "a meeting has to take it up" in why_not_go(board)[0]
    meeting = board.call()
    assert "a meeting has to take it up" in why_not_go(board)[0]
    boards.open_meeting(meeting=meeting, by=board.chair)
    assert board.case.decide(board.review).outcome == "go"


def test_a_cancelled_meeting_took_nothing_up() -> None:
    board = board_case()
    board.sign_others()
    board.votes(m1="approve", m2="approve", m3="approve")
    boards.cancel_meeting(meeting=board.call(), by=board.chair, reason="No room.")
    assert "a meeting has to take it up" in why_not_go(board)[0]
    assert board.call().number == 2


def test_votes_by_circulation_pass_where_the_policy_says_so() -> None:
    board = board_case(quorum=QUORUM + "  circulation: true\n")
    board.sign_others()
    board.votes(m1="approve", m2="approve", m3="approve")
    assert board.case.decide(board.review).outcome == "go"


def test_who_is_missing_is_named() -> None:
    board = board_case()
    board.in_session()
    board.sign_others()
    board.votes(m0="approve", m1="approve", m4="approve")
    line = why_not_go(board)[0]
    assert "Legal" in line
    assert "business member from another unit" in line
    assert "Risk" not in line


def test_the_finding_and_the_decision_count_alike() -> None:
    board = board_case()
    board.in_session()
    board.sign_others()
    board.votes(m0="approve", m1="approve", m4="approve")
    assess([board.case.use_case.pk])
    found = CriterionFinding.objects.get(use_case=board.case.use_case, criterion="IP-09")
    assert found.outcome == "missing"
    board.votes(m2="approve", m3="approve")
    assess([board.case.use_case.pk])
    found.refresh_from_db()
    assert found.outcome == "met"
    assert board.case.decide(board.review).outcome == "go"


def test_a_vote_of_risk_against_leaves_conditions_or_a_new_vote() -> None:
    board = board_case()
    meeting = board.in_session()
    board.sign_others()
    board.votes(m0="approve", m1="reject", m2="approve", m3="approve")
    assert "minutes" in why_not_go(board)[0]
    boards.write_minutes(meeting=meeting, review=board.review, text="Risk fears misuse.", by=board.chair)
    assert "on conditions only" in why_not_go(board)[0]
    with pytest.raises(PermissionDenied):
        boards.call_revote(meeting=meeting, review=board.review, by=board.case.lead, reason="Again.")
    boards.call_revote(meeting=meeting, review=board.review, by=board.chair, reason="Risk withdrew its doubt.")
    assert SignOff.objects.filter(role="ai_governance_board", lapsed_at__isnull=True).count() == 0
    assert SignOff.objects.filter(role="business_owner", lapsed_at__isnull=True).count() == 1
    board.votes(m1="approve", m2="approve", m3="approve")
    assert board.case.decide(board.review).outcome == "go"


def test_the_chair_breaks_a_tie() -> None:
    board = board_case()
    board.in_session()
    board.sign_others()
    board.votes(m1="approve", m2="approve", m3="reject", m4="reject")
    assert "the vote of the chair decides" in why_not_go(board)[0]
    board.vote(0)
    assert board.case.decide(board.review).outcome == "go"


def test_a_recused_member_does_not_vote_and_a_vote_already_given_lapses() -> None:
    board = board_case()
    board.in_session()
    vote = board.vote(4)
    boards.recuse(review=board.review, by=board.members[4], reason="My brother works at the supplier.")
    vote.refresh_from_db()
    assert not vote.counts
    assert "SOD-13" in vote.lapsed_because
    assert told("sign_off.lapsed") == {board.members[4].full_name}
    event = Event.objects.get(action="sign_off.lapsed")
    assert board.members[4].full_name not in event.body
    assert "brother" not in Event.objects.get(action="recusal.declared").body
    with pytest.raises(PermissionDenied, match="SOD-13"):
        board.vote(4)


def test_a_standing_interest_holds_for_every_review_until_it_ends() -> None:
    board = board_case()
    vote = board.vote(4)
    row = boards.recuse(use_case=board.case.use_case, by=board.members[4], reason="I own shares of the supplier.")
    vote.refresh_from_db()
    assert not vote.counts
    with pytest.raises(Conflict, match="already"):
        boards.recuse(use_case=board.case.use_case, by=board.members[4], reason="Again.")
    with pytest.raises(PermissionDenied, match="Only who declared"):
        boards.take_back(recusal=row, by=board.chair)
    boards.take_back(recusal=row, by=board.members[4])
    with pytest.raises(Conflict, match="ended already"):
        boards.take_back(recusal=row, by=board.members[4])
    assert board.vote(4).counts


def test_a_recusal_from_a_decided_review_is_not_taken_back() -> None:
    board = board_case()
    row = boards.recuse(review=board.review, by=board.members[4], reason="A friend leads it.")
    board.case.decide(board.review, "return", reason="Not enough.")
    with pytest.raises(Conflict, match="stays recused"):
        boards.take_back(recusal=row, by=board.members[4])
    assert Recusal.objects.exists()
    with pytest.raises(Conflict, match="closed"):
        boards.recuse(review=board.review, by=board.members[3], reason="Late.")


def test_a_recusal_needs_its_reason_one_subject_and_sight_of_it() -> None:
    board = board_case()
    with pytest.raises(Invalid):
        boards.recuse(review=board.review, by=board.members[4], reason="  ")
    with pytest.raises(Invalid):
        boards.recuse(by=board.members[4], reason="Of what?")
    with pytest.raises(Invalid):
        boards.recuse(review=board.review, use_case=board.case.use_case, by=board.members[4], reason="Both.")
    stranger = person_with("business_owner", ready_case(policy=False).use_case)
    with pytest.raises(PermissionDenied):
        boards.recuse(review=board.review, by=stranger, reason="I wonder what it is.")
    assert not Recusal.objects.exists()


def test_whoever_declared_an_interest_signs_in_no_role_and_decides_nothing() -> None:
    board = board_case()
    boards.recuse(use_case=board.case.use_case, by=board.case.signers["business_owner"], reason="A relative.")
    boards.recuse(use_case=board.case.use_case, by=board.case.manager, reason="A relative.")
    with pytest.raises(PermissionDenied, match="SOD-13"):
        board.case.sign(board.review, "business_owner")
    with pytest.raises(PermissionDenied, match="SOD-13"):
        board.case.decide(board.review, "return", reason="Hm.")


def test_closing_needs_minutes_of_every_item_and_who_was_present() -> None:
    board = board_case()
    meeting = board.in_session()
    with pytest.raises(NotReady) as refused:
        boards.close_meeting(meeting=meeting, by=board.chair)
    assert set(refused.value.errors) == {"minutes", "attendance"}
    assert "R-1" in refused.value.errors["minutes"][0]


def test_closing_freezes_the_minutes() -> None:
    board = board_case()
    meeting = board.closed()
    assert meeting.state == "closed"
    assert meeting.attendances.filter(present=False).count() == 2
    meeting.refresh_from_db()
    assert meeting.minutes_digest == digest(minutes_body(meeting))
    assert Event.objects.get(action="meeting.closed").content["changes"]["minutes_digest"]
    assert Event.objects.filter(action="review.minuted").count() == 1
    for try_it in (
        lambda: boards.write_minutes(meeting=meeting, text="Else.", by=board.chair),
        lambda: boards.write_minutes(meeting=meeting, review=board.review, text="Else.", by=board.chair),
        lambda: boards.attend(meeting=meeting, present=True, by=board.members[4]),
        lambda: boards.remove_item(meeting=meeting, review=board.review, by=board.chair),
    ):
        with pytest.raises(Conflict):
            try_it()
    AgendaItem.objects.update(minutes="Something else was said.")
    assert meeting.minutes_digest != digest(minutes_body(meeting))


def test_what_happens_after_the_closing_changes_no_minutes() -> None:
    board = board_case()
    row = boards.recuse(use_case=board.case.use_case, by=board.members[4], reason="Shares.")
    meeting = board.closed()
    boards.take_back(recusal=row, by=board.members[4])
    boards.recuse(review=board.review, by=board.members[3], reason="New job.")
    meeting.refresh_from_db()
    assert meeting.minutes_digest == digest(minutes_body(meeting))


def test_members_of_the_sponsoring_unit_are_recused_by_themselves_and_the_minutes_keep_it() -> None:
    board = board_case()
    give(board.members[4], "auditor", board.case.use_case.unit)
    meeting = board.closed()
    kept = Recusal.objects.get()
    assert (kept.person, kept.review) == (board.members[4], board.review)
    assert minutes_body(meeting)["items"][0]["recused"] == [str(board.members[4].pk)]


def test_only_who_leads_writes_minutes() -> None:
    board = board_case()
    meeting = board.in_session()
    with pytest.raises(PermissionDenied):
        boards.write_minutes(meeting=meeting, text="I say so.", by=board.case.lead)
    with pytest.raises(Invalid):
        boards.write_minutes(meeting=meeting, text="x" * 20_001, by=board.chair)


def test_an_item_with_minutes_stays_on_the_agenda() -> None:
    board = board_case()
    meeting = board.in_session()
    boards.write_minutes(meeting=meeting, review=board.review, text="Talked about.", by=board.chair)
    with pytest.raises(Conflict, match="has minutes"):
        boards.remove_item(meeting=meeting, review=board.review, by=board.chair)


def test_a_board_that_manages_only_a_unit_calls_no_meeting_of_the_organisation() -> None:
    board = board_case()
    local = person_with("portfolio_manager", board.case.use_case.unit)
    assert board.case.use_case.unit != organisation()
    with pytest.raises(PermissionDenied):
        board.call(by=local)
