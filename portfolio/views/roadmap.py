"""Phases of a roadmap: adding, changing, and saying how far they are."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.people import people_on
from kernel.htmx import render
from portfolio import services
from portfolio.forms.plans import PhaseForm
from portfolio.models import Phase, UseCase
from portfolio.views.common import allow, answer, attempt, find_use_case, person_of, posted
from portfolio.views.use_cases import panel_url


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: HttpRequest, key: str) -> HttpResponse:
    """Add a phase at the end of the roadmap, or at a position."""
    use_case = find_use_case(request, key)
    return _edited(request, use_case, None, title=_("Add a phase"), submit=_("Add this phase"))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, key: str, phase: int) -> HttpResponse:
    """Change a phase."""
    use_case = find_use_case(request, key)
    found = get_object_or_404(Phase, pk=phase, use_case=use_case)
    return _edited(request, use_case, found, title=_("Edit %(name)s") % {"name": found.name}, submit=_("Save"))


@require_POST
@login_required
def progress(request: HttpRequest, key: str, phase: int) -> HttpResponse:
    """Say how far a phase is."""
    use_case = find_use_case(request, key)
    found = get_object_or_404(Phase, pk=phase, use_case=use_case)
    changes = {"state": request.POST.get("state", "")}
    services.save_phase(use_case=use_case, phase=found, changes=changes, by=person_of(request))
    return redirect(panel_url(use_case, "roadmap"))


def _edited(request: HttpRequest, use_case: UseCase, phase: Phase | None, **shown: Any) -> HttpResponse:
    allow(request, use_case, "roadmap.edit")
    people = [held.user for held in people_on([use_case.pk])[use_case.pk]]
    form = PhaseForm(posted(request), people=people, phase=phase)
    if request.method == "POST" and form.is_valid():
        user = person_of(request)
        saved = attempt(
            form, lambda: services.save_phase(use_case=use_case, phase=phase, changes=form.values(), by=user)
        )
        if saved is not None:
            messages.success(request, _("Saved."))
            return redirect(panel_url(use_case, "roadmap"))
    context = {"form": form, "use_case": use_case, "cancel_url": panel_url(use_case, "roadmap"), **shown}
    return render(request, "portfolio/form.html", context, status=answer(form))
