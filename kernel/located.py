"""YAML with line numbers, so that an error can say where in the file it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from kernel.errors import Invalid

Path = tuple[str | int, ...]
MAX_DEPTH = 40
COLLECTIONS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


@dataclass(frozen=True, slots=True)
class Located:
    """Plain data read from a YAML text, with the line of every value."""

    name: str
    data: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """Line of the value at ``path``, or of the nearest value around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, message: str) -> str:
        """``default.yaml line 12, gates.idea_to_poc: message``."""
        where = ".".join(str(part) for part in path) or "top"
        return f"{self.name} line {self.line(path)}, {where}: {message}"


def read_located(text: str, name: str) -> Located:
    """Parse YAML safely: no tags, no aliases (a few lines of them can unfold into gigabytes), no duplicate keys."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Invalid(f"{name} line {line}: this is not valid YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise Invalid(f"{name}: this is not valid YAML: {error}.") from error
    except RecursionError as error:
        raise Invalid(f"{name}: this is nested too deeply.") from error
    lines: dict[Path, int] = {}
    data = _construct(node, (), lines, name, set()) if node is not None else None
    return Located(name, data, lines)


def _construct(node: yaml.Node, path: Path, lines: dict[Path, int], name: str, seen: set[int]) -> Any:
    line = node.start_mark.line + 1
    lines[path] = line
    if id(node) in seen or len(path) > MAX_DEPTH:
        raise Invalid(f"{name} line {line}: aliases and very deep nesting are not accepted.")
    seen.add(id(node))
    if not isinstance(node, yaml.ScalarNode) and node.tag not in COLLECTIONS:
        raise Invalid(f"{name} line {line}: tags such as {node.tag} are not accepted.")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, name, seen)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(child, (*path, i), lines, name, seen) for i, child in enumerate(node.value)]
    return _scalar(node, line, name)


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int], name: str, seen: set[int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise Invalid(f"{name} line {line}: a key has to be a plain word.")
        key = str(key_node.value)
        if key in found:
            raise Invalid(f"{name} line {line}: the key {key!r} stands twice.")
        found[key] = _construct(value_node, (*path, key), lines, name, seen)
        lines[(*path, key)] = line
    return found


def _scalar(node: yaml.Node, line: int, name: str) -> Any:
    if not node.tag.startswith("tag:yaml.org,2002:"):
        raise Invalid(f"{name} line {line}: tags such as {node.tag} are not accepted.")
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise Invalid(f"{name} line {line}: {node.value!r} cannot be read: {error}.") from error
