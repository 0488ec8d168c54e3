"""What people do about one alert: rest it, see to it, end it, comment, report an incident."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from monitoring import services
from monitoring.forms.alert_care import AssignForm, CommentForm, ReportForm, SnoozeForm, WhyForm
from monitoring.models import Alert
from monitoring.views.common import find_alert, form_page, go
from portfolio.views.common import allow, attempt, person_of

RIGHT = "alert.acknowledge"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def snooze(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Let it rest until a time."""
    alert = _find(request, pk)
    form = SnoozeForm(request.POST or None)
    return _form(
        request,
        alert,
        form,
        lambda: services.snooze_alert(
            alert=alert, until=form.moment, reason=form.cleaned_data["reason"], by=person_of(request)
        ),
        said=_("It rests; it wakes up by itself, and at once when it becomes a breach."),
        title=_("Snooze the alert"),
        submit=_("Snooze"),
    )


@require_POST
@login_required
def wake(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End its rest before the time."""
    alert = _find(request, pk)
    services.wake_alert(alert=alert, by=person_of(request))
    messages.success(request, _("It is open again."))
    return go(request, _url(alert))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def assign(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say who sees to it."""
    alert = _find(request, pk)
    use_case = alert.series.use_case
    form = AssignForm(request.POST or None, use_cases=[use_case], initial={"to": alert.assigned_to_id})
    return _form(
        request,
        alert,
        form,
        lambda: services.assign_alert(alert=alert, to=form.cleaned_data["to"], by=person_of(request)),
        said=_("Whoever sees to it now is told."),
        title=_("Who sees to it?"),
        submit=_("Assign"),
    )


@require_POST
@login_required
def take(request: HttpRequest, pk: UUID) -> HttpResponse:
    """See to it oneself."""
    alert = _find(request, pk)
    services.assign_alert(alert=alert, to=person_of(request), by=person_of(request))
    messages.success(request, _("You see to it."))
    return go(request, _url(alert))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def resolve(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End it by hand, where its rule is quiet."""
    alert = _find(request, pk)
    form = WhyForm(request.POST or None)
    return _form(
        request,
        alert,
        form,
        lambda: services.resolve_alert(alert=alert, reason=form.cleaned_data["reason"], by=person_of(request)),
        said=_("The alert is over."),
        title=_("End the alert by hand"),
        lead=_(
            "An alert ends by itself when the values do what its rule asks. By hand it ends only while the rule is "
            "quiet: between the limits, with samples too small to say, or with no newer values."
        ),
        submit=_("End it"),
    )


@require_POST
@login_required
def comment(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say what was found."""
    alert = _find(request, pk)
    form = CommentForm(request.POST)
    if form.is_valid():
        call = lambda: services.comment_on_alert(alert=alert, text=form.cleaned_data["text"], by=person_of(request))  # noqa: E731
        attempt(form, call)
    for said in form.errors.values():
        messages.error(request, str(said[0]))
    return go(request, f"{_url(alert)}#comments")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def report(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Report an incident with what the alert knows."""
    alert = find_alert(request, pk)
    allow(request, alert.series.use_case, "incident.report")
    form = ReportForm(request.POST or None, alert=alert)
    return form_page(
        request,
        form,
        lambda: services.report_alert(alert=alert, by=person_of(request), **form.cleaned_data),
        done=lambda incident: reverse("governance:incident", args=[incident.pk]),
        said=_("The incident is reported; it leads back to the alert."),
        use_case=alert.series.use_case,
        title=_("Report an incident"),
        lead=_("Filled in from the alert. Better early than complete: it can be added to."),
        submit=_("Report this incident"),
        cancel_url=_url(alert),
    )


def _form(request: HttpRequest, alert: Alert, form: Any, call: Any, **shown: Any) -> HttpResponse:
    return form_page(
        request,
        form,
        call,
        done=lambda _result: _url(alert),
        use_case=alert.series.use_case,
        **{"cancel_url": _url(alert), "lead": alert.message, **shown},
    )


def _find(request: HttpRequest, pk: UUID) -> Alert:
    alert = find_alert(request, pk)
    allow(request, alert.series.use_case, RIGHT)
    return alert


def _url(alert: Alert) -> str:
    return reverse("monitoring:alert", args=[alert.pk])
