"""The bell of the frame."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from notify.selectors import unread_count


def bell(request: HttpRequest) -> dict[str, object]:
    """`notice_count`: unread notices, counted only when a template shows them, so that fragments cost nothing."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"notice_count": 0}
    return {"notice_count": SimpleLazyObject(lambda: unread_count(user))}
