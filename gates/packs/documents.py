"""PDF through Typst: the templates lie beside this module, the fonts come with the compiler, nothing is fetched.

What people wrote is passed as JSON and set as text; it is never part of a template. The same data makes the same
bytes.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import typst

from kernel.canonical import plain

TEMPLATES = Path(__file__).with_name("typst")
STANDARD: Literal["a-2b"] = "a-2b"
LONGEST = 20_000
"""Characters of one text: a page holds some 4,000, and a document has to be made while somebody waits."""
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of what follows: a PDF shows them or is misread by them."""

Template = Literal["business", "decision", "executive", "minutes"]


def render_pdf(template: Template, data: dict[str, Any], *, at: datetime) -> bytes:
    """A PDF/A-2b; ``at`` is the moment it says it was made.

    PDF/A refuses a character that no font of the compiler has (Chinese, emoji). Then it is a plain PDF, in which that
    character is a box; the JSON has it.
    """
    text = json.dumps(_clean(plain(data)), ensure_ascii=False)
    try:
        return _compiled(template, text, at, STANDARD)
    except typst.TypstError as refused:
        if "could not be displayed" not in str(refused):
            raise
    return _compiled(template, text, at, "1.7")


def _compiled(template: Template, text: str, at: datetime, standards: Literal["a-2b", "1.7"]) -> bytes:
    made: bytes = typst.compile(
        str(TEMPLATES / f"{template}.typ"),
        root=str(TEMPLATES),
        ignore_system_fonts=True,
        sys_inputs={"data": text},
        pdf_standards=standards,
        timestamp=int(at.timestamp()),
    )
    return made


def moment(value: datetime | str | None) -> str:
    """``3 Nov 2026, 14:05:09 UTC``; of nothing, nothing."""
    if not value:
        return ""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M:%S} UTC"


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        shown = _UNSEEN.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n"))
        return shown if len(shown) <= LONGEST else shown[:LONGEST] + " […]"
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value
