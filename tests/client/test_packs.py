"""``tollgate verify-pack``: a pack that is whole passes; change any part of it and it does not."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tollgate_client.cli import main
from tollgate_client.packs import NotAPack, canonical, differences, read_pack

from gates.packs.decision import decision_pack, pack_bytes
from gates.services import boards
from kernel.canonical import canonical_bytes
from tests.factories.boards import board_case
from tests.factories.conditions import term

pytestmark = pytest.mark.django_db


def whole_pack() -> dict[str, Any]:
    """With a lapsed vote, dissent, a condition and minutes."""
    board = board_case()
    meeting = board.in_session()
    board.vote(4)
    boards.recuse(review=board.review, by=board.members[4], reason="A brother.")
    board.sign_others()
    board.votes(m0="reject", m1="approve", m2="approve", m3="approve")
    boards.write_minutes(meeting=meeting, review=board.review, text="The board agreed. Ü 漢", by=board.chair)
    boards.attend(meeting=meeting, present=True, by=board.chair)
    owed = term(board.case.lead)
    board.case.decide(board.review, "go_with_conditions", conditions=[owed], reason="With eyes open.")
    boards.close_meeting(meeting=meeting, by=board.chair)
    board.review.refresh_from_db()
    pack: dict[str, Any] = json.loads(pack_bytes(decision_pack(board.review)))
    return pack


def resealed(pack: dict[str, Any]) -> dict[str, Any]:
    """As somebody would who knows how the pack's own digest is made."""
    rest = {key: value for key, value in pack.items() if key != "digest"}
    return {**rest, "digest": hashlib.sha256(canonical(rest)).hexdigest()}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for n, item in enumerate(value):
            yield from leaves(item, (*path, n))
    else:
        yield path


def changed(pack: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    copied = copy.deepcopy(pack)
    at = copied
    for step in path[:-1]:
        at = at[step]
    old = at[path[-1]]
    at[path[-1]] = not old if isinstance(old, bool) else old + 1 if isinstance(old, int) else f"{old or ''}x"
    return copied


def test_a_whole_pack_passes_and_any_changed_value_is_noticed() -> None:
    pack = whole_pack()
    assert differences(pack) == []
    paths = [path for path in leaves(pack) if path not in (("format",), ("v",))]
    assert len(paths) > 150
    assert [path for path in paths if not differences(changed(pack, path))] == []


def test_a_removed_part_is_noticed() -> None:
    pack = whole_pack()
    for key in pack:
        assert differences({k: v for k, v in pack.items() if k != key}), key


FORGED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "the outcome": lambda p: p["decision"].update(outcome="stop"),
    "the reason": lambda p: p["decision"].update(reason="Because."),
    "who decided": lambda p: p["decision"]["decided_by"].update(id=p["sign_offs"][0]["person"]["id"]),
    "when": lambda p: p["decision"].update(decided_at="2020-01-01T00:00:00.000000Z"),
    "a vote": lambda p: p["sign_offs"][-1].update(verdict="reject"),
    "a dropped vote": lambda p: p["sign_offs"].pop(),
    "an added vote": lambda p: p["sign_offs"].append({**p["sign_offs"][0], "role": "security"}),
    "a vote's time": lambda p: p["sign_offs"][0].update(signed_at="2020-01-01T00:00:00.000000Z"),
    "a vote's reason": lambda p: (
        p["sign_offs"][2].update(reason="Fine."),
        p["dissent"][0].update(reason="Fine."),
    ),
    "hidden dissent": lambda p: p["dissent"].clear(),
    "a lapsed vote's verdict": lambda p: p["lapsed"][0].update(verdict="reject"),
    "the snapshot": lambda p: p["snapshot"].update(text=p["snapshot"]["text"].replace("Letters", "Emails")),
    "the tier": lambda p: p["review"].update(tier="minimal"),
    "the use case": lambda p: p["review"]["use_case"].update(key="UC-9999"),
    "the gate": lambda p: p["review"]["gate"].update(key="pilot_to_production"),
    "the policy": lambda p: p["policy"].update(data=p["policy"]["data"].replace("0.9", "0.1")),
    "the policy's digest": lambda p: p["policy"].update(digest="0" * 64),
    "the minutes": lambda p: p["minutes"][0].update(text=p["minutes"][0]["text"].replace("agreed", "refused")),
    "the evidence": lambda p: p["evidence"].append(
        {"kind": "evidence", "id": "1", "label": "Invented", "digest": "", "criteria": ["IP-01"]}
    ),
    "an event": lambda p: p["ledger"]["events"][0].update(body=p["ledger"]["events"][0]["body"].replace("v", "w", 1)),
    "an event's index": lambda p: p["ledger"]["events"][0].update(index=99_999),
    "the decision's digest": lambda p: p["decision"].update(digest="f" * 64),
    "a condition": lambda p: p["conditions"][0].update(text="Nothing."),
    "who owes it": lambda p: p["conditions"][0]["owner"].update(id=p["decision"]["decided_by"]["id"]),
    "a dropped condition": lambda p: p["conditions"].clear(),
    "a whole decision": lambda p: p["decision"].update(
        text=p["decision"]["text"].replace('"go_with_conditions"', '"go"')
    ),
}


def test_a_forgery_is_noticed_even_when_the_pack_is_sealed_anew() -> None:
    whole = whole_pack()
    unnoticed = []
    for what, forge in FORGED.items():
        pack = copy.deepcopy(whole)
        forge(pack)
        assert pack != whole, what
        if not differences(resealed(pack)):
            unnoticed.append(what)
    assert unnoticed == []


def test_the_command_says_what_differs_and_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack = whole_pack()
    good = tmp_path / "good.json"
    good.write_bytes(canonical_bytes(pack))
    assert main(["verify-pack", str(good)]) == 0
    assert pack["snapshot"]["digest"] in capsys.readouterr().out
    assert main(["verify-pack", str(good), "--digest", pack["decision"]["digest"]]) == 0
    assert main(["verify-pack", str(good), "--digest", "0" * 64]) == 1
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(changed(pack, ("decision", "outcome"))))
    assert main(["verify-pack", str(bad)]) == 1
    assert "the decision's outcome" in capsys.readouterr().out


def test_indentation_and_the_order_of_keys_do_not_matter(tmp_path: Path) -> None:
    pack = whole_pack()
    file = tmp_path / "pretty.json"
    file.write_text(json.dumps(dict(reversed(pack.items())), indent=2), encoding="utf-8")
    assert main(["verify-pack", str(file)]) == 0


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"format": "else"}', '{"format": "tollgate.decision-pack", "v": 99}', '{"a": 1, "a": 2}']
)
def test_a_file_that_is_no_pack_is_wrong_input(text: str, tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_text(text)
    with pytest.raises(NotAPack):
        read_pack(str(file))
    assert main(["verify-pack", str(file)]) == 2
    assert main(["verify-pack", str(tmp_path / "none.json")]) == 2


def test_a_pack_with_parts_of_another_shape_differs_and_does_not_crash() -> None:
    pack = {"format": "tollgate.decision-pack", "v": 1, "snapshot": [], "digest": 3}
    assert differences(pack)
    nested: Any = {"format": "tollgate.decision-pack", "v": 1, "digest": 1.5}
    assert differences(nested)
