"""What the pages of governance share: where to go back to, crumbs, the buttons that a person is offered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from accounts.access import actions_on
from accounts.models import User
from governance.forms.entry import EntryForm, entries
from kernel.errors import DomainError
from portfolio.models import UseCase
from portfolio.views.common import address

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Act:
    """A button that leads to a form, for somebody who may use it."""

    key: str
    label: Any
    url: str
    icon: str
    danger: bool
    short: Any = ""


def attempt(form: Form, call: Callable[[], T]) -> T | None:
    """The service's answer, or None with what it refused written into the form: at the field, or above all of them."""
    try:
        return call()
    except DomainError as error:
        elsewhere = not error.errors
        for name, said in error.errors.items():
            if name in form.fields:
                form.add_error(name, [*said])
            else:
                elsewhere = True
        if elsewhere:
            form.add_error(None, f"{error.message} {error.hint}".strip())
        return None


def safe_next(request: HttpRequest) -> str:
    """The address to go back to, if it is one of ours; else empty."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return asked if asked and ours else ""


def panel_url(use_case: UseCase, panel: str) -> str:
    """A tab of the use case page; the register of governance where there is no such page."""
    found = address("portfolio:use_case_panel", key=use_case.key, panel=panel)
    return found or reverse("governance:index")


def enter_url(use_case: UseCase, entry: str, **query: str) -> str:
    """A form about a use case; ``criterion`` and ``next`` may be given."""
    url = reverse("governance:enter", args=[use_case.key, entry])
    return f"{url}?{urlencode(query)}" if query else url


def act_url(entry: str, subject: Model, **query: str) -> str:
    """A form about one thing of a use case."""
    url = reverse("governance:act", args=[entry, subject.pk])
    return f"{url}?{urlencode(query)}" if query else url


def offers(user: User, use_case: UseCase, keys: Iterable[str], **query: str) -> list[Act]:
    """The forms about a use case that ``user`` may use, in the order of ``keys``."""
    allowed = actions_on(user, use_case)
    forms = [entries.get(key) for key in keys]
    return [
        _act(form, enter_url(use_case, form.key, **query)) for form in forms if form.permitted(user, use_case, allowed)
    ]


def acts(
    user: User, use_case: UseCase, subject: Model, keys: Iterable[str], allowed: frozenset[str], **query: str
) -> list[Act]:
    """The forms about ``subject`` that ``user`` may use; ``allowed`` are the rights held on the use case."""
    forms = [entries.get(key) for key in keys]
    return [
        _act(form, act_url(form.key, subject, **query))
        for form in forms
        if form.permitted(user, use_case, allowed, subject)
    ]


def _act(form: type[EntryForm], url: str) -> Act:
    return Act(form.key, form.heading, url, form.icon, form.danger, form.short or form.heading)
