"""Before and after: what counts as a change, and how values are spelled."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import models
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

import ledger
from kernel.canonical import canonical_bytes
from ledger.models import Event, PersonalValue
from ledger.states import Personal, safe

fields = st.dictionaries(
    st.sampled_from("abcdef"),
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3) | st.decimals(-9, 9, places=2),
)


def test_only_what_changed_is_listed() -> None:
    before = {"name": "A", "value": 1, "gone": "x"}
    after = {"name": "B", "value": 1, "new": "y"}
    assert ledger.diff(before, after) == {
        "gone": {"before": "x", "after": None},
        "name": {"before": "A", "after": "B"},
        "new": {"before": None, "after": "y"},
    }


def test_a_creation_and_a_deletion_list_everything() -> None:
    assert ledger.diff(None, {"a": 1, "b": None}) == {
        "a": {"before": None, "after": 1},
        "b": {"before": None, "after": None},
    }
    assert ledger.diff({"a": 1}, None) == {"a": {"before": 1, "after": None}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Decimal("1.50"), Decimal("1.5")),
        (Decimal("1.50"), "1.5"),
        ((1, 2), [1, 2]),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000000Z"),
        (Personal("Ada"), Personal("Ada")),
        (None, None),
    ],
)
def test_two_spellings_of_one_value_are_no_change(before: object, after: object) -> None:
    assert ledger.diff({"f": before}, {"f": after}) == {}


@pytest.mark.parametrize(
    ("before", "after"),
    [(True, 1), (0, False), ("1", 1), (None, ""), ([1, 2], [2, 1]), (Personal("Ada"), "Ada"), ({"a": None}, {})],
)
def test_values_that_json_tells_apart_are_a_change(before: object, after: object) -> None:
    assert list(ledger.diff({"f": before}, {"f": after})) == ["f"]


@given(fields, fields)
def test_applying_the_changes_to_before_gives_after(before: dict[str, Any], after: dict[str, Any]) -> None:
    changed = ledger.diff(before, after)
    rebuilt = {name: safe(before.get(name)) for name in {*before, *after}}
    rebuilt.update({name: pair["after"] for name, pair in changed.items()})
    assert rebuilt == {name: safe(after.get(name)) for name in {*before, *after}}


@given(fields)
def test_nothing_changed_is_an_empty_diff(state: dict[str, Any]) -> None:
    assert ledger.diff(state, dict(state)) == {}


@given(fields, fields)
def test_the_way_back_swaps_before_and_after(before: dict[str, Any], after: dict[str, Any]) -> None:
    there, back = ledger.diff(before, after), ledger.diff(after, before)
    assert {name: (pair["after"], pair["before"]) for name, pair in back.items()} == {
        name: (pair["before"], pair["after"]) for name, pair in there.items()
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("10.00"), "10"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (float("inf"), "inf"),
        (2**60, "1152921504606846976"),
        (date(2026, 2, 3), "2026-02-03"),
        (datetime(2026, 2, 3, 4, 5), "2026-02-03T04:05:00.000000Z"),  # noqa: DTZ001  # taken for UTC
        (time(4, 5), "04:05:00"),
        (timedelta(days=1, hours=2), "P1DT02H00M00S"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({3, 1, 2}, [1, 2, 3]),
        (b"\x00\xff", "00ff"),
        (gettext_lazy("words"), "words"),
        ({1: Decimal("2.0")}, {"1": "2"}),
        (Event(pk=7), "7"),
    ],
)
def test_every_kind_of_field_has_a_spelling(value: object, expected: object) -> None:
    assert safe(value) == expected
    canonical_bytes(safe(value))


def test_what_has_no_spelling_is_refused() -> None:
    with pytest.raises(TypeError, match="has no canonical JSON"):
        safe(object())


def test_the_state_of_an_instance_holds_keys_instead_of_objects() -> None:
    value = PersonalValue(event_id=5, path="/changes/a/after", erased_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert ledger.state(value, ["event", "path", "erased_at"]) == {
        "event": 5,
        "path": "/changes/a/after",
        "erased_at": "2026-01-01T00:00:00.000000Z",
    }


def test_the_state_refuses_what_is_not_a_column(django_user_model: type[models.Model]) -> None:
    with pytest.raises(TypeError, match="not a column"):
        ledger.state(django_user_model(), ["groups"])
