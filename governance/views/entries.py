"""Two views show every form: about a use case (``enter``), and about one thing of it (``act``).

What was typed is kept when something is wrong, with 422. Afterwards one goes back to ``next``, if it is an address of
ours, or to the tab that the thing belongs to.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import actions_on
from accounts.roles import role, roles_allowing
from governance.forms.entry import EntryForm, entries
from governance.views.common import attempt, panel_url, safe_next
from kernel.htmx import asks_for_partial, render
from portfolio.models import UseCase
from portfolio.views.common import answer, find_use_case, person_of


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def enter(request: HttpRequest, key: str, entry: str) -> HttpResponse:
    """A form that adds something to a use case."""
    use_case = find_use_case(request, key)
    form_class = _known(entry)
    if form_class.subject_model is not None:
        raise Http404
    return _handle(request, form_class, use_case, None)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def act(request: HttpRequest, entry: str, pk: str) -> HttpResponse:
    """A form about one thing of a use case."""
    form_class = _known(entry)
    if form_class.subject_model is None:
        raise Http404
    subject = find_subject(request, form_class, pk)
    return _handle(request, form_class, use_case_of(subject), subject)


def find_subject(request: HttpRequest, form_class: type[EntryForm], pk: str) -> Any:
    """The row, or 404 for whoever may not see it."""
    try:
        return get_object_or_404(form_class.subjects(person_of(request)), pk=pk)
    except (ValidationError, ValueError) as error:  # no key of this kind at all
        raise Http404 from error


def use_case_of(subject: Any) -> UseCase:
    """The use case that a row is about, however many steps away."""
    for step in str(type(subject).access_path).split("__"):
        subject = getattr(subject, step)
    found: UseCase = subject
    return found


def _known(entry: str) -> type[EntryForm]:
    if entry not in entries:
        raise Http404
    return entries.get(entry)


def _handle(request: HttpRequest, form_class: type[EntryForm], use_case: UseCase, subject: Any) -> HttpResponse:
    user = person_of(request)
    if not form_class.permitted(user, use_case, actions_on(user, use_case), subject):
        raise PermissionDenied(_refusal(form_class))
    initial = {} if request.method == "POST" else {name: value for name, value in request.GET.items() if name != "next"}
    data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = form_class(data, files, use_case=use_case, user=user, subject=subject, initial=initial)
    back = safe_next(request) or panel_url(use_case, form_class.panel)
    if form.is_bound and form.is_valid():
        saved = attempt(form, lambda: (form.save(),))
        if saved is not None:
            messages.success(request, str(form_class.done))
            return _gone(request, back)
    context = {
        "form": form,
        "use_case": use_case,
        "subject": subject,
        "back": back,
        "next": safe_next(request),
        "panel_url": panel_url(use_case, form_class.panel),
        "use_case_url": panel_url(use_case, "overview"),
    }
    return render(request, "governance/form.html", context, partial="form", status=answer(form))


def _gone(request: HttpRequest, url: str) -> HttpResponse:
    return HttpResponseClientRedirect(url) if asks_for_partial(request) else HttpResponseRedirect(url)


def _refusal(form_class: type[EntryForm]) -> str:
    roles = {name for action in form_class.actions for name in roles_allowing(action)}
    if not roles:
        return _("You cannot do this here.")
    names = ", ".join(sorted(role(name).name for name in roles))
    return _("You cannot do this here. It needs one of these roles: %(roles)s.") % {"roles": names}
