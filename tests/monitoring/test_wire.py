"""A batch is refused at its first mistake, which is named by its place."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kernel.errors import Invalid
from monitoring import wire

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
GOOD = {"series": 7, "time": "2026-11-21T09:00:00Z", "value": 0.5}


def read(content: Any) -> wire.Batch:
    return wire.read(json.dumps(content).encode(), by_line=False, now=NOW)


def refusal(content: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        read(content)
    return caught.value


def test_times_become_utc_text() -> None:
    batch = read([{**GOOD, "time": "2026-11-21T11:00:00.5+02:00"}])
    assert batch.entries[0][1] == "2026-11-21 09:00:00.500000"


def test_what_points_share_may_stand_beside_them_once() -> None:
    point = {"time": GOOD["time"], "value": 1}
    batch = read({"use_case": "UC-1", "metric": "f1", "points": [point, {**point, "segment": "north", "step": 1}]})
    assert batch.addresses == [wire.Address(None, "UC-1", "f1"), wire.Address(None, "UC-1", "f1", "north")]


def test_a_series_is_named_one_way_only() -> None:
    error = refusal([{**GOOD, "metric": "f1", "use_case": "UC-1"}])
    assert "points[0].series" in error.errors


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"value": "0.5"}, "value"),
        ({"value": None}, "value"),
        ({"value": True}, "value"),
        ({"time": "yesterday"}, "time"),
        ({"time": "2026-11-21T09:00:00"}, "time"),
        ({"time": 1763715600}, "time"),
        ({"time": "1999-12-31T23:59:59Z"}, "time"),
        ({"time": (NOW + timedelta(minutes=6)).isoformat()}, "time"),
        ({"step": 1.5}, "step"),
        ({"step": 2**60}, "step"),
        ({"n": -1}, "n"),
        ({"unit": 3}, "unit"),
        ({"value": 1e301}, "value"),
        ({"segment": "x" * 101, "series": None, "use_case": "UC-1", "metric": "f1"}, "segment"),
        ({"metric": "f\x001", "series": None, "use_case": "UC-1"}, "metric"),
        ({"series": "seven"}, "series"),
        ({"series": None}, "series"),
        ({"vlaue": 3}, "vlaue"),
    ],
)
def test_a_wrong_field_is_named_with_its_point(change: dict[str, Any], field: str) -> None:
    error = refusal([GOOD, {**GOOD, **change}])
    assert list(error.errors) == [f"points[1].{field}"]
    assert "Nothing of the batch was stored" in error.message


@pytest.mark.parametrize("body", [b'[{"series":7,"time":"2026-11-21T09:00:00Z","value":NaN}]', b"[1", b"\xff"])
def test_nan_and_broken_json_are_refused_with_their_position(body: bytes) -> None:
    with pytest.raises(Invalid, match="line 1, column"):
        wire.read(body, by_line=False, now=NOW)


def test_infinity_in_disguise_is_refused() -> None:
    with pytest.raises(Invalid):
        wire.read(b'[{"series":7,"time":"2026-11-21T09:00:00Z","value":1e999}]', by_line=False, now=NOW)


def test_a_float_that_is_not_finite_is_refused_from_python_too() -> None:
    with pytest.raises(Invalid) as caught:
        wire.check([{**GOOD, "value": float("inf")}], now=NOW)
    assert "points[0].value" in caught.value.errors


def test_a_clock_may_be_five_minutes_ahead() -> None:
    assert len(read([{**GOOD, "time": (NOW + timedelta(minutes=5)).isoformat()}]).entries) == 1


def test_a_missing_field_is_named() -> None:
    assert list(refusal([{"series": 7, "value": 1}]).errors) == ["points[0].time"]


def test_a_point_that_is_no_object_is_named() -> None:
    assert list(refusal([GOOD, 5]).errors) == ["points[1]"]


@pytest.mark.parametrize("content", [[], {"points": []}, {"values": []}, 5, {"points": [GOOD], "colour": "red"}])
def test_a_batch_of_another_shape_is_refused(content: Any) -> None:
    refusal(content)


def test_two_units_for_one_series_contradict() -> None:
    error = refusal([{**GOOD, "unit": "ratio"}, {**GOOD, "unit": "%"}])
    assert list(error.errors) == ["points[1].unit"]


def test_the_broken_line_of_many_is_named() -> None:
    lines = [json.dumps({**GOOD, "step": number}) for number in range(10_000)]
    lines[4_999] = lines[4_999][:-1]
    with pytest.raises(Invalid) as caught:
        wire.read("\n".join(lines).encode(), by_line=True, now=NOW)
    assert list(caught.value.errors) == ["line 5000"]


def test_a_last_line_may_end_with_a_line_break() -> None:
    assert len(wire.read((json.dumps(GOOD) + "\n").encode(), by_line=True, now=NOW).entries) == 1


def test_gzip_is_unpacked() -> None:
    assert wire.unpack(gzip.compress(b"[]"), "gzip") == b"[]"


@pytest.mark.parametrize("body", [b"no gzip at all", gzip.compress(b"x" * 1000)[:-20]], ids=["no gzip", "cut off"])
def test_broken_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        wire.unpack(body, "gzip")


def test_a_gzip_bomb_is_refused_without_being_unpacked() -> None:
    with pytest.raises(wire.TooLarge):
        wire.unpack(gzip.compress(b"0" * (wire.MAX_BYTES + 1)), "gzip")


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(Invalid):
        wire.unpack(b"", "br")


def varied(count: int) -> list[dict[str, Any]]:
    return [
        {
            "series": 1 + number % 3,
            "time": (NOW - timedelta(seconds=number, milliseconds=number % 2)).isoformat(),
            "value": number if number % 5 == 0 else number / 7,
            "step": number,
            "n": None if number % 4 == 0 else number,
        }
        for number in range(count)
    ]


def test_points_alike_are_checked_a_column_at_a_time_with_the_same_result() -> None:
    rows = varied(50)
    at_once = read(rows)
    one_by_one = read([*rows, {**GOOD, "segment": None}])  # another shape: each by itself
    assert at_once.entries == one_by_one.entries[:-1]
    assert at_once.addresses == one_by_one.addresses[:3]
    assert {type(entry[3]) for entry in at_once.entries} == {float}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"value": "0.5"}, "value"),
        ({"value": True}, "value"),
        ({"value": -1e301}, "value"),
        ({"value": float("nan")}, "value"),
        ({"value": float("-inf")}, "value"),
        ({"time": "1999-12-31T23:59:59Z"}, "time"),
        ({"time": []}, ""),
        ({"value": 10**400}, "value"),
        ({"series": 2.0}, "series"),
        ({"time": None}, "time"),
        ({"step": True}, "step"),
        ({"step": 2**53}, "step"),
        ({"n": 0.5}, "n"),
        ({"n": -1}, "n"),
        ({"series": None}, "series"),
        ({"series": []}, "series"),
        ({"series": True}, "series"),
    ],
)
def test_the_odd_one_among_points_alike_is_named(change: dict[str, Any], field: str) -> None:
    rows = varied(20)
    rows[13] |= change
    with pytest.raises(Invalid) as caught:
        wire.check(rows, now=NOW)
    assert list(caught.value.errors) == [f"points[13].{field}" if field else "points[13]"]


@pytest.mark.parametrize("rows", [[["series", "time", "value"]] * 2, ["abc", "abc"], [b"abc"], [(), ()]])
def test_points_alike_that_are_no_objects_are_refused(rows: list[Any]) -> None:
    with pytest.raises(Invalid):
        wire.check(rows, now=NOW)


@pytest.mark.parametrize(
    "lines",
    [
        ['{"series":7,"time":"2026-11-21T09:00:00Z","segment":"}', '{","value":1}'],
        ['{"series":7,"time":"2026-11-21T09:00:00Z","value":1},{"value":2}', "{}"],
        ['{"series":7,"time":"2026-11-21T09:00:00Z","value":1}]', "[{}"],
        ["", '{"series":7,"time":"2026-11-21T09:00:00Z","value":1}'],
    ],
)
def test_lines_mean_what_each_of_them_means(lines: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        wire.read("\n".join(lines).encode(), by_line=True, now=NOW)
    assert list(caught.value.errors) == ["line 1"]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2026-11-21T09:00:00Z", "2026-11-21 09:00:00"),
        ("20261121T090000.000Z", "2026-11-21 09:00:00"),
        ("2026-11-21T09:00:00.25Z", "2026-11-21 09:00:00.250000"),
        ("2026-11-21 09:00:00Z", "2026-11-21 09:00:00"),
        ("2026-11-21T10:00:00+01:00", "2026-11-21 09:00:00"),
        ("2026-W47-6T09:00:00Z", "2026-11-21 09:00:00"),
    ],
)
def test_every_spelling_of_a_time_is_stored_alike(text: str, stored: str) -> None:
    assert read([{**GOOD, "time": text}]).entries[0][1] == stored
