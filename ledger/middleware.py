"""Gives each request an id and the ledger its context."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponseBase

from ledger.context import SESSION, ledger_context

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


class RequestContextMiddleware:
    """Takes the request id from ``X-Request-ID`` if it looks like one, else makes one, and echoes it.

    What the request changes is recorded with that id and, until token authentication says otherwise, as signed in by
    session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        request_id = given if SANE.fullmatch(given) else str(uuid4())
        request.request_id = request_id  # type: ignore[attr-defined]  # for logs and problem reports
        with ledger_context(request_id=request_id, auth_method=SESSION):
            response = self.get_response(request)
        response.headers[HEADER] = request_id
        return response
