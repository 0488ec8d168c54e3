"""One answer to everything that goes wrong: problem details (RFC 9457) over REST, a page that explains in HTML.

A problem always has ``type``, ``title``, ``status``, ``detail``, ``instance``, ``errors`` (messages by field, ``""``
for what concerns no single field), ``hint`` (what to do now) and ``request_id``. An ``IntegrityError`` is not
translated: a broken constraint that nobody foresaw is a defect, and a defect is a 500 in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from kernel.errors import DomainError

CONTENT_TYPE = "application/problem+json"
API_PREFIX = "/api/"
TYPE_PREFIX = "urn:tollgate:problem:"


class ProblemSerializer(serializers.Serializer[Any]):
    """The shape of a problem, for the OpenAPI schema."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]  # the name is RFC 9457's example; nothing validates
        child=serializers.ListField(child=serializers.CharField())
    )
    hint = serializers.CharField(allow_blank=True)
    request_id = serializers.CharField(allow_blank=True)


class ProblemResponse(Response):
    """A problem in answer to a REST request, in whatever the client accepts."""

    @property
    def rendered_content(self) -> Any:
        if self.accepted_renderer.format == "json":
            self.content_type = CONTENT_TYPE
        return super().rendered_content


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """REST framework's ``EXCEPTION_HANDLER``; what it does not know stays a 500."""
    problem = _problem_of(exc, context["request"])
    if problem is None:
        return None
    return ProblemResponse(problem, status=problem["status"], headers=_headers(exc))


def problem_response(
    request: HttpRequest,
    *,
    status: int,
    code: str = "",
    detail: str = "",
    hint: str = "",
    errors: Mapping[str, Sequence[str]] | None = None,
) -> HttpResponse:
    """A problem from a view that is not REST framework's."""
    problem = _problem(request, status=status, code=code, detail=detail, hint=hint, errors=errors)
    return HttpResponse(orjson.dumps(problem), status=status, content_type=CONTENT_TYPE)


class DomainErrorMiddleware:
    """Turns what views raise into an answer: a problem under ``/api/``, elsewhere a page of the product's own look.

    Also what Django itself answers under ``/api/`` (an unknown address, a failure) becomes a problem, so that a client
    never has to read HTML.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if response.status_code < HTTPStatus.BAD_REQUEST or not is_page or not _is_api(request):
            return response
        if settings.DEBUG and response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return response  # the developer wants the traceback
        return problem_response(request, status=response.status_code)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if _is_api(request):
            problem = _problem_of(exception, request)
            if problem is None:
                return None
            return HttpResponse(orjson.dumps(problem), status=problem["status"], content_type=CONTENT_TYPE)
        if isinstance(exception, DomainError):
            return error_page(request, exception)
        return None


def error_page(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The page for a domain error: ``errors/<status>.html``, else ``errors/error.html``, else plain words."""
    title = _title(error.code, error.status)
    context = {
        "title": title,
        "status": error.status,
        "message": error.message,
        "hint": error.hint,
        "errors": error.errors,
        "request_id": getattr(request, "request_id", ""),
    }
    try:
        page = render_to_string([f"errors/{error.status}.html", "errors/error.html"], context, request=request)
    except TemplateDoesNotExist:
        page = format_html("<!doctype html><title>{0}</title><h1>{0}</h1><p>{1}</p><p>{2}</p>", title, *_words(error))
    return HttpResponse(page, status=error.status)


def _words(error: DomainError) -> tuple[str, str]:
    return error.message, error.hint


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIX)


def _problem_of(exc: Exception, request: HttpRequest | Request) -> dict[str, Any] | None:
    if isinstance(exc, DomainError):
        return _problem(request, status=exc.status, code=exc.code, detail=exc.message, hint=exc.hint, errors=exc.errors)
    if isinstance(exc, Http404):
        return _problem(request, status=404, code="not_found")
    if isinstance(exc, PermissionDenied):
        return _problem(request, status=403, code="permission_denied", detail=str(exc))
    if isinstance(exc, ValidationError):
        return _invalid(request, _django_errors(exc))
    if isinstance(exc, exceptions.ValidationError):
        return _invalid(request, _flat(exc.detail))
    if isinstance(exc, exceptions.APIException):
        # default_code is the class's own; get_codes() may be nested.
        return _problem(request, status=exc.status_code, code=exc.default_code, detail=str(exc.detail))
    return None


def _invalid(request: HttpRequest | Request, errors: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Wrong input is 422 whoever found out: a serializer, a model or a service."""
    general = errors.get("", ())
    detail = " ".join(general) if general else _("Some fields are wrong; errors says which and why.")
    return _problem(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, code="invalid", detail=detail, errors=errors)


def _problem(
    request: HttpRequest | Request,
    *,
    status: int,
    code: str = "",
    detail: str = "",
    hint: str = "",
    errors: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    code = code or HTTPStatus(status).name.lower()
    title = _title(code, status)
    return {
        "type": TYPE_PREFIX + code,
        "title": title,
        "status": int(status),
        "detail": detail or title,
        "instance": request.path,  # without the query: it may hold what somebody searched for
        "errors": {field: list(messages) for field, messages in (errors or {}).items()},
        "hint": hint,
        "request_id": getattr(request, "request_id", ""),
    }


def _title(code: str, status: int) -> str:
    titles = {
        "invalid": _("The input is not valid"),
        "conflict": _("Not possible in the present state"),
        "not_ready": _("Something has to be done first"),
        "outbound_refused": _("This address may not be called"),
        "not_found": _("Not found"),
        "permission_denied": _("Not allowed"),
        "reauthentication_required": _("Confirm that it is you"),
        "not_authenticated": _("Sign in first"),
        "authentication_failed": _("These credentials are not valid"),
        "parse_error": _("The body cannot be read"),
        "throttled": _("Too many requests"),
        "internal_server_error": _("Something failed on our side"),
    }
    return titles.get(code) or HTTPStatus(status).phrase


def _headers(exc: Exception) -> dict[str, str]:
    headers: dict[str, str] = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = str(exc.auth_header)  # type: ignore[attr-defined]  # set by APIView
    if getattr(exc, "wait", None):
        headers["Retry-After"] = f"{exc.wait:.0f}"  # type: ignore[attr-defined]  # of Throttled
    return headers


def _django_errors(exc: ValidationError) -> dict[str, list[str]]:
    if not hasattr(exc, "error_dict"):
        return {"": [str(message) for message in exc.messages]}
    return {
        "" if field == NON_FIELD_ERRORS else field: [str(message) for message in messages]
        for field, messages in exc.message_dict.items()
    }


def _flat(detail: object, prefix: str = "") -> dict[str, list[str]]:
    """REST framework's nested errors with one path per message: ``items.0.name``."""
    if isinstance(detail, Mapping):
        pairs: Sequence[tuple[object, object]] = list(detail.items())
    elif isinstance(detail, list | tuple):
        if not any(isinstance(item, Mapping | list | tuple) for item in detail):
            return {prefix: [str(item) for item in detail]} if detail else {}
        pairs = list(enumerate(detail))
    else:
        return {prefix: [str(detail)]}
    flat: dict[str, list[str]] = {}
    for key, inner in pairs:
        own = prefix if key == api_settings.NON_FIELD_ERRORS_KEY else f"{prefix}.{key}".lstrip(".")
        for path, messages in _flat(inner, own).items():
            flat.setdefault(path, []).extend(messages)
    return flat
