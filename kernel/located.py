"""YAML with line and column numbers, so that an error can say where in the file it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from kernel.errors import Invalid

Path = tuple[str | int, ...]
Mark = tuple[int, int]
"""Line and column, both from 1."""
MAX_DEPTH = 40
COLLECTIONS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
SCALARS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp"))
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where it is there: ten times as fast, and it refuses deep nesting by itself."""


@dataclass(frozen=True, slots=True)
class Located:
    """Plain data read from a YAML text, with the line and column of every value."""

    name: str
    data: Any
    lines: dict[Path, int]
    columns: dict[Path, int] = field(default_factory=dict)
    texts: dict[Path, Mark] = field(default_factory=dict)
    """Where the first character of a text value stands; only of texts within one line."""

    def line(self, path: Path) -> int:
        """Line of the value at ``path``, or of the nearest value around it."""
        return self.lines.get(self._nearest(path), 1)

    def column(self, path: Path) -> int:
        return self.columns.get(self._nearest(path), 1)

    def problem(self, path: Path, message: str, *, inside: Mark | None = None) -> str:
        """``default.yaml line 12, column 7, gates.idea_to_poc: message``.

        ``inside`` is a line and column within the text at ``path``, such as of an expression.
        """
        where = ".".join(str(part) for part in path) or "top"
        line, column = self.line(path), self.column(path)
        if inside is not None and path in self.texts:
            first = self.texts[path]
            line, column = first[0] + inside[0] - 1, (first[1] if inside[0] == 1 else 1) + inside[1] - 1
        return f"{self.name} line {line}, column {column}, {where}: {message}"

    def _nearest(self, path: Path) -> Path:
        while path and path not in self.lines:
            path = path[:-1]
        return path


def compose(text: str, name: str) -> yaml.Node | None:
    """The nodes of a YAML text. ``Invalid`` with line and column when it is none, is too deep or has aliases."""
    try:
        _refuse_traps(text, name)
        found: yaml.Node | None = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = _place(mark) if mark else " line 1, column 1"
        raise Invalid(f"{name}{where}: this is not valid YAML: {error.problem or error.context}.") from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        where = f" line {before.count(chr(10)) + 1}, column {error.position - before.rfind(chr(10))}"
        raise Invalid(f"{name}{where}: a character that YAML does not allow.") from error
    except yaml.YAMLError as error:
        raise Invalid(f"{name} line 1, column 1: this is not valid YAML: {error}.") from error
    return found


def _refuse_traps(text: str, name: str) -> None:
    """Aliases unfold into gigabytes and deep nesting overflows the stack of whoever builds the tree: refused before.

    Events come one by one, without recursion, so looking at them is safe whatever the text is.
    """
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or isinstance(event, yaml.AliasEvent):
            raise Invalid(f"{name}{_place(event.start_mark)}: aliases and very deep nesting are not accepted.")


def _place(mark: Any) -> str:
    return f" line {mark.line + 1}, column {mark.column + 1}"


def read_located(text: str, name: str) -> Located:
    """Parse YAML safely: no tags, no aliases (a few lines of them can unfold into gigabytes), no duplicate keys."""
    reader = _Reader(name)
    node = compose(text, name)
    data = reader.value(node, ()) if node is not None else None
    return Located(name, data, reader.lines, reader.columns, reader.texts)


class _Reader:
    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Path, int] = {}
        self.columns: dict[Path, int] = {}
        self.texts: dict[Path, Mark] = {}
        self._scalars = yaml.constructor.SafeConstructor()

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.lines[path], self.columns[path] = node.start_mark.line + 1, node.start_mark.column + 1
        if not isinstance(node, yaml.ScalarNode) and node.tag not in COLLECTIONS:
            raise self._refused(node, f"tags such as {node.tag} are not accepted.")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*path, i)) for i, child in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._refused(key_node, "a key has to be a plain word.")
            key = str(key_node.value)
            if key in found:
                raise self._refused(key_node, f"the key {key!r} stands twice.")
            found[key] = self.value(value_node, (*path, key))
            line = key_node.start_mark.line + 1
            if self.lines[(*path, key)] != line:
                self.columns[(*path, key)] = key_node.start_mark.column + 1
            self.lines[(*path, key)] = line
        return found

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        if node.tag not in SCALARS:
            raise self._refused(node, f"tags such as {node.tag} are not accepted.")
        quoted = getattr(node, "style", None) in ("'", '"')
        if getattr(node, "style", None) not in ("|", ">"):
            self.texts[path] = (node.start_mark.line + 1, node.start_mark.column + 1 + (1 if quoted else 0))
        try:
            return self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            raise self._refused(node, f"{node.value!r} cannot be read: {error}.") from error

    def _refused(self, node: yaml.Node, message: str) -> Invalid:
        return Invalid(f"{self.name}{_place(node.start_mark)}: {message}")
