"""Minutes of a closed meeting as part of a pack: the text that its digest is over, and the names that belong to it."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from gates.models import Meeting
from gates.services.boards.minutes import minutes_body
from kernel.canonical import canonical_bytes


def minutes_of(meeting: Meeting) -> dict[str, Any]:
    """``text`` is the canonical JSON; ``people`` says who the ids in it are."""
    body = minutes_body(meeting)
    ids = {*body["present"], str(body["chair"]), *(who for item in body["items"] for who in item["recused"])}
    names = User.objects.filter(pk__in=ids).values_list("pk", "full_name")
    return {
        "meeting": meeting.number,
        "label": str(meeting),
        "digest": meeting.minutes_digest,
        "text": canonical_bytes(body).decode(),
        "people": {str(pk): name for pk, name in names},
    }
