"""The small language of custom criteria: numbers, text, names, published functions, comparisons, and/or/not.

There is no attribute access, no indexing, no power operator and no way to define anything, so an expression can
neither reach outside nor run long. It is parsed by recursive descent into a tree; errors carry line and column.

    expression = conjunction ("or" conjunction)*      conjunction = negation ("and" negation)*
    negation   = "not" negation | comparison          comparison  = sum (("==" | "!=" | "<=" | ">=" | "<" | ">") sum)?
    sum        = product (("+" | "-") product)*       product     = atom (("*" | "/") atom)*
    atom       = number | 'text' | true | false | name | name "(" arguments ")" | "(" expression ")" | "-" atom
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any

MAX_LENGTH = 500
MAX_DEPTH = 20
MAX_DIGITS = 30
MAX_TOKENS = 150
"""A chain of operators is a tree as deep as it is long, and evaluating it must not run out of stack."""
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>\d+(?:\.\d+)?)|(?P<text>'[^'\n]{0,100}'|\"[^\"\n]{0,100}\")"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*(?:\.[a-z_][a-z_0-9]*)?)|(?P<op>==|!=|<=|>=|[<>+\-*/(),=])"
)


class ExpressionError(ValueError):
    """The text is not an expression of this language; says where (line and column from 1)."""

    def __init__(self, message: str, text: str, position: int) -> None:
        before = text[:position]
        self.line = before.count("\n") + 1
        self.column = position - (before.rfind("\n") + 1) + 1
        self.message = f"the expression is not accepted: {message}"
        super().__init__(f"line {self.line}, column {self.column}: {message}")


class Unknown(Exception):
    """A name or function has no value on record."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class Node:
    kind: str
    value: Any
    children: tuple[Node, ...] = ()
    named: tuple[tuple[str, Node], ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """What a published function accepts: how many arguments by position, and which by name."""

    least: int = 0
    most: int = 0
    named: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def parse(text: str, *, names: frozenset[str], functions: Mapping[str, Signature]) -> Node:
    """The tree of ``text``; only the published names and functions are accepted, with the arguments they take."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters", text, MAX_LENGTH)
    tokens = _tokens(text)
    if len(tokens) > MAX_TOKENS:
        raise ExpressionError(f"more than {MAX_TOKENS} words and signs", text, tokens[MAX_TOKENS].position)
    parser = _Parser(text, tokens, names, functions)
    tree = parser.either(0)
    parser.expect_end()
    return tree


def evaluate(node: Node, values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """The value of a tree. ``Unknown`` when something is not on record; ``TypeError`` on a wrong mix of types,
    ``ValueError`` where the numbers have no answer."""
    if node.kind == "const":
        return node.value
    if node.kind == "name":
        value = values[node.value]
        if value is None:
            raise Unknown(node.value)
        return value
    if node.kind == "call":
        found = functions[node.value](
            *(evaluate(child, values, functions) for child in node.children),
            **{key: evaluate(child, values, functions) for key, child in node.named},
        )
        if found is None:
            shown = ", ".join(str(child.value) for child in node.children if child.kind == "const")
            raise Unknown(f"{node.value}({shown})")
        return found
    return _operate(node, values, functions)


def _operate(node: Node, values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    if node.value in ("and", "or"):
        results = [_truth(evaluate(child, values, functions)) for child in node.children]
        return all(results) if node.value == "and" else any(results)
    operands = [evaluate(child, values, functions) for child in node.children]
    if node.value == "not":
        return not _truth(operands[0])
    if node.value == "negative":
        return -_number(operands[0])
    left, right = operands
    if node.value in ("==", "!="):
        return (left == right) if node.value == "==" else (left != right)
    a, b = _number(left), _number(right)
    if node.value == "/" and b == 0:
        raise ValueError("division by zero")
    try:
        return _ARITHMETIC[node.value](a, b)
    except DecimalException as wrong:
        raise ValueError(f"the numbers cannot be combined: {type(wrong).__name__}") from wrong


_ARITHMETIC: Mapping[str, Callable[[Decimal, Decimal], Any]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise TypeError(f"{value!r} is not a number")
    return Decimal(value)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"unexpected {text[position]!r}", text, position)
        kind = match.lastgroup or ""
        if kind == "number" and len(match.group()) > MAX_DIGITS:
            raise ExpressionError("a number with too many digits", text, position)
        if kind != "space":
            found.append(_Token(kind, match.group(), position))
        position = match.end()
    return found


class _Parser:
    def __init__(
        self, text: str, tokens: list[_Token], names: frozenset[str], functions: Mapping[str, Signature]
    ) -> None:
        self.text, self.tokens, self.names, self.functions = text, tokens, names, functions
        self.at = 0

    def either(self, depth: int) -> Node:
        return self._chain(depth, ("or",), self.both)

    def both(self, depth: int) -> Node:
        return self._chain(depth, ("and",), self.negation)

    def negation(self, depth: int) -> Node:
        self._deep(depth)
        if self._take("name", "not"):
            return Node("op", "not", (self.negation(depth + 1),))
        return self.comparison(depth)

    def comparison(self, depth: int) -> Node:
        left = self._chain(depth, ("+", "-"), self.product)
        token = self._take("op", "==", "!=", "<=", ">=", "<", ">")
        if token is None:
            return left
        return Node("op", token.text, (left, self._chain(depth, ("+", "-"), self.product)))

    def product(self, depth: int) -> Node:
        return self._chain(depth, ("*", "/"), self.atom)

    def atom(self, depth: int) -> Node:
        self._deep(depth)
        token = self._peek()
        if token is None:
            raise ExpressionError("the expression ends too early", self.text, len(self.text))
        self.at += 1
        if token.kind == "number":
            return Node("const", Decimal(token.text))
        if token.kind == "text":
            return Node("const", token.text[1:-1])
        if token.text == "(":
            inner = self.either(depth + 1)
            self._expect(")")
            return inner
        if token.text == "-":
            return Node("op", "negative", (self.atom(depth + 1),))
        if token.kind == "name":
            return self._named(token, depth)
        raise ExpressionError(f"unexpected {token.text!r}", self.text, token.position)

    def expect_end(self) -> None:
        token = self._peek()
        if token is not None:
            raise ExpressionError(f"unexpected {token.text!r}", self.text, token.position)

    def _named(self, token: _Token, depth: int) -> Node:
        if token.text in ("true", "false"):
            return Node("const", token.text == "true")
        if self._take("op", "("):
            if token.text not in self.functions:
                known = ", ".join(sorted(self.functions))
                raise ExpressionError(f"unknown function {token.text!r} (known: {known})", self.text, token.position)
            return self._call(token, depth + 1)
        if token.text not in self.names:
            known = ", ".join(sorted(self.names))
            raise ExpressionError(f"unknown name {token.text!r} (known: {known})", self.text, token.position)
        return Node("name", token.text)

    def _call(self, token: _Token, depth: int) -> Node:
        arguments: list[Node] = []
        named: list[tuple[str, Node]] = []
        while not self._take("op", ")"):
            if arguments or named:
                self._expect(",")
            following = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else None
            here = self._peek()
            if here and here.kind == "name" and following and following.text == "=":
                self.at += 2
                named.append((here.text, self.either(depth)))
            else:
                arguments.append(self.either(depth))
        self._check_call(token, len(arguments), [key for key, _value in named])
        return Node("call", token.text, tuple(arguments), tuple(named))

    def _check_call(self, token: _Token, given: int, named: list[str]) -> None:
        takes = self.functions[token.text]
        wrong = [key for key in named if key not in takes.named]
        if wrong:
            raise ExpressionError(f"{token.text}() takes no argument named {wrong[0]!r}", self.text, token.position)
        if len(set(named)) < len(named):
            raise ExpressionError(f"{token.text}() got an argument twice", self.text, token.position)
        if not takes.least <= given <= takes.most:
            count = str(takes.least) if takes.least == takes.most else f"{takes.least} to {takes.most}"
            raise ExpressionError(f"{token.text}() takes {count} arguments, not {given}", self.text, token.position)
        if takes.named and set(named) != takes.named:
            raise ExpressionError(f"{token.text}() needs {', '.join(sorted(takes.named))}", self.text, token.position)

    def _chain(self, depth: int, operators: tuple[str, ...], part: Callable[[int], Node]) -> Node:
        self._deep(depth)
        left = part(depth + 1)
        while token := self._take("name" if operators[0].isalpha() else "op", *operators):
            left = Node("op", token.text, (left, part(depth + 1)))
        return left

    def _deep(self, depth: int) -> None:
        if depth > MAX_DEPTH * 4:
            token = self._peek()
            raise ExpressionError("nested too deeply", self.text, token.position if token else len(self.text))

    def _peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _take(self, kind: str, *texts: str) -> _Token | None:
        token = self._peek()
        if token is not None and token.kind == kind and token.text in texts:
            self.at += 1
            return token
        return None

    def _expect(self, text: str) -> None:
        if not self._take("op", text):
            token = self._peek()
            position = token.position if token else len(self.text)
            raise ExpressionError(f"{text!r} expected", self.text, position)
