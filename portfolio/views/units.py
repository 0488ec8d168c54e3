"""The tree of business units with what is in each."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import can, for_user
from accounts.models import User
from kernel.htmx import render
from portfolio import services
from portfolio.forms.filters import unit_choices
from portfolio.forms.people import UnitForm
from portfolio.lifecycle import ENDED
from portfolio.models import BusinessUnit
from portfolio.selectors.listing import AT_RISK, visible
from portfolio.services.units import RIGHTS
from portfolio.views.common import answer, attempt, person_of, posted


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """Every unit, indented by its place, with the use cases that the person may see in it and below."""
    user = person_of(request)
    units = list(BusinessUnit.objects.order_by("path"))
    counts = _counts(user)
    rows = [
        {
            "unit": unit,
            "own": counts.get(unit.path, {}).get("total", 0),
            **{name: _below(counts, unit.path, name) for name in ("total", "open", "at_risk")},
        }
        for unit in units
    ]
    context = {"rows": rows, "may_change": _may_change(user, None)}
    return render(request, "portfolio/units.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def create(request: HttpRequest) -> HttpResponse:
    """Add a unit below another."""
    user = person_of(request)
    units = {unit.code: unit for unit in _changeable(user)}
    form = UnitForm(posted(request), parents=list(unit_choices(units.values())), initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        parent = units[given.pop("parent")]
        unit = attempt(form, lambda: services.create_unit(parent=parent, by=user, **given))
        if unit is not None:
            messages.success(request, _("%(name)s is part of the organisation now.") % {"name": unit.name})
            return redirect("portfolio:units")
    return _form(request, form, title=_("Add a business unit"), submit=_("Add this unit"))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, code: str) -> HttpResponse:
    """Rename a unit or describe it."""
    unit = get_object_or_404(BusinessUnit, code=code)
    user = person_of(request)
    if not _may_change(user, unit):
        raise PermissionDenied(_("Only portfolio managers and system administrators change business units."))
    form = UnitForm(posted(request), initial={"name": unit.name, "description": unit.description})
    if request.method == "POST" and form.is_valid():
        changed = attempt(form, lambda: services.edit_unit(unit=unit, changes=form.cleaned_data, by=user))
        if changed is not None:
            messages.success(request, _("Saved."))
            return redirect("portfolio:units")
    return _form(request, form, title=_("Edit %(name)s") % {"name": unit.name}, submit=_("Save"))


def _form(request: HttpRequest, form: UnitForm, **shown: Any) -> HttpResponse:
    context = {"form": form, "cancel_url": reverse("portfolio:units"), "parent_label": _("Business units"), **shown}
    return render(request, "portfolio/form.html", context, status=answer(form))


def _counts(user: User) -> dict[str, Any]:
    """Path of a unit -> how many use cases are in it, not counting the units below. One query."""
    rows = visible(user).order_by().values("unit__path")
    counted = rows.annotate(
        total=Count("pk"),
        open=Count("pk", filter=~Q(stage__in=ENDED)),
        at_risk=Count("pk", filter=Q(assurance__in=AT_RISK)),
    )
    return {row["unit__path"]: row for row in counted}


def _below(counts: dict[str, Any], path: str, name: str) -> int:
    return sum(row[name] for other, row in counts.items() if other.startswith(path))


def _changeable(user: User) -> list[BusinessUnit]:
    found = {unit.pk: unit for right in RIGHTS for unit in for_user(BusinessUnit.objects.all(), user, right)}
    if not found:
        raise PermissionDenied(_("Only portfolio managers and system administrators add business units."))
    return sorted(found.values(), key=lambda unit: unit.path)


def _may_change(user: User, unit: BusinessUnit | None) -> bool:
    return any(can(user, right, unit) for right in RIGHTS)
