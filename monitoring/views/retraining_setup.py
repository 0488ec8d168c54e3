"""How retraining of one use case is set up: where requests go, when the product asks by itself, asking by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import actions_on
from kernel.htmx import render
from monitoring import services
from monitoring.forms.retraining import AskForm, SetupForm
from monitoring.models import RetrainingRequest, RetrainingSetup
from monitoring.retraining import service_levels
from monitoring.services.retraining import CONFIGURE
from monitoring.views.common import form_page
from monitoring.wording import span
from portfolio.models import OperatingPlan, UseCase
from portfolio.views.common import allow, answer, attempt, find_use_case, person_of


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def page(request: HttpRequest, key: str) -> HttpResponse:
    """The settings with their form; a secret that was made is shown this once."""
    use_case = find_use_case(request, key)
    if request.method == "POST":
        allow(request, use_case, CONFIGURE)
    form = SetupForm(request.POST if request.method == "POST" else None, use_case=use_case, setup=_setup(use_case))
    made = ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        saved = attempt(form, lambda: services.set_up_retraining(use_case=use_case, by=person_of(request), **given))
        if saved is not None:
            _kept, made = saved
            if not made:
                messages.success(request, _("Saved."))
                return redirect(_url(use_case))
            form = SetupForm(use_case=use_case, setup=_setup(use_case))
    return _shown(request, use_case, form, secret=made)


@require_POST
@login_required
def secret(request: HttpRequest, key: str) -> HttpResponse:
    """A new secret, shown this once."""
    use_case = find_use_case(request, key)
    made = services.renew_secret(use_case=use_case, by=person_of(request))
    return _shown(request, use_case, SetupForm(use_case=use_case, setup=_setup(use_case)), secret=made)


@require_POST
@login_required
def test(request: HttpRequest, key: str) -> HttpResponse:
    """One test message now; how it went stands on the page."""
    use_case = find_use_case(request, key)
    tried = services.try_receiver(use_case=use_case, by=person_of(request))
    return _shown(request, use_case, SetupForm(use_case=use_case, setup=_setup(use_case)), tried=tried)


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
        lead=_("The request goes to the receiver of this use case; the answer is kept as evidence."),
        submit=_("Ask for it"),
        cancel_url=_url(use_case),
    )


def _shown(request: HttpRequest, use_case: UseCase, form: SetupForm, **more: Any) -> HttpResponse:
    setup = _setup(use_case)
    may = CONFIGURE in actions_on(person_of(request), use_case)
    rows = RetrainingRequest.objects.filter(use_case=use_case).select_related("new_version")
    context = {
        "use_case": use_case,
        "setup": setup,
        "endpoint": setup.endpoint if setup is not None else None,
        "plan": OperatingPlan.objects.filter(use_case=use_case).first(),
        "form": form if may else None,
        "may_configure": may,
        "levels": _levels(use_case),
        "rows": rows.order_by("-requested_at")[:20],
        **more,
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


def _setup(use_case: UseCase) -> RetrainingSetup | None:
    return RetrainingSetup.objects.select_related("endpoint").filter(use_case=use_case).first()


def _url(use_case: UseCase) -> str:
    return reverse("monitoring:retraining_setup", args=[use_case.key])
