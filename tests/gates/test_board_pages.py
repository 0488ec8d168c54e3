"""The board's pages, API and work items: who sees what, what each step does, how many queries it takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from gates.models import AgendaItem, Meeting, Recusal, SignOff
from gates.packs.calendar import calendar_of
from gates.services import boards
from gates.worklist.board import BoardMeetings
from tests.factories.accounts import api_as, person_with
from tests.factories.boards import BoardCase, board_case
from tests.factories.gates import ready_case
from tests.factories.monitoring import SeriesFactory, points
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db
API = "/api/v1/board-meetings/"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: User, address: str) -> str:
    answer = as_(user).get(address)
    assert answer.status_code == 200, answer.content[:400]
    return str(answer.content.decode())


def queries(user: User, address: str) -> int:
    client = as_(user)
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def waiting_for(user: User) -> list[str]:
    return [item.title for item in BoardMeetings().items(User.objects.get(pk=user.pk))]


def another_review() -> Any:
    case = ready_case(tier="high", policy=False)
    points(SeriesFactory.create(use_case=case.use_case), [0.95])
    return case.submit()


def test_every_page_asks_people_to_sign_in_and_strangers_find_no_meeting() -> None:
    board = board_case()
    board.call()
    stranger = person_with("business_owner", UseCaseFactory.create())
    for part in ("", "change/", "cancel/", "minutes/", "minutes.pdf", "calendar.ics", "revote/1/"):
        assert Client().get(f"/gates/board/1/{part}").status_code == 302
        assert as_(stranger).get(f"/gates/board/1/{part}").status_code == 404
    for part in ("open/", "close/", "agenda/", "attendance/"):
        assert as_(stranger).post(f"/gates/board/1/{part}", {"review": 1}).status_code == 404
    assert "M-1" not in page(stranger, "/gates/board/")
    assert as_(stranger).get("/gates/board/new/").status_code == 403


def test_the_list_filters_pages_and_exports() -> None:
    board = board_case()
    board.call(title="Autumn meeting")
    Meeting.objects.create(
        number=2,
        title="Spring meeting",
        starts_at=timezone.now() - timedelta(days=200),
        chair=board.chair,
        called_by=board.chair,
        state="closed",
    )
    assert "Spring" not in page(board.chair, "/gates/board/?when=upcoming")
    assert "Autumn" not in page(board.chair, "/gates/board/?when=past")
    assert "Autumn" not in page(board.chair, "/gates/board/?q=m-2")
    assert "Spring" not in page(board.chair, "/gates/board/?state=planned")
    exported = as_(board.chair).get("/gates/board/?export=csv")
    assert b"Autumn" in b"".join(exported)


def test_the_lead_of_a_use_case_sees_the_item_but_not_the_general_minutes_and_other_items() -> None:
    board = board_case()
    other = another_review()
    meeting = boards.open_meeting(meeting=board.call(reviews=[board.review, other]), by=board.chair)
    boards.write_minutes(meeting=meeting, text="Between us: the budget.", by=board.chair)
    shown = page(board.case.lead, "/gates/board/1/")
    assert board.case.use_case.name in shown
    assert other.use_case.name not in shown
    assert "Between us" not in shown
    assert "1 more item" in shown
    assert "Between us" in page(board.chair, "/gates/board/1/")
    assert as_(board.case.lead).get("/gates/board/1/minutes.pdf").status_code == 403


def test_a_meeting_from_call_to_closing_on_pages() -> None:
    board = board_case()
    chair = as_(board.chair)
    assert "R-1" in page(board.chair, "/gates/board/new/")
    starts = (timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    given = {"title": "November", "starts_at": starts, "chair": str(board.chair.pk), "reviews": ["1"]}
    assert chair.post("/gates/board/new/", {**given, "title": ""}).status_code == 422
    assert chair.post("/gates/board/new/", given).status_code == 302
    shown = page(board.chair, "/gates/board/1/")
    assert "mandatory criteria are met" in shown
    assert "Open the meeting" in shown
    chair.post("/gates/board/1/attendance/", {"person": str(board.chair.pk), "present": "yes"})
    chair.post("/gates/board/1/open/")
    assert "Vote on R-1" in page(board.members[1], "/gates/board/1/")
    refused = chair.post("/gates/board/1/close/", follow=True)
    assert "write what was said" in refused.content.decode()
    answer = chair.post("/gates/board/1/minutes/?review=1", {"minutes": "**Agreed** <script>alert(1)</script>"})
    assert answer["Location"] == "/gates/board/1/#item-1"
    shown = page(board.chair, "/gates/board/1/")
    assert "<strong>Agreed</strong>" in shown
    assert "<script>alert" not in shown
    chair.post("/gates/board/1/close/")
    assert Meeting.objects.get().state == "closed"
    assert chair.get("/gates/board/1/minutes.pdf").content.startswith(b"%PDF")
    assert "M-1" in page(board.case.lead, "/gates/reviews/1/")


def test_the_agenda_changes_on_the_page_and_a_bad_step_changes_nothing() -> None:
    board = board_case()
    other = another_review()
    board.call()
    chair = as_(board.chair)
    assert str(other) in page(board.chair, "/gates/board/1/")
    chair.post("/gates/board/1/agenda/", {"review": other.number, "do": "add"})
    chair.post("/gates/board/1/agenda/", {"review": other.number, "do": "up"})
    assert [i.review_id for i in AgendaItem.objects.order_by("position")] == [other.pk, board.review.pk]
    said = chair.post("/gates/board/1/agenda/", {"review": other.number, "do": "explode"}, follow=True)
    assert "Say what to do" in said.content.decode()
    assert chair.post("/gates/board/1/agenda/", {"review": "9" * 30, "do": "add"}).status_code == 404
    chair.post("/gates/board/1/agenda/", {"review": other.number, "do": "remove"})
    assert AgendaItem.objects.count() == 1
    assert as_(board.case.lead).post("/gates/board/1/agenda/", {"review": 1, "do": "remove"}).status_code == 403


def test_interests_are_declared_and_ended_on_pages() -> None:
    board = board_case()
    member = board.members[4]
    address = f"/gates/board/interests/declare/{board.case.use_case.key}/?review=1"
    assert "R-1 only" in page(member, address)
    assert as_(member).post(address, {"scope": "review", "reason": ""}).status_code == 422
    assert as_(member).post(address, {"scope": "use_case", "reason": "I own shares."}).status_code == 302
    row = Recusal.objects.get()
    assert row.review is None
    assert "I own shares." in page(member, "/gates/board/interests/")
    assert as_(board.chair).post(f"/gates/board/interests/{row.pk}/end/").status_code == 404
    as_(member).post(f"/gates/board/interests/{row.pk}/end/")
    row.refresh_from_db()
    assert row.ended_at is not None


def test_the_page_takes_as_many_queries_for_one_item_as_for_four() -> None:
    board = board_case()
    meeting = board.call()
    board.vote(1)
    before = queries(board.chair, "/gates/board/1/")
    for _ in range(3):
        boards.add_item(meeting=meeting, review=another_review(), by=board.chair)
    assert queries(board.chair, "/gates/board/1/") <= before + 1 <= 45


def test_the_calendar_file_holds_one_event_and_nothing_that_somebody_smuggles_in() -> None:
    board = board_case()
    meeting = board.call(title="Ü" * 60 + ", a;b\\c", place="Room\r\nBEGIN:VALARM")
    text = calendar_of(meeting, url="https://example.org/gates/board/1/")
    assert text.count("\r\nBEGIN:") == 1
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    unfolded = text.replace("\r\n ", "")
    assert "Ü" * 60 + "\\, a\\;b\\\\c" in unfolded
    assert "LOCATION:Room BEGIN:VALARM" in unfolded
    got = as_(board.chair).get("/gates/board/1/calendar.ics")
    assert got["Content-Type"].startswith("text/calendar")


def test_members_find_what_they_owe_on_their_work_list() -> None:
    board = board_case()
    meeting = board.call()
    assert waiting_for(board.members[1]) == ["M-1: say whether you come"]
    boards.attend(meeting=meeting, present=True, by=board.members[1])
    assert waiting_for(board.members[1]) == []
    boards.open_meeting(meeting=meeting, by=board.chair)
    assert waiting_for(board.members[1]) == ["M-1: you owe a vote"]
    assert waiting_for(board.chair) == ["M-1: you owe a vote", "M-1: write the minutes"]
    board.vote(1)
    assert waiting_for(board.members[1]) == []
    boards.write_minutes(meeting=meeting, review=board.review, text="Said.", by=board.chair)
    assert "M-1: close it" in waiting_for(board.chair)
    assert waiting_for(board.case.manager) == []


def called(board: BoardCase) -> Any:
    body = {"title": "By machine", "starts_at": (timezone.now() + timedelta(days=2)).isoformat(), "reviews": [1]}
    return api_as(board.chair).post(API, body, format="json")


def test_a_meeting_over_rest() -> None:
    board = board_case()
    answer = called(board)
    assert answer.status_code == 201, answer.content
    assert answer["Location"] == "/api/v1/board-meetings/1/"
    client = api_as(board.chair)
    assert client.post(f"{API}1/open/").json()["state"] == "in_session"
    client.post(f"{API}1/attend/", {"present": True}, format="json")
    refused = client.post(f"{API}1/close/")
    assert refused.status_code == 409
    client.post(f"{API}1/minutes/", {"review": 1, "minutes": "Agreed."}, format="json")
    client.post(f"{API}1/minutes/", {"minutes": "Thanks."}, format="json")
    board.vote(1)
    read = client.get(f"{API}1/").json()
    assert read["agenda"][0]["votes"][0]["verdict"] == "approve"
    assert read["minutes"] == "Thanks."
    closed = client.post(f"{API}1/close/").json()
    assert (closed["state"], len(closed["minutes_digest"])) == ("closed", 64)
    assert client.get(f"{API}?upcoming=true").json()["results"] == []
    assert client.get(f"{API}?state=closed").json()["results"][0]["reviews"] == 1


def test_rest_refuses_as_the_pages_do() -> None:
    board = board_case()
    called(board)
    lead = api_as(board.case.lead)
    assert lead.get(f"{API}1/").status_code == 200
    assert lead.post(f"{API}1/open/").status_code == 403
    stranger = api_as(person_with("business_owner", UseCaseFactory.create()))
    assert stranger.get(f"{API}1/").status_code == 404
    assert stranger.get(API).json()["results"] == []
    client = api_as(board.chair)
    for body in ({"review": 999}, {"review": 0}, {}):
        assert client.post(f"{API}1/add-item/", body, format="json").status_code in (400, 422)
    assert client.patch(f"{API}1/", {"state": "closed"}, format="json").status_code == 405
    assert client.post(f"{API}1/cancel/", {"reason": ""}, format="json").status_code in (400, 422)
    assert client.post(f"{API}1/cancel/", {"reason": "Ill."}, format="json").json()["state"] == "cancelled"


def test_recusals_over_rest() -> None:
    board = board_case()
    client = api_as(board.members[4])
    board.vote(4)
    made = client.post("/api/v1/recusals/", {"review": 1, "reason": "A cousin."}, format="json")
    assert made.status_code == 201
    assert SignOff.objects.get().lapsed_at is not None
    assert client.get("/api/v1/recusals/?review=1").json()["results"][0]["reason"] == "A cousin."
    assert client.post("/api/v1/recusals/", {"reason": "Of what?"}, format="json").status_code == 422
    other = api_as(board.chair)
    pk = made.json()["id"]
    assert other.post(f"/api/v1/recusals/{pk}/end/").status_code == 403
    assert client.post(f"/api/v1/recusals/{pk}/end/").status_code == 204
    stranger = api_as(person_with("business_owner", UseCaseFactory.create()))
    assert stranger.get("/api/v1/recusals/").json()["results"] == []


def test_the_pack_over_rest() -> None:
    case = ready_case()
    review = case.pass_gate()
    answer = api_as(case.lead).get(f"/api/v1/reviews/{review.number}/pack/")
    assert answer.status_code == 200
    assert answer["ETag"] == f'"{answer.json()["digest"]}"'
    stranger = api_as(person_with("business_owner", UseCaseFactory.create()))
    assert stranger.get(f"/api/v1/reviews/{review.number}/pack/").status_code == 404


def test_an_open_review_has_no_pack_over_rest() -> None:
    case = ready_case()
    review = case.submit()
    assert api_as(case.lead).get(f"/api/v1/reviews/{review.number}/pack/").status_code == 409
