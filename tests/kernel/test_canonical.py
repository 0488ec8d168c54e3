"""Canonical JSON: the vectors of RFC 8785 that its subset covers, and what has no canonical form."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import models
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from kernel.canonical import MAX_SAFE_INTEGER, canonical_bytes, digest

plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-MAX_SAFE_INTEGER, max_value=MAX_SAFE_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=5)
    ),
    max_leaves=20,
)


class Colour(models.TextChoices):
    RED = "red", gettext_lazy("Red")


def test_rfc_8785_sorts_keys_by_utf16_code_units() -> None:
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    written = json.loads(canonical_bytes(value), object_pairs_hook=list)
    assert [said for _, said in written] == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_rfc_8785_escapes_as_ecmascript_does() -> None:
    value = {"string": '\u20ac$\u000f\nA\'B"\\\\"/', "literals": [None, True, False]}
    expected = '{"literals":[null,true,false],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical_bytes(value) == expected.encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("\b\t\n\f\r\x1f\x7f\u2028", '"\\b\\t\\n\\f\\r\\u001f\x7f\u2028"'),
        ([], "[]"),
        ({}, "{}"),
        ((1, -2, 0), "[1,-2,0]"),
        (MAX_SAFE_INTEGER, "9007199254740991"),
        (True, "true"),
        (Decimal("1.50"), '"1.5"'),
        (Decimal("1E+2"), '"100"'),
        (Decimal("-0.00"), '"0"'),
        (Decimal("0.000001"), '"0.000001"'),
        (Decimal("123456789012345678901234567890.10"), '"123456789012345678901234567890.1"'),
        (date(2026, 11, 21), '"2026-11-21"'),
        (datetime(2026, 11, 21, 10, tzinfo=UTC), '"2026-11-21T10:00:00.000000Z"'),
        (datetime(2026, 11, 21, 10, tzinfo=timezone(timedelta(hours=2))), '"2026-11-21T08:00:00.000000Z"'),
        (datetime(1, 2, 3, 4, 5, 6, 7, tzinfo=UTC), '"0001-02-03T04:05:06.000007Z"'),
        (UUID("12345678123456781234567812345678"), '"12345678-1234-5678-1234-567812345678"'),
        (Colour.RED, '"red"'),
        ({Colour.RED: 1}, '{"red":1}'),
    ],
)
def test_every_type_has_one_spelling(value: object, expected: str) -> None:
    assert canonical_bytes(value) == expected.encode()


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        [1.0],
        float("nan"),
        {1},
        {1: "a"},
        {None: "a"},
        datetime(2026, 11, 21, 10),  # noqa: DTZ001  # that is the point
        b"bytes",
        object(),
        gettext_lazy("words that depend on who reads them"),
    ],
)
def test_types_without_a_canonical_form_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_bytes(value)


@pytest.mark.parametrize("value", [MAX_SAFE_INTEGER + 1, -(2**63), "\ud800", {"\ud800": 1}, Decimal("NaN")])
def test_values_without_a_canonical_form_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical_bytes(value)


def test_the_digest_is_sha256_of_the_bytes() -> None:
    assert digest({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


@given(plain_values)
def test_what_was_written_reads_back_the_same(value: Any) -> None:
    assert json.loads(canonical_bytes(value)) == value


@given(plain_values)
def test_writing_again_what_was_read_gives_the_same_bytes(value: Any) -> None:
    once = canonical_bytes(value)
    assert canonical_bytes(json.loads(once)) == once


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 9), min_size=2))
def test_the_order_of_insertion_does_not_matter(value: dict[str, int]) -> None:
    assert canonical_bytes(dict(reversed(value.items()))) == canonical_bytes(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_equal_decimals_are_written_equally(value: Decimal) -> None:
    assert (
        canonical_bytes(value) == canonical_bytes(value.normalize()) == canonical_bytes(value.quantize(Decimal("1e-9")))
    )
