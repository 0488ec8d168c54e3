"""One line a request, without the query string: it can hold search words about people, or a key.

Runs inside `ledger.middleware.RequestContextMiddleware`, so that a log line, an event of the ledger and the answer's
`X-Request-ID` all carry the same id.
"""

from __future__ import annotations

import re

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware

# A password-reset or confirmation link carries its key in the path.
SECRET_PATHS = re.compile(r"(/key/|/confirm-email/)[^/]+")


class RequestLogMiddleware(RequestMiddleware):
    def prepare(self, request: HttpRequest) -> None:
        structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]  # see above

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        shown = SECRET_PATHS.sub(r"\1(hidden)", request.path)
        return f"{request.method} {shown}"
