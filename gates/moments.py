"""Moments as people write them in addresses and on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from kernel.errors import Invalid


def read_moment(text: str | None, field: str = "at") -> datetime:
    """Now, the end of a day (``2026-11-21``), or a moment (``2026-11-21T10:00:00Z``); without a zone it is UTC."""
    if not text:
        return timezone.now()
    try:
        found = parse_datetime(text)
        day = None if found else parse_date(text)
    except ValueError as wrong:
        raise _refused(text, field) from wrong
    if day is not None:  # the end of that day: what was known by then
        return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)
    if found is None:
        raise _refused(text, field)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _refused(text: str, field: str) -> Invalid:
    message = _("%(text)s is neither a date (2026-11-21) nor a moment (2026-11-21T10:00:00Z).") % {"text": repr(text)}
    return Invalid(message, errors={field: [message]})
