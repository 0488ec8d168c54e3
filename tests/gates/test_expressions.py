"""The language of custom criteria: what it computes, and that nothing else gets in."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.criteria.custom_expression import Params
from gates.expressions import MAX_LENGTH, ExpressionError, Signature, Unknown, evaluate, parse
from gates.published import FUNCTIONS, SIGNATURES, VARIABLE_NAMES, functions, variables
from tests.gates.judging import NOW, facts

NAMES = frozenset({"a", "b", "live.version"})
TAKES = {"twice": Signature(1, 1), "since": Signature(named=frozenset({"days"}))}
VALUES: dict[str, Any] = {"a": Decimal(3), "b": None, "live.version": Decimal(2)}
DOES: dict[str, Any] = {"twice": lambda x: None if x == 0 else 2 * x, "since": lambda days: days}


def value(text: str) -> Any:
    return evaluate(parse(text, names=NAMES, functions=TAKES), VALUES, DOES)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1 + 2 * 3", Decimal(7)),
        ("(1 + 2) * 3", Decimal(9)),
        ("10 - 4 - 3", Decimal(3)),
        ("-a + 5", Decimal(2)),
        ("a == 3 and not a > 3", True),
        ("false or a >= 3", True),
        ("'x' == \"x\"", True),
        ("'x' != 'y'", True),
        ("twice(a) <= since(days=6)", True),
        ("live.version / 4", Decimal("0.5")),
        ("0.1 + 0.2 == 0.3", True),
    ],
)
def test_what_it_computes(text: str, result: Any) -> None:
    assert value(text) == result


@pytest.mark.parametrize("text", ["b > 1", "true or b > 1", "twice(0) > 1"])
def test_what_is_not_on_record_is_unknown_never_fine(text: str) -> None:
    with pytest.raises(Unknown):
        value(text)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("a +", 1, 4),
        ("a > 1)", 1, 6),
        ("c > 1", 1, 1),
        ("a\n > nothing", 2, 4),
        ("open('x')", 1, 1),
        ("a.__class__", 1, 1),
        ("a ** 9", 1, 4),
        ("a[0]", 1, 2),
        ("lambda: 1", 1, 7),
        ("__import__('os')", 1, 1),
        ("twice", 1, 1),
        ("twice()", 1, 1),
        ("twice(1, 2)", 1, 1),
        ("twice(x=1)", 1, 1),
        ("since(1)", 1, 1),
        ("since()", 1, 1),
        ("a = 3", 1, 3),
        ("'open", 1, 1),
        ("a if a else b", 1, 3),
        ("9" * 40, 1, 1),
    ],
)
def test_what_is_not_of_the_language_is_refused_with_line_and_column(text: str, line: int, column: int) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text, names=NAMES, functions=TAKES)
    assert (refused.value.line, refused.value.column) == (line, column)
    assert f"line {line}, column {column}" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 250 + "1" + ")" * 249,
        "not " * 120 + "true",
        "-" * 499 + "1",
        "1" + "+1" * 249,
        "twice(" * 80 + "1",
        "9" * 501,
    ],
)
def test_what_is_nested_or_chained_too_far_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text, names=NAMES, functions=TAKES)


def test_the_longest_chain_that_is_accepted_can_be_computed() -> None:
    assert value("1" + "+1" * 74) == 75


WORDS = st.sampled_from(
    ["a", "b", "twice(", "since(days=", ")", "(", "1", "2.5", "'x'", "and", "or", "not", "==", "<", "+", "-", "*", "/",
     ",", "true", "**", ".", "__class__", "import", "lambda", "\n", "live.version", "9" * 31]
)  # fmt: skip


@given(st.one_of(st.text(max_size=MAX_LENGTH + 20), st.lists(WORDS, max_size=120).map(" ".join)))
def test_any_text_is_parsed_or_refused_within_50_ms(text: str) -> None:
    started = time.perf_counter()
    try:
        tree = parse(text, names=NAMES, functions=TAKES)
    except ExpressionError:
        tree = None
    assert time.perf_counter() - started < 0.05
    if tree is not None:
        try:
            evaluate(tree, VALUES, DOES)
        except (Unknown, TypeError, ValueError, ArithmeticError):
            pass


def test_every_published_function_is_there_and_named_in_the_words_about_it() -> None:
    there = functions(facts(), NOW, {})
    assert set(there) == set(FUNCTIONS)
    for name, (_signature, words) in FUNCTIONS.items():
        assert words.startswith(f"{name}(")
    assert set(variables(facts(), NOW)) == VARIABLE_NAMES


def test_a_policy_refuses_a_call_that_the_function_does_not_take() -> None:
    with pytest.raises(ValueError, match="takes 1 arguments, not 2"):
        Params("metric('f1', 'f2') > 1")
    assert "metric" in SIGNATURES
