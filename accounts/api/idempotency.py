"""Writes that may be repeated: a request with ``Idempotency-Key`` is carried out once, a repeat gets the same answer.

1. The key is *reserved* in a transaction of its own: a repeat that comes meanwhile finds it taken (409).
2. The handler runs and its answer is stored **in one transaction**. If the process dies, neither the change nor the
   answer is there; if the change is there, so is the answer. "Done but not recorded" cannot happen.
3. A failure (5xx, or an answer that a later attempt may turn, such as 401 or 404) frees the key.

A reservation whose process died is taken over after ``LEASE``. Should the first process still live, it cannot store
its answer, because the reservation carries the time of whoever holds it: its transaction is rolled back with its
change. So even then only one of the two happens.

The price: the locks of the handler's unit of work, the ledger's head row among them, are held until the answer is
rendered and stored, about a millisecond. Handlers that speak to the network must not use this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import IdempotencyRecord, User
from kernel.errors import Conflict, Invalid

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LEASE = timedelta(minutes=5)
LONGEST_KEY = 200
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
DEFINITIVE = frozenset({400, 409, 410, 422})
KEPT_HEADERS = ("Location", "ETag")


class IdempotentMixin:
    """For API views and viewsets, left of the view class: its writes honour ``Idempotency-Key``."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authentication and permissions come first; then the handler that is about to run is wrapped."""
        view = cast(Any, super())
        view.initial(request, *args, **kwargs)
        key = request.headers.get(HEADER, "").strip()
        method = request.method or ""
        if not key or method not in UNSAFE:
            return
        if len(key) > LONGEST_KEY or not key.isprintable():
            raise Invalid(
                _("%(header)s is longer than %(limit)d characters or holds control characters.")
                % {"header": HEADER, "limit": LONGEST_KEY}
            )
        handler = getattr(self, method.lower(), None)
        if handler is not None:
            setattr(self, method.lower(), _Once(self, handler, key))


class _Once:
    """The handler of one request, carried out at most once for its key."""

    def __init__(self, view: Any, handler: Callable[..., HttpResponseBase], key: str) -> None:
        self.view = view
        self.handler = handler
        self.key = key

    def __call__(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = cast(User, request.user)
        digest = request_digest(request)
        record = reserve(user, self.key, digest)
        if record.status is not None:
            return _replay(record)
        try:
            return self._answer(record, request, *args, **kwargs)
        except BaseException:
            release(record)
            raise

    def _answer(self, record: IdempotencyRecord, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with transaction.atomic():
            try:
                with transaction.atomic():  # a handler that fails leaves this transaction usable
                    response = self.handler(request, *args, **kwargs)
            except Exception as error:
                response = self.view.handle_exception(error)
            response = self._rendered(request, response, *args, **kwargs)
            keep = _is_definitive(response)
            if keep:
                _store(record, cast(HttpResponse, response))
        if not keep:
            release(record)
        return response

    def _rendered(self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if isinstance(response, Response) and not response.is_rendered:
            response = self.view.finalize_response(request, response, *args, **kwargs)
            cast(Response, response).render()
        return response


def request_digest(request: Request) -> str:
    """SHA-256 over method, address and body. Of a form with files its parts, for every repeat has new boundaries."""
    found = hashlib.sha256(f"{request.method}\n{request.get_full_path()}\n".encode())
    if (request.content_type or "").startswith("multipart/"):
        parts = cast("QueryDict", request.data)
        for name in sorted(parts):
            for value in parts.getlist(name):
                found.update(f"{len(name)}:{name}=".encode())
                found.update(_part_digest(value))
    else:
        found.update(request.body)
    return found.hexdigest()


def reserve(user: User, key: str, digest: str) -> IdempotencyRecord:
    """The record of this key: new and ours to answer, or one that holds an answer.

    ``Invalid`` when the key was used for another request, ``Conflict`` while the first one is under way.
    """
    now = timezone.now()
    try:
        with transaction.atomic():
            return IdempotencyRecord.objects.create(user=user, key=key, request_digest=digest, created_at=now)
    except IntegrityError:
        record = IdempotencyRecord.objects.filter(user=user, key=key).first()
    if record is None:  # freed between the two statements
        raise _under_way()
    if record.request_digest != digest:
        raise Invalid(_("This %(header)s was used for another request. Use a new one.") % {"header": HEADER})
    if record.status is not None:
        return record
    return _taken_over(record, now)


def release(record: IdempotencyRecord) -> None:
    """Free a key that we hold without an answer, so that a repeat is carried out."""
    _ours(record).delete()


def _taken_over(record: IdempotencyRecord, now: datetime) -> IdempotencyRecord:
    if record.created_at > now - LEASE or not _ours(record).update(created_at=now):
        raise _under_way()
    record.created_at = now
    return record


def _ours(record: IdempotencyRecord) -> Any:
    """The row as long as nobody has answered it or taken it over."""
    return IdempotencyRecord.objects.filter(pk=record.pk, status__isnull=True, created_at=record.created_at)


def _store(record: IdempotencyRecord, response: HttpResponse) -> None:
    stored = _ours(record).update(
        status=response.status_code,
        body=bytes(response.content),
        content_type=response.headers.get("Content-Type", "")[:100],
        headers={name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
    )
    if not stored:  # taken over: the other one answers, so ours must not have happened
        raise _under_way()


def _replay(record: IdempotencyRecord) -> HttpResponse:
    response = HttpResponse(bytes(record.body), status=record.status, headers=record.headers)
    if record.content_type:
        response.headers["Content-Type"] = record.content_type
    else:
        del response.headers["Content-Type"]
    response.headers[REPLAYED] = "true"
    return response


def _is_definitive(response: HttpResponseBase) -> bool:
    if getattr(response, "streaming", False):
        return False
    return 200 <= response.status_code < 300 or response.status_code in DEFINITIVE


def _part_digest(value: object) -> bytes:
    if not isinstance(value, UploadedFile):
        return hashlib.sha256(str(value).encode()).digest()
    found = hashlib.sha256(f"{value.name}\n{value.content_type}\n".encode())
    for chunk in value.chunks():
        found.update(chunk)
    value.seek(0)
    return found.digest()


def _under_way() -> Conflict:
    return Conflict(
        _("The first request with this %(header)s is under way.") % {"header": HEADER},
        hint=_("Repeat it in a moment; you will then get its answer."),
    )
