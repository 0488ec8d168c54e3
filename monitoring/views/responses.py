"""Response times: read by everybody, set by whoever may change settings."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.roles import role_name
from kernel.errors import DomainError
from kernel.htmx import render
from monitoring import services
from monitoring.forms.responses import ResponseForm
from monitoring.models import Alert
from monitoring.responses import ORGANISATION, UNIT, Target, targets
from monitoring.services.responses import may_set
from monitoring.wording import span
from portfolio.models import BusinessUnit, Tier
from portfolio.views.common import answer, person_of


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """What is asked for by tier and level: in the whole organisation, or in a unit."""
    code = request.GET.get("unit", "")
    unit = _unit(code) if code else None
    context = {
        "rows": [_row(target, unit) for target in targets(unit).values()],
        "may_edit": may_set(person_of(request), unit),
        "unit": unit,
        "units": BusinessUnit.objects.filter(parent__isnull=False).order_by("path"),
        "tightened": BusinessUnit.objects.filter(response_targets__isnull=False).distinct().order_by("path"),
    }
    return render(request, "monitoring/responses/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, tier: str, level: str, code: str = "") -> HttpResponse:
    """Set what is asked for."""
    unit = _unit(code) if code else None
    target = _target(tier, level, unit)
    if not may_set(person_of(request), unit):
        raise PermissionDenied(_("Whoever edits settings, or configures monitoring for the whole unit, sets these."))
    form = ResponseForm(request.POST or None, target=target, adds=unit is not None)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_response(tier=tier, level=level, unit=unit, by=person_of(request), **form.values())
        except DomainError as error:
            form.put_errors(error.errors or {"": [error.message]})
        else:
            messages.success(request, _("It holds for alerts that open or rise from now on."))
            return redirect(_address(unit))
    context = {"form": form, "row": _row(target, unit), "unit": unit, "back": _address(unit)}
    if unit is not None:
        context["above"] = _row(_target(tier, level, unit.parent), unit.parent)
    return render(request, "monitoring/responses/edit.html", context, status=answer(form))


@require_POST
@login_required
def reset(request: HttpRequest, tier: str, level: str, code: str = "") -> HttpResponse:
    """Go back to what holds above: in a unit what its parent has, otherwise what the product ships with."""
    unit = _unit(code) if code else None
    _target(tier, level, unit)
    services.reset_response(tier=tier, level=level, unit=unit, by=person_of(request))
    said = _("What holds above this unit holds again.") if unit else _("What the product ships with holds again.")
    messages.success(request, said)
    return redirect(_address(unit))


def _unit(code: str) -> BusinessUnit:
    """A unit below the root: the whole organisation has its own times."""
    return get_object_or_404(BusinessUnit.objects.select_related("parent"), code=code, parent__isnull=False)


def _target(tier: str, level: str, unit: BusinessUnit | None) -> Target:
    found = targets(unit).get((tier, level))
    if found is None:
        raise Http404
    return found


def _row(target: Target, unit: BusinessUnit | None) -> dict[str, object]:
    return {
        "target": target,
        "tier": Tier(target.tier).label,
        "level": Alert.Level(target.level).label,
        "severity": Alert.Severity(target.severity).label,
        "acknowledge": span(target.acknowledge.total_seconds()),
        "resolve": span(target.resolve.total_seconds()),
        "first": ", ".join(role_name(key) for key in target.told_first),
        "next": ", ".join(role_name(key) for key in target.told_next),
        "origin": _origin(target),
        "is_own": target.unit == unit if unit else target.set_by == ORGANISATION,
    }


def _origin(target: Target) -> str:
    """Whose words these are; nothing for what the product ships with."""
    if target.set_by == UNIT:
        return _("tightened by %(unit)s") % {"unit": target.unit}
    return _("set by this organisation") if target.set_by == ORGANISATION else ""


def _address(unit: BusinessUnit | None) -> str:
    return reverse("monitoring:responses") + (f"?unit={unit.code}" if unit else "")
