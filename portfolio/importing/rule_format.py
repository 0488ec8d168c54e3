"""How one rule (a column and what becomes of it) is written in a profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portfolio.importing.fields import CHOICES, FIELDS, is_one_line, max_length
from portfolio.importing.profile import NOT_GIVEN, Kind, NotGiven, Rule, Unknown, Value, Words
from portfolio.importing.yaml_places import Place

KEYS = frozenset(
    {
        "column",
        "value",
        "map",
        "default",
        "empty",
        "unknown",
        "empty_words",
        "split",
        "prefer",
        "when",
        "required",
        "shorten",
    }
)
TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Target:
    """What a rule's value is for."""

    kind: Kind
    allowed: Mapping[str, str]
    """Of a choice: value -> label."""
    max_length: int | None = None
    one_line: bool = False


def target_of(field: str) -> Target:
    return Target(FIELDS[field], CHOICES.get(field, {}), max_length(field), is_one_line(field))


TEXT = Target(Kind.TEXT, {}, None, True)
DAY = Target(Kind.DATE, {})


def read_rules(place: Place, target: Target, words: Words, earlier: Sequence[str]) -> tuple[Rule, ...]:
    """One rule, or a list of rules to try in turn."""
    if place.is_list:
        rules = tuple(read_rule(each, target, words, earlier) for each in place.items())
        if not rules:
            place.fail("the list of rules is empty")
        return rules
    return (read_rule(place, target, words, earlier),)


def read_rule(
    place: Place, target: Target, words: Words, earlier: Sequence[str] = (), *, extra: frozenset[str] = frozenset()
) -> Rule:
    """``earlier`` are the fields that ``when`` may ask about; ``extra`` are keys that the caller reads."""
    if not place.is_mapping:
        return _rule({"column": place}, target, words, place, earlier)
    return _rule(place.mapping(known=KEYS | extra), target, words, place, earlier)


def _rule(keys: Mapping[str, Place], target: Target, words: Words, place: Place, earlier: Sequence[str]) -> Rule:
    if ("column" in keys) == ("value" in keys):
        place.fail("say either “column” or “value”")
    split = tuple(_given(keys, "split", _texts, ()))
    unknown, on_unknown = _unknown(keys.get("unknown"), target)
    return Rule(
        kind=target.kind,
        column=keys["column"].filled() if "column" in keys else "",
        constant=_value(keys["value"], target) if "value" in keys else None,
        choices={words.fold(said): value for value, label in target.allowed.items() for said in (value, label)},
        map=_map(keys["map"], target, words) if "map" in keys else None,
        default=_value(keys["default"], target) if "default" in keys else NOT_GIVEN,
        empty=_value(keys["empty"], target) if "empty" in keys else NOT_GIVEN,
        unknown=unknown,
        on_unknown=on_unknown,
        empty_words=frozenset(map(words.fold, keys["empty_words"].texts())) if "empty_words" in keys else None,
        split=tuple(mark.replace("\\n", "\n") for mark in split),
        prefer=_prefer(keys.get("prefer"), target),
        when=_when(keys["when"], earlier) if "when" in keys else {},
        required=keys["required"].truth() if "required" in keys else False,
        shorten=keys["shorten"].truth() if "shorten" in keys else False,
        max_length=target.max_length,
        one_line=target.one_line,
    )


def _given(keys: Mapping[str, Place], name: str, read: Any, default: Any) -> Any:
    return read(keys[name]) if name in keys else default


def _texts(place: Place) -> list[str]:
    return place.texts()


def _value(place: Place, target: Target) -> Value:
    """A value as it stands in the profile; null means that nothing is stated."""
    if place.is_null:
        return None
    if target.kind is Kind.LIST:
        return tuple(place.texts())
    said = place.text()
    if target.kind is Kind.BOOLEAN:
        if said not in TRUTHS:
            place.fail(f"this must be true, false or null, not “{said}”")
        return TRUTHS[said]
    if target.kind is Kind.CHOICE and said not in target.allowed:
        place.fail(f"“{said}” is none of: {', '.join(sorted(target.allowed))}")
    if target.max_length is not None and len(said) > target.max_length:
        place.fail(f"the longest text allowed here has {target.max_length} characters")
    return said


def _map(place: Place, target: Target, words: Words) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for said, value in place.mapping().items():
        folded = words.fold(said)
        meant = _value(value, target)
        if folded in found and found[folded] != meant:
            value.fail(
                f"“{said}” is the same as another key here once compared as the profile says, with another value"
            )
        found[folded] = meant
    if not found:
        place.fail("the map is empty")
    return found


def _unknown(place: Place | None, target: Target) -> tuple[Value | NotGiven, Unknown]:
    if place is None:
        return NOT_GIVEN, Unknown.REPORT
    if not place.is_mapping and not place.is_list and place.text() in set(Unknown):
        return NOT_GIVEN, Unknown(place.text())
    return _value(place, target), Unknown.REPORT


def _prefer(place: Place | None, target: Target) -> tuple[str, ...]:
    if place is None:
        return ()
    items = place.items() if place.is_list else [place]
    return tuple(each.one_of(target.allowed) if target.allowed else each.text() for each in items)


def _when(place: Place, earlier: Sequence[str]) -> dict[str, frozenset[str]]:
    conditions: dict[str, frozenset[str]] = {}
    for name, values in place.mapping().items():
        if name not in earlier:
            values.fail(f"“{name}” is no field that is declared above (there are: {', '.join(earlier) or 'none'})")
        allowed = CHOICES.get(name)
        items = values.items() if values.is_list else [values]
        conditions[name] = frozenset(each.one_of(allowed) if allowed else each.text() for each in items)
    return conditions
