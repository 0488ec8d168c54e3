"""A meeting of the board: a member is left out, another steps aside, the rest vote; it is decided and written down."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Enter
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

CHAIR, MANAGER = "Amara Diallo", "Nadia Rahman"
OWN_UNIT, STEPS_ASIDE = "Sofia Marchetti", "Victor Amundsen"
VOTERS = ("Paul Renner", "Lena Castellan", CHAIR)
CASE = "Medical report summary"
SAID = "Corrections fell by a third. The board goes along."


def test_a_meeting_with_a_recusal_votes_a_decision_and_minutes(enter: Enter) -> None:
    windows = {name: enter(name) for name in (*VOTERS, STEPS_ASIDE, MANAGER)}
    chair = windows[CHAIR]
    meeting = _open(chair)
    item = _item(chair)
    expect(item).to_contain_text(OWN_UNIT)
    expect(item).to_contain_text("Recused")

    _step_aside(windows[STEPS_ASIDE], meeting)
    for name in VOTERS:
        _vote(windows[name], meeting)
    chair.go(meeting)
    expect(_item(chair)).to_contain_text("3 for, 0 against")
    expect(_item(chair)).to_contain_text(STEPS_ASIDE)

    review = _decide(windows[MANAGER], meeting)
    _write_and_close(chair, meeting)
    chair.go(review)
    expect(chair.page.locator("#board-minutes")).to_contain_text(SAID)
    expect(chair.page.get_by_role("link", name="Decision pack, PDF")).to_be_visible()


def _open(chair: Visitor) -> str:
    page = chair.page
    chair.go("/gates/board/?when=upcoming")
    page.locator("#table tbody th a").first.click()
    page.get_by_role("button", name="Open the meeting").click()
    expect(page.locator("main")).to_contain_text("In session")
    found = re.search(r"/gates/board/\d+/", page.url)
    assert found is not None
    return found.group(0)


def _item(visitor: Visitor) -> Locator:
    return visitor.page.locator("article.agenda-item").filter(has_text=CASE)


def _step_aside(member: Visitor, meeting: str) -> None:
    page = member.page
    member.go(meeting)
    _item(member).get_by_role("link", name="Declare an interest").click()
    page.locator("[name=scope][value=review]").check()
    page.locator("[name=reason]").fill("A cousin leads the supplier's sales.")
    page.get_by_role("button", name="Take no part in this").click()
    expect(page.locator("main")).to_contain_text("A cousin leads")
    member.go(meeting)
    expect(_item(member).get_by_role("link", name=re.compile("Vote on"))).to_have_count(0)
    expect(_item(member)).to_contain_text("SOD-13")


def _vote(member: Visitor, meeting: str) -> None:
    page = member.page
    member.go(meeting)
    _item(member).get_by_role("link", name=re.compile("Vote on")).click()
    page.get_by_label("Approve", exact=True).check()
    member.prove()
    page.get_by_role("button", name="Sign this snapshot").click()
    page.wait_for_url("**/gates/reviews/*/")


def _decide(manager: Visitor, meeting: str) -> str:
    page = manager.page
    manager.go(meeting)
    _item(manager).get_by_role("link", name=re.compile("Decide")).click()
    expect(page.locator("main")).to_contain_text("All signatures are in")
    manager.prove()
    page.get_by_role("button", name="Decide and put on record").click()
    page.wait_for_url(re.compile(r"/gates/reviews/\d+/$"))
    return page.url.removeprefix(manager.address)


def _write_and_close(chair: Visitor, meeting: str) -> None:
    page = chair.page
    chair.go(meeting)
    expect(_item(chair)).to_contain_text("Go")
    page.locator("form").filter(has_text=CHAIR).get_by_role("button", name="Present").click()
    _item(chair).get_by_role("link", name=re.compile("Minutes on")).click()
    page.locator("[name=minutes]").fill(SAID)
    page.get_by_role("button", name="Keep these minutes").click()
    expect(_item(chair)).to_contain_text(SAID)
    page.get_by_role("button", name="Close the meeting").click()
    expect(page.locator("body")).to_contain_text("write what was said, or take it off the agenda")
    for _ in range(page.locator("article.agenda-item").count() - 1):
        page.get_by_role("button", name="Take off the agenda").first.click()
    page.get_by_role("button", name="Close the meeting").click()
    expect(page.get_by_role("link", name="Minutes as PDF")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Minutes as PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
