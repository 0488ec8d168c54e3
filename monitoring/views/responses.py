"""Response times: read by everybody, set by whoever may change settings."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import can_everywhere, require_everywhere
from accounts.roles import role_name
from kernel.errors import DomainError
from kernel.htmx import render
from monitoring import services
from monitoring.forms.responses import ResponseForm
from monitoring.models import Alert
from monitoring.responses import Target, targets
from monitoring.services.responses import RIGHT
from monitoring.wording import span
from portfolio.models import Tier
from portfolio.views.common import answer, person_of


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """What is asked for by tier and level."""
    context = {
        "rows": [_row(target) for target in targets().values()],
        "may_edit": can_everywhere(person_of(request), RIGHT),
    }
    return render(request, "monitoring/responses/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, tier: str, level: str) -> HttpResponse:
    """Set what is asked for."""
    target = _target(tier, level)
    require_everywhere(person_of(request), RIGHT)
    form = ResponseForm(request.POST or None, target=target)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_response(tier=tier, level=level, by=person_of(request), **form.values())
        except PermissionDenied:
            raise
        except DomainError as error:
            form.put_errors(error.errors or {"": [error.message]})
        else:
            messages.success(request, _("It holds for alerts that open or rise from now on."))
            return _back()
    return render(request, "monitoring/responses/edit.html", {"form": form, "row": _row(target)}, status=answer(form))


@require_POST
@login_required
def reset(request: HttpRequest, tier: str, level: str) -> HttpResponse:
    """Go back to what the product ships with."""
    _target(tier, level)
    services.reset_response(tier=tier, level=level, by=person_of(request))
    messages.success(request, _("What the product ships with holds again."))
    return _back()


def _target(tier: str, level: str) -> Target:
    found = targets().get((tier, level))
    if found is None:
        raise Http404
    return found


def _row(target: Target) -> dict[str, object]:
    return {
        "target": target,
        "tier": Tier(target.tier).label,
        "level": Alert.Level(target.level).label,
        "severity": Alert.Severity(target.severity).label,
        "acknowledge": span(target.acknowledge.total_seconds()),
        "resolve": span(target.resolve.total_seconds()),
        "first": ", ".join(role_name(key) for key in target.told_first),
        "next": ", ".join(role_name(key) for key in target.told_next),
    }


def _back() -> HttpResponse:
    return redirect(reverse("monitoring:responses"))
