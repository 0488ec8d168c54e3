"""What can be wrong with a file: a problem is reported and the row still comes in; a broken file changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kernel.errors import Invalid

SHOWN = 20
_LONGEST_QUOTE = 120


@dataclass(frozen=True, slots=True)
class Problem:
    """One cell that says something the profile does not know. ``row`` counts as a spreadsheet does: the header is 1."""

    row: int
    column: str
    message: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class BrokenFile(Invalid):
    """The file cannot be taken as it is. Nothing of it was imported; ``problems`` say which rows are at fault."""

    code = "broken_file"

    def __init__(self, message: str, *, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        said = [f"Row {each.row}, {each.column}: {each.message}" for each in problems[:SHOWN]]
        super().__init__(message, hint=hint, errors={"file": [message, *said]})
        self.problems = list(problems)


def quoted(text: str) -> str:
    """A value as a message cites it: on one line, and short."""
    line = " ".join(text.split())
    return f"“{line[: _LONGEST_QUOTE - 1]}…”" if len(line) > _LONGEST_QUOTE else f"“{line}”"
