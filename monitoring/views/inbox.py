"""The alert inbox: what is broken, since when, who sees to it; and what is done with several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import for_user
from accounts.models import User
from kernel.errors import DomainError, Invalid
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from monitoring import services
from monitoring.forms.alert_care import AssignForm, SnoozeForm
from monitoring.forms.inbox import STATES, UNRESOLVED, AlertFilterForm
from monitoring.models import Alert
from monitoring.views.common import VIEW
from monitoring.views.overview import section_tabs
from portfolio.models import UseCase
from portfolio.views.common import answer, person_of

RANK = Case(
    *[When(severity=value, then=Value(rank)) for rank, value in enumerate(Alert.Severity.values)],
    output_field=IntegerField(),
)
"""0 is the worst."""
ALERTS: Sequence[Column] = (
    Column(
        "severity",
        gettext_lazy("Severity"),
        ("severity_rank", "opened_at"),
        value=lambda row: row.get_severity_display(),
    ),
    Column("message", gettext_lazy("What happened"), "message"),
    Column(
        "use_case",
        gettext_lazy("Use case"),
        "series__use_case__name",
        value=lambda row: f"{row.series.use_case.key} {row.series.use_case.name}",
    ),
    Column(
        "level",
        gettext_lazy("Level"),
        ("level", "opened_at"),
        value=lambda row: row.get_level_display(),
        choosable=True,
        shown=False,
    ),
    Column(
        "metric",
        gettext_lazy("Metric"),
        "series__metric",
        value=lambda row: row.series.metric,
        choosable=True,
        shown=False,
    ),
    Column("state", gettext_lazy("State"), ("state", "opened_at"), value=lambda row: row.get_state_display()),
    Column(
        "owner",
        gettext_lazy("Seen to by"),
        ("assigned_to__full_name", "opened_at"),
        value=lambda row: str(row.assigned_to or ""),
    ),
    Column("opened", gettext_lazy("Opened"), "opened_at", largest_first=True, value=lambda row: row.opened_at),
    Column("due", gettext_lazy("Owed by"), ("acknowledge_by", "resolve_by"), value=lambda row: row.resolve_by),
    Column("outcome", gettext_lazy("Decision"), "outcome", value=lambda row: row.get_outcome_display()),
)
MOST = 200
ACKNOWLEDGE, TAKE, ASSIGN, SNOOZE = "acknowledge", "take", "assign", "snooze"
ACTIONS: dict[str, Any] = {
    ACKNOWLEDGE: gettext_lazy("Acknowledge"),
    TAKE: gettext_lazy("I see to it"),
    ASSIGN: gettext_lazy("Assign"),
    SNOOZE: gettext_lazy("Snooze"),
}


@require_safe
@login_required
def alerts(request: HttpRequest) -> HttpResponseBase:
    """The inbox, newest first."""
    user = person_of(request)
    table: TableState[Alert] = TableState.from_request(request, columns=ALERTS, default_sort="-opened")
    form = AlertFilterForm(request.GET, user=user)
    related = ("series__use_case", "acknowledged_by", "assigned_to", "incident")
    visible = for_user(Alert.objects.select_related(*related), user, VIEW)
    rows = form.apply(visible, user).annotate(severity_rank=RANK)
    if table.export_format:
        return export_rows(table.export_format, "alerts", table.columns, table.order(rows).iterator(1000))
    context = {
        "table": table.paginate(rows),
        "form": form,
        "chips": form.chips(request),
        "tabs": section_tabs("alerts"),
        "states": _state_tabs(request, visible, str(form.chosen()["state"])),
        "now": timezone.now(),
        "bulk_actions": [{"name": name, "label": label} for name, label in ACTIONS.items()],
    }
    return render(request, "monitoring/alerts.html", context, partial="table")


@require_POST
@login_required
def bulk(request: HttpRequest) -> HttpResponseBase:
    """Do one thing with the chosen alerts, one by one; what was refused is said. Some things ask first."""
    user, action = person_of(request), request.POST.get("action", "")
    if action not in ACTIONS:
        raise Invalid(_("Choose what to do with the alerts."))
    chosen = list(_chosen(request, user))
    if not chosen:
        messages.info(request, _("Nothing was chosen."))
        return redirect("monitoring:alerts")
    if action == ACKNOWLEDGE:
        return _carry_out(request, chosen, lambda alert: services.acknowledge_alert(alert=alert, by=user))
    if action == TAKE:
        return _carry_out(request, chosen, lambda alert: services.assign_alert(alert=alert, to=user, by=user))
    form = _form(request, action, chosen)
    if form.is_bound and form.is_valid():
        return _carry_out(request, chosen, _call(form, user))
    context = {
        "form": form,
        "action": action,
        "title": ngettext("%(label)s: %(n)d alert", "%(label)s: %(n)d alerts", len(chosen))
        % {"label": ACTIONS[action], "n": len(chosen)},
        "submit": ACTIONS[action],
        "alerts": chosen,
    }
    return render(request, "monitoring/alerts/bulk.html", context, status=answer(form))


def _form(request: HttpRequest, action: str, chosen: list[Alert]) -> SnoozeForm | AssignForm:
    data = request.POST if "confirmed" in request.POST else None
    if action == SNOOZE:
        return SnoozeForm(data)
    use_cases: dict[object, UseCase] = {alert.series.use_case_id: alert.series.use_case for alert in chosen}
    return AssignForm(data, use_cases=use_cases.values())


def _call(form: SnoozeForm | AssignForm, user: User) -> Callable[[Alert], Alert]:
    if isinstance(form, SnoozeForm):
        until, reason = form.moment, form.cleaned_data["reason"]
        return lambda alert: services.snooze_alert(alert=alert, until=until, reason=reason, by=user)
    to = form.cleaned_data["to"]
    return lambda alert: services.assign_alert(alert=alert, to=to, by=user)


def _chosen(request: HttpRequest, user: User) -> QuerySet[Alert]:
    ids = []
    for text in request.POST.getlist("chosen")[: MOST + 1]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    if len(ids) > MOST:
        raise Invalid(_("Choose at most %(most)d at once.") % {"most": MOST})
    related = ("series__use_case__unit", "assigned_to")
    return for_user(Alert.objects.select_related(*related).filter(pk__in=ids), user, VIEW).order_by("opened_at")


def _carry_out(request: HttpRequest, chosen: list[Alert], call: Callable[[Alert], Alert]) -> HttpResponseBase:
    done, refused = 0, []
    for alert in chosen:
        try:
            call(alert)
            done += 1
        except DomainError as error:
            refused.append(f"{alert.series.use_case.key}: {error.message}")
        except PermissionDenied:
            refused.append(_("%(key)s: your roles there do not allow it.") % {"key": alert.series.use_case.key})
    if done:
        messages.success(request, ngettext("%(n)d alert changed.", "%(n)d alerts changed.", done) % {"n": done})
    for said in refused[:5]:
        messages.error(request, said)
    if len(refused) > 5:
        messages.error(request, _("and %(n)d more were refused.") % {"n": len(refused) - 5})
    return redirect("monitoring:alerts")


def _state_tabs(request: HttpRequest, visible: QuerySet[Alert], current: str) -> list[dict[str, Any]]:
    """The inbox by state, with how many there are; the other filters stay."""
    counts = dict(visible.order_by().values_list("state").annotate(n=Count("pk")))
    counts[UNRESOLVED] = sum(n for state, n in counts.items() if state != Alert.AlertState.RESOLVED)
    found = []
    for value, label in STATES:
        query = request.GET.copy()
        for gone in ("state", "page"):
            query.pop(gone, None)
        if value != UNRESOLVED:
            query["state"] = value
        url = f"{request.path}?{query.urlencode()}" if query else request.path
        found.append({"label": label, "url": url, "current": value == current, "count": counts.get(value, 0)})
    return found
