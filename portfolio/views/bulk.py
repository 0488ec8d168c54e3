"""What can be done with several use cases at once: hold, resume, export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from kernel.errors import DomainError, Invalid
from kernel.exports import export_rows
from kernel.htmx import render
from portfolio import services
from portfolio.forms.use_cases import ReasonForm
from portfolio.models import UseCase
from portfolio.reports.inventory import INVENTORY_COLUMNS, inventory_rows
from portfolio.selectors.listing import visible
from portfolio.views.common import answer, person_of

MOST = 200
ACTIONS: Mapping[str, tuple[Callable[..., UseCase], Any, bool]] = {
    "hold": (services.hold, gettext_lazy("Put on hold"), True),
    "resume": (services.resume, gettext_lazy("Resume"), False),
}
"""Action -> the service, what its button says, whether a reason is needed."""


@require_POST
@login_required
def bulk(request: HttpRequest) -> HttpResponseBase:
    """Ask for the reason first, then do it one by one, and say what was refused and why."""
    action = request.POST.get("action", "")
    chosen = _chosen(request)
    if action == "csv":
        return export_rows("csv", "use-cases", INVENTORY_COLUMNS, inventory_rows(chosen.order_by("key")))
    if action not in ACTIONS:
        raise Invalid(_("Choose what to do with the use cases."))
    use_cases = list(chosen.select_related("unit").order_by("name"))
    if not use_cases:
        messages.info(request, _("Nothing was chosen."))
        return redirect("portfolio:list")
    _service, label, needs_reason = ACTIONS[action]
    form = ReasonForm(request.POST if "confirmed" in request.POST else None, required=needs_reason)
    if form.is_bound and form.is_valid():
        _carry_out(request, action, use_cases, form.cleaned_data["reason"])
        return redirect("portfolio:list")
    context = {
        "form": form,
        "action": action,
        "title": ngettext("%(label)s: %(count)d use case", "%(label)s: %(count)d use cases", len(use_cases))
        % {"label": label, "count": len(use_cases)},
        "submit": label,
        "use_cases": use_cases,
        "cancel_url": reverse("portfolio:list"),
    }
    return render(request, "portfolio/bulk.html", context, status=answer(form))


def _chosen(request: HttpRequest) -> Any:
    ids = []
    for text in request.POST.getlist("chosen")[: MOST + 1]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    if len(ids) > MOST:
        raise Invalid(_("Choose at most %(most)d at once.") % {"most": MOST})
    return visible(person_of(request)).filter(pk__in=ids)


def _carry_out(request: HttpRequest, action: str, use_cases: list[UseCase], reason: str) -> None:
    service, _label, _needs = ACTIONS[action]
    done, refused = 0, []
    for use_case in use_cases:
        try:
            service(use_case=use_case, by=person_of(request), reason=reason)
            done += 1
        except DomainError as error:
            refused.append(str(error))
        except PermissionDenied:
            refused.append(_("%(key)s: your roles there do not allow it.") % {"key": use_case.key})
    if done:
        messages.success(request, ngettext("%(n)d use case changed.", "%(n)d use cases changed.", done) % {"n": done})
    for said in refused[:5]:
        messages.error(request, said)
    if len(refused) > 5:
        messages.error(request, _("and %(n)d more were refused.") % {"n": len(refused) - 5})
