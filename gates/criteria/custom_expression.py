"""An expression over published facts is true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from gates.criterion import Ask, CriterionType, Facts, Finding, aged, criterion_types, error, met, missing, not_met
from gates.expressions import ExpressionError, Node, Unknown, evaluate, parse
from gates.published import SIGNATURES, VARIABLE_NAMES, VARIABLES, functions, latest_evidence, variables


@dataclass(frozen=True, slots=True)
class Params:
    """
    expr: The expression; see below.
    """

    expr: str

    def __post_init__(self) -> None:
        try:
            parse(self.expr, names=VARIABLE_NAMES, functions=SIGNATURES)
        except ExpressionError as wrong:
            raise ValueError(f"the expression is not accepted: {wrong}") from wrong


@criterion_types.register
class CustomExpression(CriterionType[Params]):
    key = "custom_expression"
    label = _("Expression")
    passes_when = _("The expression over published facts is true.")
    accepts = Params
    place = "controls"
    needs = (
        "profile",
        "kpis",
        "models",
        "validation",
        "metrics",
        "monitors",
        "controls",
        "issues",
        "documents",
        "people",
        "declarations",
        "changes",
    )

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        tree = _tree(ask.params.expr)
        required = ask.params.expr
        values = variables(facts, at)
        if ask.bound is not None:
            values["threshold"] = ask.bound.value
            required = f"{ask.params.expr} (threshold {ask.bound.text()})"
        seen: dict[str, Any] = {}
        try:
            result = evaluate(tree, values, functions(facts, at, seen))
        except Unknown as absent:
            return missing(ask, required=required, reason=f"Not on record: {_words(absent.what)}.")
        except (ValueError, TypeError, ArithmeticError) as wrong:
            return error(ask, reason=f"The expression cannot be computed: {wrong}.")
        if not isinstance(result, bool):
            return error(ask, reason="The expression gives neither true nor false.")
        observed = _observed(tree, values, seen)
        if not result:
            return not_met(ask, observed=observed, required=required, reason=f"The rule does not hold: {observed}.")
        finding = met(ask, observed=observed, required=required, reason="The rule holds.")
        as_of = latest_evidence(seen, facts)
        return aged(ask, finding, facts, as_of, at, what="The evidence") if as_of else finding

    def remedy(self, ask: Ask[Params]) -> str:
        names = [VARIABLES[n.value] for n in _names(_tree(ask.params.expr)) if n.value not in _GIVEN]
        record = f"Record {' and '.join(names)}, so that" if names else "Bring the record to where"
        return f"{record} this holds: {ask.params.expr}."


_GIVEN = ("threshold", "candidate")
"""Names that nobody has to record."""
_trees: dict[str, Node] = {}


def _tree(expr: str) -> Node:
    """The parsed expression; policies are few, so every expression is parsed once a process."""
    if expr not in _trees:
        _trees[expr] = parse(expr, names=VARIABLE_NAMES, functions=SIGNATURES)
    return _trees[expr]


def _observed(tree: Node, values: dict[str, Any], seen: dict[str, Any]) -> str:
    names = [f"{node.value} = {values[node.value]}" for node in _names(tree) if node.value not in _GIVEN]
    names += [f"{call} = {value}" for call, (value, _at) in seen.items()]
    return ", ".join(dict.fromkeys(names))[:300]


def _names(tree: Node) -> Iterator[Node]:
    """Every variable of an expression, in the order it is written."""
    if tree.kind == "name":
        yield tree
    for child in (*tree.children, *(node for _key, node in tree.named)):
        yield from _names(child)


def _words(name: str) -> str:
    """What a variable means; a call is told by its name."""
    return VARIABLES.get(name) or name.replace("_", " ")
