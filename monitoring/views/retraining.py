"""Requests for retraining and rollback: the list, the calendar, one request with its answers and deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actions_on
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from ledger import lookups, wording
from ledger.selectors import events_for
from monitoring import services
from monitoring.forms.retraining import AnswerForm, RetrainingFilter
from monitoring.models import RetrainingRequest
from monitoring.selectors.retraining import entries, month_of, requests_for, weeks
from monitoring.services.retraining import ANSWERS, CONFIGURE
from monitoring.views.common import form_page, go
from monitoring.views.overview import section_tabs
from notify.models import WebhookMessage
from portfolio.views.common import address, person_of

COLUMNS: Sequence[Column] = (
    Column("request", gettext_lazy("Request"), "pk", largest_first=True, value=lambda row: f"{row} {row.kind}"),
    Column("use_case", gettext_lazy("Use case"), "use_case__name", value=lambda row: row.use_case.name),
    Column("state", gettext_lazy("State"), ("state", "due_at"), value=lambda row: row.get_state_display()),
    Column("origin", gettext_lazy("Asked for"), "origin", value=lambda row: row.get_origin_display()),
    Column("requested", gettext_lazy("When"), "requested_at", largest_first=True, value=lambda row: row.requested_at),
    Column("due", gettext_lazy("Due"), "due_at", value=lambda row: row.due_at),
    Column("finished", gettext_lazy("Ended"), "finished_at", largest_first=True, value=lambda row: row.finished_at),
    Column("version", gettext_lazy("New version"), value=lambda row: row.new_version.label if row.new_version else ""),
)
MOST_EVENTS = 40


@require_safe
@login_required
def requests(request: HttpRequest) -> HttpResponseBase:
    """Everything asked for, of the use cases the person may see; the newest first."""
    person = person_of(request)
    form = RetrainingFilter(request.GET)
    rows = form.apply(requests_for(person), person)
    table: TableState[RetrainingRequest] = TableState.from_request(request, columns=COLUMNS, default_sort="request")
    if table.export_format:
        return export_rows(table.export_format, "retraining", table.columns, table.order(rows).iterator())
    context = {
        "table": table.paginate(rows),
        "form": form,
        "chips": form.chips(request),
        "tabs": section_tabs("retraining"),
        "sub_tabs": retraining_tabs("retraining"),
    }
    return render(request, "monitoring/retraining/list.html", context, partial="table")


@require_safe
@login_required
def calendar(request: HttpRequest) -> HttpResponse:
    """A month of what is planned, due and done; as a month and, on small screens, as a list."""
    first = month_of(request.GET.get("month"))
    after = (first + timedelta(days=32)).replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    rows = entries(person_of(request), first, after)
    context = {
        "first": first,
        "before": f"{before:%Y-%m}",
        "after": f"{after:%Y-%m}",
        "weeks": weeks(first, rows),
        "entries": rows,
        "tabs": section_tabs("retraining"),
        "sub_tabs": retraining_tabs("retraining_calendar"),
    }
    return render(request, "monitoring/retraining/calendar.html", context)


@require_safe
@login_required
def page(request: HttpRequest, number: int) -> HttpResponse:
    """One request: what was asked, how far it is, what came of it, what was sent."""
    row = _find(request, number)
    allowed = actions_on(person_of(request), row.use_case)
    breach = row.decision.removeprefix("B-")
    context = {
        "row": row,
        "use_case": row.use_case,
        "overdue": row.is_overdue(),
        "facts": _facts(row),
        "breach_url": address("gates:breach", int(breach)) if breach.isdecimal() else "",
        "deliveries": _deliveries(row),
        "events": _events(row),
        "may_answer": row.is_open and bool(set(ANSWERS) & allowed),
        "may_send": row.is_open and CONFIGURE in allowed,
    }
    return render(request, "monitoring/retraining/request.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def answer(request: HttpRequest, number: int) -> HttpResponse:
    """How far it is, said by a person where no machine does."""
    row = _find(request, number)
    if not set(ANSWERS) & actions_on(person_of(request), row.use_case):
        raise PermissionDenied(_("Whoever registers versions or records deployments here answers this."))
    form = AnswerForm(request.POST or None, row=row)
    return form_page(
        request,
        form,
        lambda: services.answer_request(request=row, by=person_of(request), **form.cleaned_data),
        done=_url,
        said=_("The answer is on record."),
        use_case=row.use_case,
        title=_("Answer %(request)s") % {"request": row},
        lead=row.reason,
        submit=_("Put the answer on record"),
        cancel_url=_url(row),
    )


@require_POST
@login_required
def again(request: HttpRequest, number: int) -> HttpResponse:
    """Send it to the receiver once more."""
    row = _find(request, number)
    services.send_again(request=row, by=person_of(request))
    messages.success(request, _("It is sent again within seconds."))
    return go(request, _url(row))


def retraining_tabs(current: str) -> list[dict[str, Any]]:
    """The two looks at retraining; ``current`` is the name of one's address."""
    found = (("retraining", _("Requests"), "list"), ("retraining_calendar", _("Calendar"), "calendar"))
    return [
        {"label": label, "icon": icon, "url": reverse(f"monitoring:{name}"), "current": name == current}
        for name, label, icon in found
    ]


def _find(request: HttpRequest, number: int) -> RetrainingRequest:
    return get_object_or_404(requests_for(person_of(request)), pk=number)


def _url(row: RetrainingRequest) -> str:
    return reverse("monitoring:retraining_request", args=[row.pk])


def _deliveries(row: RetrainingRequest) -> list[WebhookMessage]:
    """What was sent of it, the newest first, each with its receiver."""
    sent = WebhookMessage.objects.filter(subject=row.webhook_subject)
    return list(sent.select_related("endpoint__retraining_receiver")[:MOST_EVENTS])


def _facts(row: RetrainingRequest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"label": _("Asked for"), "value": row.get_origin_display()},
        {"label": _("By"), "value": str(row.requested_by or "Tollgate")},
        {"label": _("To be accepted by"), "value": f"{row.accept_by:%-d %b %Y %H:%M} UTC"},
        {"label": _("To be done by"), "value": f"{row.due_at:%-d %b %Y %H:%M} UTC"},
        {"label": _("Version in use then"), "value": str(row.version or "–")},
    ]
    if row.alert is not None:
        found.append(
            {"label": _("Alert"), "value": row.alert.message, "url": reverse("monitoring:alert", args=[row.alert.pk])}
        )
    if row.new_version is not None:
        found.append({"label": _("Version that came of it"), "value": str(row.new_version)})
    if row.evidence is not None:
        url = address("governance:evidence", row.evidence.pk)
        found.append({"label": _("Evidence"), "value": row.evidence.title, "url": url})
    if row.answered_by is not None:
        found.append({"label": _("Answered by"), "value": str(row.answered_by)})
    return found


def _events(row: RetrainingRequest) -> list[dict[str, Any]]:
    """What was done about it, newest first."""
    events = list(events_for(use_case=row.use_case_id, subject=row)[:MOST_EVENTS])
    actors = lookups.names("actor", (event.actor_id for event in events))
    return [
        {
            "text": wording.title(event.action),
            "at": event.at,
            "person": str(actors.get(str(event.actor_id), _("Tollgate"))),
            "machine": event.actor_kind != "person",
            "icon": "clock",
            "url": reverse("ledger:event", args=[event.index]),
            "note": event.note,
            "extra": f"#{event.index}",
        }
        for event in events
    ]
