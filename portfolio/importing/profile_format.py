"""How a profile is written: YAML to ``Profile``, every mistake named by file, line and key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from portfolio.importing.fields import FIELDS
from portfolio.importing.profile import RULES, By, Dates, Declaration, Kind, Profile, Rule, UnitRule, Words
from portfolio.importing.rule_format import DAY, KEYS, TEXT, Target, read_rule, read_rules, target_of
from portfolio.importing.sink import sinks
from portfolio.importing.yaml_places import Place, read

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KNOWN = frozenset(
    {
        "profile", "title", "description", "format", "compare", "empty", "dates", "root", "identify", "unit",
        "fields", "checks", "required", "keep",
    }
)  # fmt: skip
_NEEDED = ("profile", "title", "identify", "unit", "fields")
_COMPARE = ("trim", "collapse", "casefold")


def parse_profile(content: bytes, file: str) -> Profile:
    """The profile in a YAML document. ``file`` is how messages call it. Raises ``ProfileError``."""
    keys = read(content, file).mapping(known=_KNOWN | set(sinks.keys()), required=_NEEDED)
    words = Words(frozenset(_compare(keys.get("compare"))))
    by, identity, key = _identify(keys["identify"], words)
    root_code, root_name = _root(keys.get("root"))
    encodings, delimiters = _format(keys.get("format"))
    shape = keys["format"].mapping() if "format" in keys else {}
    return Profile(
        name=_name(keys["profile"]),
        title=keys["title"].filled(),
        description=keys["description"].text().strip() if "description" in keys else "",
        file=file,
        by=by,
        identity=identity,
        key=key,
        unit=_unit(keys["unit"], words),
        root_code=root_code,
        root_name=root_name,
        fields=_fields(keys["fields"], words),
        checks=_checks(keys.get("checks"), words),
        declarations={name: _section(keys[name], name, words) for name in _sections() if name in keys},
        required=tuple(keys["required"].texts()) if "required" in keys else (),
        kept=_kept(keys.get("keep")),
        words=words,
        empty_words=frozenset(map(words.fold, keys["empty"].texts())) | {""} if "empty" in keys else frozenset({""}),
        dates=_dates(keys.get("dates")),
        encodings=encodings,
        delimiters=delimiters,
        sheet=shape["sheet"].text() if "sheet" in shape else "",
        unguard=shape["unguard"].truth() if "unguard" in shape else False,
    )


def _sections() -> list[str]:
    return sinks.keys()


def _name(place: Place) -> str:
    said = place.text()
    if not NAME.fullmatch(said):
        place.fail("a profile's name has lower case letters, digits, dots, dashes and underscores, 60 at most")
    return said


def _compare(place: Place | None) -> list[str]:
    if place is None:
        return list(_COMPARE)
    return [each.one_of(RULES) for each in place.items()]


def _format(place: Place | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    keys = place.mapping(known={"encodings", "delimiters", "sheet", "unguard"}) if place else {}
    encodings = keys["encodings"].texts() if "encodings" in keys else ["cp1252"]
    for name in encodings:
        try:
            "".encode(name)
        except LookupError:
            keys["encodings"].fail(f"“{name}” is no encoding that Python knows")
    delimiters = [mark.replace("\\t", "\t") for mark in keys["delimiters"].texts()] if "delimiters" in keys else []
    if any(len(mark) != 1 or mark in '"\r\n' for mark in delimiters):
        keys["delimiters"].fail("a delimiter is one character, and no quotation mark")
    return tuple(encodings), tuple(delimiters)


def _dates(place: Place | None) -> Dates:
    if place is None:
        return Dates()
    keys = place.mapping(known={"formats", "earliest", "latest"})
    found = Dates()
    if "formats" in keys:
        for each in keys["formats"].items():
            _try_format(each)
        found = replace(found, formats=tuple(keys["formats"].texts()))
    if "earliest" in keys:
        found = replace(found, earliest=_day(keys["earliest"]))
    if "latest" in keys:
        found = replace(found, latest=_day(keys["latest"]))
    return found


def _try_format(place: Place) -> None:
    sample = date(2001, 2, 3).strftime(place.filled())
    try:
        again = datetime.strptime(sample, place.text()).replace(tzinfo=UTC)
    except ValueError:
        again = None
    if again is None or again.year != 2001:
        place.fail(f"“{place.text()}” is no date format with a year (such as %Y-%m-%d)")


def _day(place: Place) -> date:
    try:
        return date.fromisoformat(place.text())
    except ValueError:
        place.fail("this must be a day, such as 2024-12-31")


def _root(place: Place | None) -> tuple[str, str]:
    if place is None:
        return "organisation", "Organisation"
    keys = place.mapping(known={"code", "name"}, required=("code", "name"))
    if not CODE.fullmatch(keys["code"].text()):
        keys["code"].fail("a unit's code has lower case letters, digits and dashes")
    return keys["code"].text(), keys["name"].filled()


def _identify(place: Place, words: Words) -> tuple[By, tuple[str, ...], Rule | None]:
    keys = place.mapping(known={"by", "columns", "key"}, required=("by",))
    by = By(keys["by"].one_of(set(By)))
    key = (
        replace(read_rule(keys["key"], Target(Kind.TEXT, {}, 40, True), words), required=True)
        if "key" in keys
        else None
    )
    if by is By.KEY:
        if key is None or "columns" in keys:
            place.fail("rows that are found by key need “key” (a column), and no “columns”")
        return by, (), key
    if "columns" not in keys or not keys["columns"].items():
        place.fail("rows that are found by their source need “columns”, those that identify them")
    return by, tuple(each.filled() for each in keys["columns"].items()), key


def _unit(place: Place, words: Words) -> UnitRule:
    keys = place.mapping(known={"code", "name", "create"}, required=("code",))
    code = replace(read_rule(keys["code"], Target(Kind.TEXT, {}, 50, True), words), required=True)
    name = read_rule(keys["name"], Target(Kind.TEXT, {}, 200, True), words) if "name" in keys else None
    return UnitRule(code=code, name=name, create=keys["create"].truth() if "create" in keys else True)


def _fields(place: Place, words: Words) -> dict[str, tuple[Rule, ...]]:
    found: dict[str, tuple[Rule, ...]] = {}
    for name, rules in place.mapping(known=FIELDS, required=("name",)).items():
        found[name] = read_rules(rules, target_of(name), words, list(found))
    if not found["name"][0].required:
        found["name"] = (replace(found["name"][0], required=True), *found["name"][1:])
    return found


def _checks(place: Place | None, words: Words) -> tuple[Rule, ...]:
    """Columns to check: as a day, or against a map."""
    if place is None:
        return ()
    found = []
    for each in place.items():
        kind = each.mapping(known=KEYS | {"type"}, required=("column", "type"))["type"].one_of({"date", "text"})
        found.append(read_rule(each, DAY if kind == "date" else TEXT, words, extra=frozenset({"type"})))
    return tuple(found)


def _kept(place: Place | None) -> frozenset[str]:
    if place is None:
        return frozenset()
    items = place.items() if place.is_list else [place]
    return frozenset(each.one_of(FIELDS) for each in items)


def _section(place: Place, name: str, words: Words) -> tuple[Declaration, ...]:
    sink = sinks.get(name)
    target = Target(Kind.CHOICE, _labels(sink.answers))
    found: dict[str, Declaration] = {}
    for each in place.items():
        keys = each.mapping(known=KEYS | {sink.target}, required=(sink.target, "column"))
        about = keys[sink.target].filled()
        if about in found:
            keys[sink.target].fail(f"“{about}” is declared by another entry already")
        if len(about) > 60:
            keys[sink.target].fail("this is longer than 60 characters")
        found[about] = Declaration(about, read_rule(each, target, words, extra=frozenset({sink.target})))
    return tuple(found.values())


def _labels(answers: Mapping[str, Any]) -> dict[str, str]:
    return {answer: str(label) for answer, label in answers.items()}
