"""What can be shown of an evidence file without handing it to the browser: text as text, a few facts about a PDF."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from governance.models import Evidence

MOST_TEXT = 16 * 1024
MOST_PDF = 4 * 1024 * 1024
TEXTUAL = ("text/", "application/json", "application/yaml", "application/toml", "application/xml", "message/rfc822")


@dataclass(frozen=True, slots=True)
class Preview:
    """``text`` (cut when ``cut``), or ``facts`` as label and value."""

    text: str = ""
    cut: bool = False
    facts: list[tuple[str, str]] = field(default_factory=list)


def preview_of(evidence: Evidence) -> Preview | None:
    """None when nothing can be said, or the file cannot be read."""
    if evidence.kind != Evidence.Kind.FILE or not evidence.file:
        return None
    try:
        if evidence.media_type.startswith(TEXTUAL) or evidence.media_type == "application/x-ndjson":
            return _text(evidence)
        return _pdf(evidence) if evidence.media_type == "application/pdf" else None
    except OSError:
        return None


def _text(evidence: Evidence) -> Preview:
    with evidence.file.open("rb") as file:
        head = file.read(MOST_TEXT)
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return Preview(text=head.decode(encoding, errors="replace"), cut=evidence.size > len(head))


def _pdf(evidence: Evidence) -> Preview:
    with evidence.file.open("rb") as file:
        content = file.read(MOST_PDF)
    facts = [("PDF", content[5:8].decode("ascii", errors="replace"))]
    pages = len(re.findall(rb"/Type\s*/Page(?![a-zA-Z])", content))
    if pages and evidence.size <= MOST_PDF:
        facts.append(("Pages", str(pages)))
    for name in (b"Title", b"Author", b"Producer", b"CreationDate"):
        found = re.search(rb"/" + name + rb"\s*\(((?:[^()\\]|\\.){1,300})\)", content)
        if found:
            facts.append((name.decode(), found[1].decode("utf-8", errors="replace")))
    return Preview(facts=facts)
