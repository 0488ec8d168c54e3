"""What a person sees when a request is refused before any page of ours has a say."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the token of its session: opened long ago, in a window signed out since, or by another site.

    ``reason`` is Django's, for developers; a person is told what to do.
    """
    words = _(
        "This form belongs to another sign-in, or was open for too long. Nothing was changed. "
        "Go back, copy what you wrote, reload the page and send it again."
    )
    return render(request, "errors/403.html", {"exception": words}, status=403)
