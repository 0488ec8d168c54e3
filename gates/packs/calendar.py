"""A meeting as a calendar file (RFC 5545)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from gates.models import Meeting

LASTS = timedelta(hours=1)


def calendar_of(meeting: Meeting, *, url: str) -> str:
    """One VEVENT; lines end with CRLF and are folded at 75 octets. A cancelled meeting takes itself away."""
    cancelled = meeting.state == Meeting.State.CANCELLED
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Tollgate//Board//EN",
        "CALSCALE:GREGORIAN",
        f"METHOD:{'CANCEL' if cancelled else 'PUBLISH'}",
        "BEGIN:VEVENT",
        f"UID:{meeting.pk}@tollgate",
        f"DTSTAMP:{_moment(timezone.now())}",
        f"DTSTART:{_moment(meeting.starts_at)}",
        f"DTEND:{_moment(max(meeting.closed_at or meeting.starts_at, meeting.starts_at + LASTS))}",
        f"SUMMARY:{_text(f'{meeting} {meeting.title}')}",
        f"LOCATION:{_text(meeting.place)}" if meeting.place else "",
        f"DESCRIPTION:{_text(f'Chair: {meeting.chair.full_name}')}",
        f"URL:{url}",
        f"STATUS:{'CANCELLED' if cancelled else 'CONFIRMED'}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(_folded(line) + "\r\n" for line in lines if line)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    """Escaped as TEXT: nothing that somebody typed can begin a line of its own."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return " ".join(escaped.split())


def _folded(line: str) -> str:
    parts, rest = [], line.encode()
    limit = 75
    while len(rest) > limit:
        cut = limit
        while rest[cut] & 0xC0 == 0x80:  # not within a character
            cut -= 1
        parts.append(rest[:cut].decode())
        rest, limit = rest[cut:], 74
    return "\r\n ".join([*parts, rest.decode()])
