"""Dashboards are made, arranged, shared, copied, read in, deleted. Every step is a form, also without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kernel.errors import DomainError, Invalid
from kernel.htmx import asks_for_partial, render
from monitoring.boards import Board, cells, stored
from monitoring.forms.dashboards import CopyForm, ImportForm, NewForm, TitleForm, WordsForm, words_of
from monitoring.layouts import (
    Layout,
    added,
    changed,
    entry_of,
    kinds_for,
    moved,
    ordered,
    params_form,
    removed,
    resized,
)
from monitoring.models import Dashboard
from monitoring.selectors.dashboards import dashboards_for, deleted_by, may_edit
from monitoring.services import dashboards as services
from monitoring.spans import named
from monitoring.views.common import go
from monitoring.views.dashboards import dashboard_url, find_board
from monitoring.widget import Widget, widgets
from portfolio.views.common import answer, attempt, person_of, posted

FORM = ["GET", "HEAD", "POST"]


@require_http_methods(FORM)
@login_required
def create(request: HttpRequest) -> HttpResponse:
    """A dashboard that begins as the ready-made one, to be arranged."""
    user = person_of(request)
    form = NewForm(posted(request), user=user, initial={name: request.GET.get(name) for name in ("use_case", "unit")})
    if request.method == "POST" and form.is_valid():
        words = {name: form.cleaned_data[name] for name in ("name", "description", "range", "sharing", "roles")}
        made = attempt(form, lambda: services.create_dashboard(scope=form.scope, by=user, **words))
        if made is not None:
            messages.success(request, _("The dashboard is there. Arrange it as you like."))
            return go(request, reverse("monitoring:dashboard_edit", args=[made.pk]))
    return _form(request, form, title=_("New dashboard"), submit=_("Make the dashboard"))


@require_http_methods(FORM)
@login_required
def read_in(request: HttpRequest) -> HttpResponse:
    """A dashboard from a definition."""
    user = person_of(request)
    form = ImportForm(posted(request), request.FILES or None, user=user)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        made = attempt(
            form,
            lambda: _placed(
                lambda: services.import_dashboard(definition=form.definition, scope=form.scope, by=user, name=name)
            ),
        )
        if made is not None:
            messages.success(request, _("The dashboard was read in."))
            return go(request, dashboard_url(made))
    lead = _(
        "A file that somebody exported. Series are found by metric, segment and version in what it is to be about."
    )
    return _form(request, form, title=_("Read in a dashboard"), lead=lead, submit=_("Read it in"))


@require_http_methods(FORM)
@login_required
def copy(request: HttpRequest, **where: Any) -> HttpResponse:
    """A copy of one's own, of a shared or of a ready-made dashboard."""
    user = person_of(request)
    board = find_board(request, **where)
    form = CopyForm(posted(request), initial={"name": _("%(name)s (mine)") % {"name": board.name[:110]}})
    if request.method == "POST" and form.is_valid():
        made = attempt(
            form,
            lambda: services.clone_dashboard(
                scope=board.scope,
                layout=board.layout,
                name=form.cleaned_data["name"],
                description=board.description if board.dashboard is not None else "",
                by=user,
            ),
        )
        if made is not None:
            messages.success(request, _("This copy is yours. Arrange it as you like."))
            return go(request, reverse("monitoring:dashboard_edit", args=[made.pk]))
    return _form(request, form, title=_("Make it your own"), submit=_("Make a copy"), cancel_url=board.page_url)


@require_safe
@login_required
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The dashboard with handles: widgets are moved, sized, changed, added and taken away."""
    board = _editable(request, pk)
    return render(request, "monitoring/dashboards/edit.html", _edit_context(request, board), partial="arrange")


@require_http_methods(FORM)
@login_required
def settings(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Name, range and who sees it."""
    board = _editable(request, pk)
    dashboard = _of(board)
    form = WordsForm(posted(request), initial=dict(words_of(dashboard)))
    if request.method == "POST" and form.is_valid():
        saved = attempt(
            form,
            lambda: services.edit_dashboard(
                dashboard=dashboard, revision=_revision(request), changes=form.cleaned_data, by=person_of(request)
            ),
        )
        if saved is not None:
            messages.success(request, _("Saved."))
            return go(request, dashboard_url(saved))
    return _form(
        request,
        form,
        title=_("Name and sharing of %(name)s") % {"name": dashboard.name},
        submit=_("Save"),
        cancel_url=board.page_url,
        revision=_revision(request) if request.method == "POST" else dashboard.revision,
    )


@require_http_methods(FORM)
@login_required
def add(request: HttpRequest, pk: UUID, kind: str) -> HttpResponse:
    """Another widget, at the end."""
    board = _editable(request, pk)
    known = {each.key: each for each in kinds_for(board.scope)}
    if kind not in known:
        raise Invalid(_("There is no such widget here."))
    return _widget_form(request, board, known[kind], {})


@require_http_methods(FORM)
@login_required
def change(request: HttpRequest, pk: UUID, key: str) -> HttpResponse:
    """What one widget shows."""
    board = _editable(request, pk)
    entry = entry_of(board.layout, key)
    return _widget_form(request, board, widgets.get(entry["widget"]), entry)


