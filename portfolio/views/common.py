"""What the portfolio's pages share: who asks, which use case, how a refusal becomes a form's error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from accounts.access import actions_on
from accounts.models import User
from accounts.roles import role, roles_allowing
from kernel.errors import DomainError
from portfolio.models import UseCase
from portfolio.selectors.listing import visible

T = TypeVar("T")


def person_of(request: HttpRequest) -> User:
    """The signed-in person; the views that ask are behind ``login_required``."""
    return cast(User, request.user)


def find_use_case(request: HttpRequest, key: str) -> UseCase:
    """The use case, or 404 for whoever may not know that it exists."""
    return get_object_or_404(visible(person_of(request)).select_related("unit"), key=key)


def allow(request: HttpRequest, use_case: UseCase, action: str) -> frozenset[str]:
    """All that the person may do here; 403 unless ``action`` is part of it."""
    allowed = actions_on(person_of(request), use_case)
    if action not in allowed:
        names = ", ".join(role(key).name for key in roles_allowing(action))
        raise PermissionDenied(_("This needs one of these roles here: %(names)s.") % {"names": names})
    return allowed


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, for a form; nothing sent is an empty form, and no POST at all is none."""
    return request.POST if request.method == "POST" else None


def attempt(form: forms.Form, call: Callable[[], T]) -> T | None:
    """The service's answer, or None with what it refused written into the form, at the fields it is about."""
    try:
        return call()
    except DomainError as error:
        for name, messages in error.errors.items():
            for message in messages:
                form.add_error(name if name in form.fields else None, message)
        if not error.errors:
            form.add_error(None, f"{error.message} {error.hint}".strip())
        return None


def answer(form: forms.Form) -> int:
    """The status of a page that shows a form: 422 when it says what is wrong."""
    return 422 if form.is_bound and form.errors else 200


def address(name: str, *args: Any, **kwargs: Any) -> str:
    """A named address, or an empty string when this installation has none of that name."""
    try:
        return reverse(name, args=args, kwargs=kwargs)
    except NoReverseMatch:
        return ""
