"""Receivers of requests for retraining of one use case: add, change, try, renew the secret, remove, what was sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actions_on, for_user
from kernel.htmx import render
from monitoring import services
from monitoring.forms.retraining import ReceiverForm
from monitoring.models import RetrainingReceiver, RetrainingRequest
from monitoring.services.retraining import CONFIGURE
from monitoring.views.common import VIEW, form_page, tried
from notify.models import WebhookMessage
from portfolio.models import UseCase
from portfolio.views.common import allow, answer, attempt, find_use_case, person_of

MOST_DELIVERIES = 50


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: HttpRequest, key: str) -> HttpResponse:
    """Add one; a secret that was made is shown this once, on its page."""
    use_case = find_use_case(request, key)
    allow(request, use_case, CONFIGURE)
    form = ReceiverForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        added = attempt(form, lambda: services.add_receiver(use_case=use_case, by=person_of(request), **given))
        if added is not None:
            receiver, made = added
            return _shown(request, receiver, secret=made)
    context = {
        "form": form,
        "use_case": use_case,
        "title": _("Add a receiver"),
        "lead": _("Requests of the kinds that you choose go to it as signed messages (Standard Webhooks)."),
        "submit": _("Add the receiver"),
        "cancel_url": _setup_url(use_case),
    }
    return render(request, "monitoring/form.html", context, status=answer(form))


@require_safe
@login_required
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What it gets, whether it is on, and everything that was sent."""
    return _shown(request, _find(request, pk))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    receiver = _find(request, pk)
    allow(request, receiver.use_case, CONFIGURE)
    form = ReceiverForm(request.POST or None, receiver=receiver)
    return form_page(
        request,
        form,
        lambda: services.change_receiver(receiver=receiver, by=person_of(request), **form.cleaned_data),
        done=_url,
        said=_("Saved."),
        use_case=receiver.use_case,
        title=_("Change %(name)s") % {"name": receiver},
        submit=_("Save"),
        cancel_url=_url(receiver),
    )


@require_POST
@login_required
def secret(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A new secret, shown this once."""
    receiver = _find(request, pk)
    made = services.renew_secret(receiver=receiver, by=person_of(request))
    return _shown(request, receiver, secret=made)


@require_POST
@login_required
def test(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One signed test message now; how it went stands on the page."""
    receiver = _find(request, pk)
    return _shown(request, receiver, tried=services.try_receiver(receiver=receiver, by=person_of(request)))


@require_POST
@login_required
def remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Nothing goes there any more; what was sent stays on record."""
    receiver = _find(request, pk)
    services.remove_receiver(receiver=receiver, by=person_of(request))
    messages.success(request, _("Removed: nothing is sent there any more. What was sent stays on record."))
    return redirect(_setup_url(receiver.use_case))


@require_POST
@login_required
def retry(request: HttpRequest, pk: UUID, message: UUID) -> HttpResponse:
    """Send a message again that failed for good."""
    receiver = _find(request, pk)
    row = get_object_or_404(WebhookMessage, pk=message, endpoint=receiver.endpoint_id)
    allow(request, receiver.use_case, CONFIGURE)
    said = _("It is sent again within seconds.")
    tried(request, lambda: services.retry_delivery(receiver=receiver, message=row, by=person_of(request)), said)
    return redirect(_url(receiver))


def _shown(request: HttpRequest, receiver: RetrainingReceiver, **more: Any) -> HttpResponse:
    receiver.endpoint.refresh_from_db()
    sent = WebhookMessage.objects.filter(endpoint=receiver.endpoint_id).order_by("-created_at", "pk")
    may = CONFIGURE in actions_on(person_of(request), receiver.use_case) and receiver.removed_at is None
    context = {
        "receiver": receiver,
        "endpoint": receiver.endpoint,
        "use_case": receiver.use_case,
        "deliveries": _with_requests(list(sent[:MOST_DELIVERIES])),
        "may_configure": may,
        **more,
    }
    return render(request, "monitoring/retraining/receiver.html", context)


def _with_requests(sent: list[WebhookMessage]) -> list[dict[str, Any]]:
    """Each message with the request that it tells of. One query."""
    numbers = {message.subject: message.subject.rpartition(":")[2] for message in sent}
    wanted = [int(number) for number in numbers.values() if number.isdecimal()]
    known = {str(row.pk): row for row in RetrainingRequest.objects.filter(pk__in=wanted)}
    return [{"sent": message, "row": known.get(numbers[message.subject])} for message in sent]


def _find(request: HttpRequest, pk: UUID) -> RetrainingReceiver:
    rows = RetrainingReceiver.objects.select_related("use_case__unit", "endpoint")
    return get_object_or_404(for_user(rows, person_of(request), VIEW), pk=pk)


def _url(receiver: RetrainingReceiver) -> str:
    return reverse("monitoring:receiver", args=[receiver.pk])


def _setup_url(use_case: UseCase) -> str:
    return reverse("monitoring:retraining_setup", args=[use_case.key])
