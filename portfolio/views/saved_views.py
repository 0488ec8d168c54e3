"""Saved views: keeping the filters of an address, sharing, renaming and deleting them."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from kernel.htmx import render
from portfolio import services
from portfolio.models import SavedView
from portfolio.views.common import person_of


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """One's own views, and those that others share."""
    user = person_of(request)
    rows = SavedView.objects.filter(Q(user=user) | Q(shared=True), page="portfolio").select_related("user")
    context = {
        "own": [row for row in rows if row.user_id == user.pk],
        "others": [row for row in rows if row.user_id != user.pk],
    }
    return render(request, "portfolio/views.html", context)


@require_POST
@login_required
def save(request: HttpRequest) -> HttpResponse:
    """Keep the filters that are on."""
    view = services.save_view(
        name=request.POST.get("name", ""),
        query=request.POST.get("query", ""),
        shared=bool(request.POST.get("shared")),
        by=person_of(request),
    )
    messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})
    return redirect(f"{reverse('portfolio:list')}?{view.query}")


@require_POST
@login_required
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a view and say whether others see it."""
    view = _visible(request, pk)
    user = person_of(request)
    renamed = services.rename_view(view=view, name=request.POST.get("name", ""), by=user)
    services.share_view(view=renamed, shared=bool(request.POST.get("shared")), by=user)
    messages.success(request, _("Saved."))
    return redirect("portfolio:views")


@require_POST
@login_required
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    view = _visible(request, pk)
    services.delete_view(view=view, by=person_of(request))
    messages.success(request, _("The view “%(name)s” is deleted.") % {"name": view.name})
    return redirect("portfolio:views")


def _visible(request: HttpRequest, pk: int) -> SavedView:
    """A view that the person may see; changing somebody else's shared one is then refused by the service."""
    return get_object_or_404(SavedView.objects.filter(Q(user=person_of(request)) | Q(shared=True)), pk=pk)
