"""Random sequences of actions by random people: the rules of the gates hold after every single step."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import connection

from tests.gates.sequences.stage import make_cast
from tests.gates.sequences.walk import walk

pytestmark = pytest.mark.django_db
EACH = 25
NORMAL = range(0, 300 if connection.vendor == "sqlite" else 50, EACH)
"""The rules know no database: where several writers matter, ``test_decision_races`` and its like ask."""
LONG = range(300, 10_300, 100)
OFTEN = {"submit": 10, "sign_all": 10, "go": 2, "empty": 3, "sign_open": 4, "declare_interest": 2}
"""How often things have to succeed in 25 sequences at the least: rules that nothing comes near prove nothing."""


@pytest.mark.parametrize("first", NORMAL)
def test_the_rules_hold_after_every_step(first: int) -> None:
    cast = make_cast()
    succeeded: Counter[str] = Counter()
    for seed in range(first, first + EACH):
        succeeded += walk(seed, cast)
    for name, count in OFTEN.items():
        assert succeeded[name] >= count, f"{name} hardly ever succeeded: {succeeded}"


@pytest.mark.long
@pytest.mark.parametrize("first", LONG)
def test_the_rules_hold_in_ten_thousand_sequences(first: int) -> None:
    cast = make_cast()
    for seed in range(first, first + 100):
        walk(seed, cast)
