"""Change single values of a policy text and leave every other character, comments too, as its author wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import yaml

from kernel.errors import Invalid
from kernel.located import Path, compose, read_located

REMOVE = object()
"""As a value: take the key away."""
Edit = tuple[Path, Any]


def edited(text: str, edits: Iterable[Edit], name: str = "the policy") -> str:
    """``text`` with these values set, in order; mappings that are missing on the way are made.

    Read back, the text differs in exactly these values. ``Invalid`` where that cannot be done by changing one place.
    """
    data = read_located(text, name).data
    for place, value in edits:
        data = _with(data, place, value)
        text = _without(text, place, name) if value is REMOVE else _set(text, place, value, name)
        if read_located(text, name).data != data:
            where = ".".join(map(str, place))
            raise Invalid(f"{where} is written in a way that cannot be changed here; change it in the text itself.")
    return text


def written(value: Any) -> str:
    """A value as YAML within one line."""
    flow = yaml.safe_dump([_plain(value)], default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**9)
    return str(flow).strip()[1:-1]


def _set(text: str, place: Path, value: Any, name: str) -> str:
    node = compose(text, name)
    if not isinstance(node, yaml.MappingNode):
        raise Invalid(f"{name} line 1, column 1: a policy is a mapping.")
    found: yaml.Node = node
    for depth, step in enumerate(place):
        inner = _child(found, step)
        if inner is None:
            return _put(text, found, place[depth:], value)
        found = inner
    return text[: _start(text, found)] + _space(text, found) + written(value) + text[_end(found) :]


def _start(text: str, node: Any) -> int:
    """Where a value starts; of a block collection right after the colon before it, for it may stand at any indent."""
    start = int(node.start_mark.index)
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return start
    return text.rindex(":", 0, start) + 1


def _put(text: str, parent: yaml.Node, place: Path, value: Any) -> str:
    """A key that is not there yet, at the end of its mapping."""
    for step in reversed(place[1:]):
        value = {step: value}
    entry = f"{written(place[0])}: {written(value)}"
    if isinstance(parent, yaml.ScalarNode):  # "key:" with nothing after it
        return text[: parent.start_mark.index] + f"{_space(text, parent)}{{{entry}}}" + text[_end(parent) :]
    if not isinstance(parent, yaml.MappingNode):
        raise Invalid(f"{place[0]!r} cannot stand in a list; change it in the text itself.")
    end = _end(parent)
    if parent.flow_style:
        at = _end(parent.value[-1][1]) if parent.value else end - 1
        return text[:at] + (", " if parent.value else "") + entry + text[at:]
    at = text.find("\n", end)
    at = len(text) if at < 0 else at
    return text[:at] + "\n" + " " * parent.start_mark.column + entry + text[at:]


def _without(text: str, place: Path, name: str) -> str:
    parent: yaml.Node | None = compose(text, name)
    for step in place[:-1]:
        parent = _child(parent, step) if parent is not None else None
    if not isinstance(parent, yaml.MappingNode):
        return text
    position = next((i for i, (key, _v) in enumerate(parent.value) if key.value == str(place[-1])), None)
    if position is None:
        return text
    key, value = parent.value[position]
    if parent.flow_style:
        if position + 1 < len(parent.value):
            return text[: key.start_mark.index] + text[parent.value[position + 1][0].start_mark.index :]
        start = _end(parent.value[position - 1][1]) if position else key.start_mark.index
        return text[:start] + text[_end(value) :]
    start = text.rfind("\n", 0, key.start_mark.index) + 1
    if text[start : key.start_mark.index].strip():  # the first key of an item in a list: "- id: …"
        raise Invalid(f"{place[-1]} stands first in its item; change it in the text itself.")
    end = text.find("\n", _end(value))
    return text[:start] + (text[end + 1 :] if end >= 0 else "")


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
        found: yaml.Node = node.value[step]
        return found
    return None


def _end(node: yaml.Node) -> int:
    """Where its last sign stands; what a block collection ends with by itself is the line after it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _end(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1])
    return int(node.end_mark.index)


def _space(text: str, node: yaml.Node) -> str:
    """A value that was empty starts right after its colon."""
    start = _start(text, node)
    return " " if text[start - 1 : start] == ":" else ""


def _with(data: Any, place: Path, value: Any) -> Any:
    """``data`` with one value set, the rest shared."""
    step, rest = place[0], place[1:]
    if isinstance(data, list) and isinstance(step, int):
        return [*data[:step], _with(data[step], rest, value) if rest else _plain(value), *data[step + 1 :]]
    found = dict(data or {})
    if rest:
        if value is REMOVE and step not in found:
            return found
        found[str(step)] = _with(found.get(str(step)), rest, value)
    elif value is REMOVE:
        found.pop(str(step), None)
    else:
        found[str(step)] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value
