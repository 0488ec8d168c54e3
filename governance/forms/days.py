"""Days that a person chooses, as moments: valid until a day means until its end."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone


def end_of(day: date | None) -> datetime | None:
    """The last moment of a day in the installation's time zone."""
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min)) - timedelta(microseconds=1)
