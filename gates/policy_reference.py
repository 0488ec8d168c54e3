"""The reference part of ``docs/policy-format.md``, written from the criterion types themselves."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from accounts.roles import catalogue
from gates.criterion import CriterionType, criterion_types
from gates.fields import FIELD_NAMES
from gates.measures import MEASURES
from gates.policy import CHANGES, CONDITIONS
from gates.published import FUNCTIONS, VARIABLES
from governance.catalogue import document_types, questionnaires

PAGE = Path(__file__).resolve().parent.parent / "docs" / "policy-format.md"
EXPRESSIONS = """\
Numbers, text in quotes, `true`, `false`, `and`, `or`, `not`, `==`, `!=`, `<=`, `>=`, `<`, `>`, `+`, `-`, `*`, `/`,
brackets, and what is listed here. What is not on record makes the whole criterion *missing*, whatever the other side of
an `or` says. There is no attribute, index, power or definition, so nothing else can be reached."""
BEGIN, END = "<!-- reference: manage.py document_policy_format -->", "<!-- end of reference -->"


def with_reference(page: str) -> str:
    """The page with its reference part as it has to be today."""
    before, rest = page.split(BEGIN)
    _old, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


def reference() -> str:
    parts = ["## Criterion types", "", f"There are {len(criterion_types)}. Each is one file in `gates/criteria/`.", ""]
    for kind in criterion_types:
        parts += [*_type(kind), ""]
    parts += ["## Words that policies may use", "", *_words()]
    return "\n".join(parts).rstrip() + "\n"


def meanings(params: type) -> dict[str, str]:
    """Parameter -> what it means, from the docstring of the dataclass: one ``name: meaning`` a line."""
    text = re.sub(r"\n\s{4,}", " ", inspect.cleandoc(params.__doc__ or ""))
    found = (re.match(r"(\w+): (.+)", line) for line in text.splitlines())
    return {match[1]: match[2] for match in found if match}


def _type(kind: type[CriterionType[Any]]) -> Iterator[str]:
    yield f"### `{kind.key}`: {kind.label}"
    yield ""
    needs = "It needs a `threshold`." if kind.needs_bound else "A `threshold` may be added where a figure counts."
    yield f"{kind.passes_when} {needs}" if kind.needs_bound or _reads_bound(kind) else str(kind.passes_when)
    yield ""
    yield "| parameter | takes | unless given | meaning |"
    yield "|---|---|---|---|"
    hints = get_type_hints(kind.accepts)
    said = meanings(kind.accepts)
    for field in dataclasses.fields(kind.accepts):
        yield f"| `{field.name}` | {_takes(hints[field.name])} | {_default(field)} | {said.get(field.name, '')} |"


def _reads_bound(kind: type[CriterionType[Any]]) -> bool:
    return "bound" in inspect.getsource(kind)


def _takes(hint: Any) -> str:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _takes(next(arg for arg in get_args(hint) if arg is not type(None)))
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in get_args(hint) if word)
    if origin is tuple:
        return f"list of {_takes(get_args(hint)[0])}"
    if dataclasses.is_dataclass(hint):
        return "mapping"
    return {str: "text", int: "whole number", bool: "true or false", Decimal: "number"}[hint]


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return "has to be given"
    if field.default in ("", (), None) or (field.default == 0 and field.default is not False):
        return "none"
    return f"`{str(field.default).lower()}`"


def _words() -> Iterator[str]:
    signing = [key for key, role in catalogue().roles.items() if role.signs]
    yield f"**Conditions** (`applies_if`): {_list(CONDITIONS)}."
    yield ""
    yield f"**Changes** (`invalidated_by`): {_list(CHANGES)}."
    yield ""
    yield f"**Roles that sign** (`signers`): {_list(signing)}."
    yield ""
    yield f"**Other roles** (`owner`): {_list(key for key in catalogue().roles if key not in signing)}."
    yield ""
    yield f"**Fields**: {_list(sorted(FIELD_NAMES))}."
    yield ""
    yield f"**Measures** that the record itself yields (`threshold.measure`, `metric`): {_list(sorted(MEASURES))}."
    yield ""
    yield f"**Document types**: {_list(sorted(document_types()))}."
    yield ""
    yield f"**Questionnaires**: {_list(sorted(questionnaires()))}."
    yield ""
    yield "## Expressions"
    yield ""
    yield EXPRESSIONS
    yield ""
    yield "| name | meaning |"
    yield "|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in VARIABLES.items())
    for _signature, words in FUNCTIONS.values():
        call, _colon, meaning = words.partition("): ")
        yield f"| `{call})` | {meaning} |"


def _list(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
