"""YAML whose every value knows its line, so that a mistake in a profile is shown where it was made.

Scalars are read as they are written: ``Yes`` is the text "Yes", not a truth value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NoReturn

import yaml

from kernel.errors import Invalid

MAX_SIZE = 1024 * 1024
_NULLS = {"", "~", "null", "Null", "NULL"}


class ProfileError(Invalid):
    """A profile is wrong: the message names the file, the line and the key."""

    code = "bad_profile"


class Place:
    """One node of the document, with the way to it."""

    def __init__(self, node: yaml.Node, file: str, keys: tuple[str, ...] = ()) -> None:
        self._node = node
        self._file = file
        self._keys = keys

    @property
    def line(self) -> int:
        return int(self._node.start_mark.line) + 1

    def fail(self, said: str) -> NoReturn:
        where = ".".join(self._keys)
        message = f"{self._file}, line {self.line}: {f'{where}: ' if where else ''}{said}"
        raise ProfileError(message, errors={where or "profile": [message]})

    @property
    def is_null(self) -> bool:
        node = self._node
        return isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NULLS

    @property
    def is_mapping(self) -> bool:
        return isinstance(self._node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self._node, yaml.SequenceNode)

    def mapping(self, *, known: Collection[str] = (), required: Iterable[str] = ()) -> dict[str, Place]:
        """Key -> value. With ``known``, any other key is refused; a key that is there twice always is."""
        if not isinstance(self._node, yaml.MappingNode):
            self.fail("this must be a mapping (key: value)")
        found: dict[str, Place] = {}
        for key, value in self._node.value:
            if not isinstance(key, yaml.ScalarNode):
                Place(key, self._file, self._keys).fail("a key must be a text")
            here = Place(value, self._file, (*self._keys, key.value))
            if key.value in found:
                Place(key, self._file, self._keys).fail(f"the key “{key.value}” is there twice")
            if known and key.value not in known:
                Place(key, self._file, self._keys).fail(
                    f"unknown key “{key.value}” (known: {', '.join(sorted(known))})"
                )
            found[key.value] = here
        for name in required:
            if name not in found:
                self.fail(f"the key “{name}” is missing")
        return found

    def items(self) -> list[Place]:
        if not isinstance(self._node, yaml.SequenceNode):
            self.fail("this must be a list")
        return [
            Place(node, self._file, (*self._keys[:-1], f"{self._keys[-1] if self._keys else ''}[{number}]"))
            for number, node in enumerate(self._node.value)
        ]

    def text(self) -> str:
        if not isinstance(self._node, yaml.ScalarNode):
            self.fail("this must be a text")
        return str(self._node.value)

    def filled(self) -> str:
        said = self.text()
        if not said.strip():
            self.fail("this must not be empty")
        return said

    def texts(self) -> list[str]:
        """A list of texts; a single text stands for a list of one."""
        return [each.text() for each in self.items()] if self.is_list else [self.text()]

    def truth(self) -> bool:
        said = self.text()
        if said not in {"true", "false"}:
            self.fail(f"this must be true or false, not “{said}”")
        return said == "true"

    def one_of(self, allowed: Collection[str]) -> str:
        said = self.text()
        if said not in allowed:
            self.fail(f"“{said}” is none of: {', '.join(sorted(allowed))}")
        return said


def read(content: bytes, file: str) -> Place:
    """The root of a YAML document. ``file`` is how messages call it."""
    if len(content) > MAX_SIZE:
        raise ProfileError(f"{file} is larger than {MAX_SIZE // 1024} kB.")
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(content.decode("utf-8"), Loader=loader)
    except UnicodeDecodeError as error:
        raise ProfileError(f"{file} is not UTF-8.") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ProfileError(f"{file}, line {line}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ProfileError(f"{file}: {error}") from error
    if node is None:
        raise ProfileError(f"{file} is empty.")
    return Place(node, file)
