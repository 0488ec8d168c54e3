"""Conditions: the list, one condition, and the steps that change it. Each step calls one service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.models import User
from gates.forms.conditions import CloseForm, ConditionFilter, ConditionForm, MoveForm, ReportForm, SendBackForm
from gates.in_force import primary
from gates.models import Condition
from gates.owed import conditions_by_state, conditions_for, searched
from gates.services.conditions import close_condition, report_condition, reschedule_condition, send_back_condition
from gates.views.condition_page import condition_context, steps_open_to
from kernel.errors import DomainError
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from monitoring.forms.filters import in_unit

COLUMNS = (
    Column("condition", gettext_lazy("Condition"), "text", value=lambda c: c.text),
    Column("use_case", gettext_lazy("Use case"), "use_case__name", value=lambda c: c.use_case.name),
    Column("review", gettext_lazy("Review"), "decision__review__number", value=lambda c: str(c.decision.review)),
    Column("owner", gettext_lazy("Owed by"), "owner__full_name", value=lambda c: str(c.owner)),
    Column("due", gettext_lazy("Due"), ("settled", "due_on"), value=lambda c: c.due_on),
    Column("state", gettext_lazy("State"), "state", value=lambda c: c.get_state_display()),
    Column("evidence", gettext_lazy("Evidence wanted"), value=lambda c: c.evidence_wanted),
)


@login_required
def conditions(request: HttpRequest) -> HttpResponseBase:
    """Everything that was ever owed by the use cases the person may see; what is still owed first."""
    _version, policy = primary()
    form = ConditionFilter(request.GET, gates=[(g.key, g.title) for g in policy.gates.values()])
    rows = _filtered(conditions_for(_user(request)), form, _user(request))
    table: TableState[Condition] = TableState.from_request(request, columns=COLUMNS, default_sort="due")
    if table.export_format:
        return export_rows(table.export_format, "conditions", table.columns, table.order(rows).iterator())
    context = {"table": table.paginate(rows), "form": form}
    return render(request, "gates/conditions.html", context, partial="table")


@login_required
def condition(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One condition: what is owed, what was reported, and what the person can do."""
    found = _condition(request, pk)
    return render(request, "gates/condition.html", condition_context(found, _user(request)))


@login_required
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The owner says that it is done."""
    found = _condition(request, pk)

    def carry_out(said: dict[str, Any]) -> None:
        report_condition(condition=found, by=_user(request), **said)

    words = (
        _("Report it done"),
        _("Somebody else looks at it and closes it. Until then it is owed."),
        _("Reported. Who may close it has been told."),
    )
    return _step(request, found, "report", ReportForm, words, carry_out=carry_out)


@login_required
@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Somebody else confirms it."""
    found = _condition(request, pk)

    def carry_out(said: dict[str, Any]) -> None:
        close_condition(condition=found, by=_user(request), **said)

    words = (
        _("Close this condition"),
        _("You confirm that what was asked for is done. It holds up no gate any more."),
        _("The condition is closed."),
    )
    return _step(request, found, "close", CloseForm, words, carry_out=carry_out)


@login_required
@require_http_methods(["GET", "POST"])
def send_back(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What was reported is not enough."""
    found = _condition(request, pk)

    def carry_out(said: dict[str, Any]) -> None:
        send_back_condition(condition=found, by=_user(request), **said)

    words = (
        _("Send it back"),
        _("It is owed as before, until the same day. Its owner reads your reason."),
        _("Sent back."),
    )
    return _step(request, found, "send_back", SendBackForm, words, carry_out=carry_out)


@login_required
@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Another day, or another owner."""
    found = _condition(request, pk)

    def carry_out(said: dict[str, Any]) -> None:
        reschedule_condition(condition=found, by=_user(request), **said)

    words = (
        _("Move this condition"),
        _("The decision stays as it was made; this goes on record beside it, with your reason."),
        _("Moved. Its owner has been told."),
    )
    return _step(request, found, "move", MoveForm, words, carry_out=carry_out)


def _step(
    request: HttpRequest,
    found: Condition,
    step: str,
    form_class: type[ConditionForm],
    words: tuple[str, str, str],
    *,
    carry_out: Callable[[dict[str, Any]], None],
) -> HttpResponse:
    """One form, one service. ``words``: heading, lead, what is said afterwards."""
    steps = steps_open_to(found, _user(request))
    if steps[step]:
        raise PermissionDenied(steps[step])
    form = form_class(request.POST if request.method == "POST" else None, condition=found)
    if request.method == "POST" and form.is_valid():
        try:
            carry_out(form.cleaned_data)
        except DomainError as wrong:
            _explain(form, wrong)
        else:
            messages.success(request, words[2])
            return redirect("gates:condition", pk=found.pk)
    context = {"condition": found, "use_case": found.use_case, "form": form, "heading": words[0], "lead": words[1]}
    return render(request, "gates/condition_step.html", context, status=422 if form.errors else 200)


def _filtered(rows: Any, form: ConditionFilter, user: User) -> Any:
    if not form.is_valid():
        return rows
    wanted = form.cleaned_data
    rows = conditions_by_state(searched(rows, wanted["q"]), wanted["state"])
    if wanted["unit"]:
        rows = rows.filter(in_unit("use_case__unit", wanted["unit"]))
    if wanted["gate"]:
        rows = rows.filter(decision__review__gate=wanted["gate"])
    return rows.filter(owner=user) if wanted["mine"] else rows


def _condition(request: HttpRequest, pk: UUID) -> Condition:
    found = conditions_for(_user(request)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _explain(form: ConditionForm, wrong: DomainError) -> None:
    """Put a refusal of a service at its field, or at the top of the form."""
    named = {name: lines for name, lines in (wrong.errors or {}).items() if name in form.fields}
    if not named:
        form.add_error(None, f"{wrong} {wrong.hint}".strip())
    for name, lines in named.items():
        for line in lines:
            form.add_error(name, line)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
