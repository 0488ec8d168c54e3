"""How retraining of one use case is set up: when the product asks by itself, asking by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import actions_on
from kernel.htmx import render
from monitoring import services
from monitoring.forms.retraining import AskForm, SetupForm
from monitoring.models import RetrainingRequest, RetrainingSetup
from monitoring.retraining import service_levels
from monitoring.services.receivers import receivers_of
from monitoring.services.retraining import CONFIGURE
from monitoring.views.common import form_page
from monitoring.wording import span
from notify.models import WebhookMessage
from portfolio.models import OperatingPlan, UseCase
from portfolio.views.common import allow, answer, attempt, find_use_case, person_of


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def page(request: HttpRequest, key: str) -> HttpResponse:
    """The requests, the receivers, and the settings with their form."""
    use_case = find_use_case(request, key)
    if request.method == "POST":
        allow(request, use_case, CONFIGURE)
    form = SetupForm(request.POST if request.method == "POST" else None, use_case=use_case, setup=_setup(use_case))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        saved = attempt(form, lambda: services.set_up_retraining(use_case=use_case, by=person_of(request), **given))
        if saved is not None:
            messages.success(request, _("Saved."))
            return redirect(_url(use_case))
    return _shown(request, use_case, form)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def ask(request: HttpRequest, key: str) -> HttpResponse:
    """Ask for it by hand."""
    use_case = find_use_case(request, key)
    allow(request, use_case, CONFIGURE)
    form = AskForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: services.request_retraining(use_case=use_case, by=person_of(request), **form.cleaned_data),
        done=lambda row: reverse("monitoring:retraining_request", args=[row.pk]),
        said=_("It is asked for. Who runs the system has been told."),
        use_case=use_case,
        title=_("Ask for retraining or a rollback"),
        lead=_("The request goes to the receivers of its kind; the answer is kept as evidence."),
        submit=_("Ask for it"),
        cancel_url=_url(use_case),
    )


def _shown(request: HttpRequest, use_case: UseCase, form: SetupForm) -> HttpResponse:
    setup = _setup(use_case)
    may = CONFIGURE in actions_on(person_of(request), use_case)
    rows = RetrainingRequest.objects.filter(use_case=use_case).select_related("new_version")
    context = {
        "use_case": use_case,
        "setup": setup,
        "receivers": _receivers(use_case),
        "plan": OperatingPlan.objects.filter(use_case=use_case).first(),
        "form": form if may else None,
        "may_configure": may,
        "levels": _levels(use_case),
        "rows": rows.order_by("-requested_at")[:20],
    }
    return render(request, "monitoring/retraining/setup.html", context, status=answer(form))


def _levels(use_case: UseCase) -> list[dict[str, str]]:
    """How long each kind may take on the tier of the use case."""
    column = use_case.tier if use_case.tier in ("minimal", "limited") else "high"
    return [
        {
            "kind": str(label),
            "accept": span(service_levels()[key]["accept"][column] * 60),
            "finish": span(service_levels()[key]["finish"][column] * 60),
        }
        for key, label in RetrainingRequest.Kind.choices
    ]


def _receivers(use_case: UseCase) -> list[dict[str, Any]]:
    """Each receiver with the newest message to it. Two queries."""
    rows = list(receivers_of(use_case))
    newest: dict[Any, WebhookMessage] = {}
    sent = WebhookMessage.objects.filter(endpoint__in=[row.endpoint_id for row in rows]).defer("body")
    latest = sent.filter(endpoint=OuterRef("endpoint")).order_by("-created_at", "pk")
    for message in sent.filter(pk=Subquery(latest.values("pk")[:1])):
        newest[message.endpoint_id] = message
    return [{"receiver": row, "endpoint": row.endpoint, "last": newest.get(row.endpoint_id)} for row in rows]


def _setup(use_case: UseCase) -> RetrainingSetup | None:
    return RetrainingSetup.objects.filter(use_case=use_case).first()


def _url(use_case: UseCase) -> str:
    return reverse("monitoring:retraining_setup", args=[use_case.key])
