"""The decision pack: complete, its digests recompute, and hostile words stay words."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from gates.packs.decision import decision_pack, pack_bytes
from gates.packs.paper import minutes_pdf, pack_pdf
from gates.services import boards
from gates.services.boards.reading import agenda_of
from kernel.canonical import canonical_bytes
from kernel.errors import Conflict
from tests.factories.accounts import person_with
from tests.factories.boards import board_case
from tests.factories.gates import ready_case
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db
HOSTILE = (
    '#import "/etc/passwd": * #panic("x") ]} $ x^2 $ \\ "quoted" <label> @ref // /* '
    "\x07 \u202etxt 漢字 é\n= Heading\n- list"
)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def full_pack() -> dict[str, Any]:
    """Of a review that a board decided in a meeting, with a lapsed vote, a recusal and a vote against."""
    board = board_case()
    meeting = board.in_session()
    board.vote(4)
    boards.recuse(review=board.review, by=board.members[4], reason="A brother.")
    board.sign_others()
    board.votes(m0="reject", m1="approve", m2="approve", m3="approve")
    boards.write_minutes(meeting=meeting, review=board.review, text=HOSTILE, by=board.chair)
    boards.attend(meeting=meeting, present=True, by=board.chair)
    board.case.decide(board.review)
    boards.close_meeting(meeting=meeting, by=board.chair)
    board.review.refresh_from_db()
    return decision_pack(board.review)


def test_every_digest_recomputes_from_the_text_beside_it() -> None:
    pack = full_pack()
    assert sha(pack["snapshot"]["text"]) == pack["snapshot"]["digest"]
    assert sha(pack["decision"]["text"]) == pack["decision"]["digest"]
    assert sha(pack["policy"]["data"]) == pack["policy"]["digest"]
    assert sha(pack["minutes"][0]["text"]) == pack["minutes"][0]["digest"]
    rest = {key: value for key, value in pack.items() if key != "digest"}
    assert hashlib.sha256(canonical_bytes(rest)).hexdigest() == pack["digest"]
    for event in pack["ledger"]["events"]:
        assert hashlib.sha256(b"\x00" + event["body"].encode()).hexdigest() == event["leaf_hash"]
    assert json.loads(pack["decision"]["text"])["digest"] == pack["snapshot"]["digest"]


def test_it_carries_what_the_decision_rests_on() -> None:
    pack = full_pack()
    assert len(pack["sign_offs"]) == 6
    assert [v["reason"] for v in pack["dissent"]] == ["Too early."]
    assert [v["lapsed_because"][:10] for v in pack["lapsed"]] == ["The signer"]
    one = pack["sign_offs"][0]
    assert all(one[name] for name in ("role", "meaning", "method", "signed_at", "digest", "verdict"))
    assert one["person"]["name"]
    assert {e["action"] for e in pack["ledger"]["events"]} >= {"review.submitted", "sign_off.given", "decision.made"}
    assert json.loads(pack["minutes"][0]["text"])["items"][0]["recused"]


def test_a_returned_review_has_its_pack_too_and_an_open_one_has_none() -> None:
    case = ready_case()
    review = case.submit()
    case.sign(review, "business_owner")
    with pytest.raises(Conflict, match="not decided"):
        decision_pack(review)
    case.decide(review, "return", reason="Not yet.")
    review.refresh_from_db()
    pack = decision_pack(review)
    assert pack["decision"]["outcome"] == "return"
    assert [v["role"] for v in pack["sign_offs"]] == ["business_owner"]
    second = case.submit()
    case.sign_all(second)
    case.decide(second)
    second.refresh_from_db()
    assert [r["outcome"] for r in decision_pack(second)["previous_rounds"]] == ["return"]


def test_the_same_review_gives_the_same_bytes() -> None:
    review = ready_case().pass_gate()
    assert pack_bytes(decision_pack(review)) == pack_bytes(decision_pack(review))
    assert pack_pdf(decision_pack(review)) == pack_pdf(decision_pack(review))


def test_hostile_words_become_a_pdf_and_nothing_else() -> None:
    board = board_case()
    board.case.use_case.name = HOSTILE[:150]
    board.case.use_case.save(update_fields=["name"])
    meeting = board.in_session()
    boards.write_minutes(meeting=meeting, review=board.review, text=HOSTILE, by=board.chair)
    boards.write_minutes(meeting=meeting, text=HOSTILE, by=board.chair)
    boards.attend(meeting=meeting, present=True, by=board.chair)
    board.case.decide(board.review, "return", reason=HOSTILE)
    meeting = boards.close_meeting(meeting=meeting, by=board.chair)
    board.review.refresh_from_db()
    assert pack_pdf(decision_pack(board.review)).startswith(b"%PDF-1.7")
    assert minutes_pdf(meeting, agenda_of(meeting, board.chair)).startswith(b"%PDF-1.7")


def test_a_pdf_is_made_in_under_two_seconds() -> None:
    pack = full_pack()
    begun = time.perf_counter()
    pack_pdf(pack)
    assert time.perf_counter() - begun < 2


def test_the_files_are_for_who_sees_the_use_case() -> None:
    case = ready_case()
    review = case.pass_gate()
    stranger = person_with("business_owner", UseCaseFactory.create())
    for form, kind in (("json", "application/json"), ("pdf", "application/pdf")):
        address = f"/gates/reviews/{review.number}/pack.{form}"
        got = as_(case.lead).get(address)
        assert (got.status_code, got["Content-Type"]) == (200, kind)
        assert "attachment" in got["Content-Disposition"]
        assert as_(stranger).get(address).status_code == 404
        assert Client().get(address).status_code == 302


def test_an_open_review_has_no_file() -> None:
    case = ready_case()
    review = case.submit()
    assert as_(case.lead).get(f"/gates/reviews/{review.number}/pack.json").status_code == 409


def test_the_procedure_in_the_documents_verifies_a_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = (Path(settings.BASE_DIR) / "docs" / "decision-pack.md").read_text(encoding="utf-8")
    program = words.split("```python\n")[1].split("```")[0]
    pack = full_pack()
    monkeypatch.chdir(tmp_path)
    Path("pack.json").write_bytes(pack_bytes(pack))
    exec(program, {})  # our own document
    Path("pack.json").write_bytes(pack_bytes({**pack, "review": {**pack["review"], "tier": "minimal"}}))
    with pytest.raises(AssertionError):
        exec(program, {})