@require_POST
@login_required
def arrange(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One step: ``earlier``, ``later``, a size, ``remove`` of a widget, or the ``order`` of all of them."""
    board = _editable(request, pk)
    saved = services.arrange_dashboard(
        dashboard=_of(board), revision=_revision(request), layout=_rearranged(request, board), by=person_of(request)
    )
    if not asks_for_partial(request):
        return redirect("monitoring:dashboard_edit", pk=pk)
    context = _edit_context(request, stored(saved))
    return render(request, "monitoring/dashboards/edit.html", context, partial="arrange")


@require_POST
@login_required
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take it away; the list offers to have it back."""
    dashboard = get_object_or_404(dashboards_for(person_of(request)), pk=pk)
    gone = services.delete_dashboard(dashboard=dashboard, by=person_of(request))
    said = _("The dashboard “%(name)s” is deleted. You can have it back below until %(day)s.")
    messages.success(request, said % {"name": dashboard.name, "day": f"{gone.gone_at:%-d %b %Y}"})
    return redirect("monitoring:dashboards")


@require_POST
@login_required
def restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Have a deleted one back."""
    dashboard = get_object_or_404(deleted_by(person_of(request)), pk=pk)
    services.restore_dashboard(dashboard=dashboard, by=person_of(request))
    messages.success(request, _("The dashboard “%(name)s” is back.") % {"name": dashboard.name})
    return redirect("monitoring:dashboard_page", pk=pk)


def _placed(call: Callable[[], Dashboard]) -> Dashboard:
    """The same, with the place in the file before what is wrong there."""
    try:
        return call()
    except DomainError as error:
        said = [f"{place}: {words}" if place else words for place, each in error.errors.items() for words in each]
        raise Invalid(error.message, errors={"": said or [error.message]}) from None


def _rearranged(request: HttpRequest, board: Board) -> Layout:
    key, way = request.POST.get("widget", ""), request.POST.get("way", "")
    if request.POST.get("order"):
        return ordered(board.layout, request.POST["order"].split(","))
    if way in ("earlier", "later"):
        return moved(board.layout, key, -1 if way == "earlier" else 1)
    if way == "remove":
        return removed(board.layout, key)
    return resized(board.layout, key, way)


def _widget_form(request: HttpRequest, board: Board, kind: type[Widget], entry: dict[str, Any]) -> HttpResponse:
    """The title and what can be set on a widget; saved as a new arrangement."""
    key: str = entry.get("id", "")
    title = _("Change: %(name)s") if key else _("Add: %(name)s")
    user, dashboard = person_of(request), _of(board)
    words = TitleForm(posted(request), initial={"title": entry.get("title", "")})
    form = params_form(kind, posted(request), board.scope, user)
    if request.method != "POST":
        form.initial = dict(entry.get("params", {}))
    # Both are asked, so that everything wrong is said at once.
    valid = [form.is_valid(), words.is_valid()]
    if request.method == "POST" and all(valid):
        params, name = form.plain(), words.cleaned_data["title"]
        if key:
            layout = changed(board.layout, key, params=params, title=name)
        else:
            layout = added(board.layout, kind, params, name)
        saved = attempt(
            form,
            lambda: services.arrange_dashboard(
                dashboard=dashboard, revision=_revision(request), layout=layout, by=user
            ),
        )
        if saved is not None:
            messages.success(request, _("Saved."))
            return go(request, reverse("monitoring:dashboard_edit", args=[saved.pk]))
    return _form(
        request,
        form,
        title=title % {"name": kind.title},
        lead=kind.description,
        submit=_("Save") if key else _("Add to the dashboard"),
        cancel_url=reverse("monitoring:dashboard_edit", args=[dashboard.pk]),
        revision=_revision(request) if request.method == "POST" else dashboard.revision,
        first=words,
    )


def _form(request: HttpRequest, form: Any, **shown: Any) -> HttpResponse:
    context = {"form": form, "cancel_url": reverse("monitoring:dashboards"), **shown}
    return render(request, "monitoring/dashboards/form.html", context, status=answer(form))


def _edit_context(request: HttpRequest, board: Board) -> dict[str, Any]:
    user = person_of(request)
    return {
        "board": board,
        "dashboard": board.dashboard,
        "cells": cells(board, user, named(board.range)),
        "kinds": kinds_for(board.scope),
        "owns": _of(board).owner_id == user.pk,
    }


def _editable(request: HttpRequest, pk: UUID) -> Board:
    """A dashboard that may be changed: 404 when it may not be seen, 403 when it may only be seen."""
    user = person_of(request)
    dashboard = get_object_or_404(dashboards_for(user), pk=pk)
    if not may_edit(user, dashboard):
        said = _("Only %(owner)s and who configures monitoring here can change it; you can make a copy of your own.")
        raise PermissionDenied(said % {"owner": dashboard.owner})
    return stored(dashboard)


def _of(board: Board) -> Dashboard:
    assert board.dashboard is not None  # only made ones are edited
    return board.dashboard


def _revision(request: HttpRequest) -> int:
    given = request.POST.get("revision", "")
    if not given.isdecimal():
        raise Invalid(_("The form is incomplete: reload the page and try again."))
    return int(given)
