"""What is missing for the next gate, as a to-do list, and who settles what."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.access import actions_on
from accounts.models import User
from accounts.people import people_on
from gates.engine import GateResult
from gates.forms import AssignForm
from gates.models import Assignment
from gates.services.assignments import assign_criterion
from gates.settling import forms_open_to
from gates.standing import results_of
from gates.todo import ToDo, by_day, by_owner, todo_of
from kernel.errors import DomainError, Invalid
from kernel.htmx import render
from kernel.tables import Column, export_rows
from portfolio.models import UseCase
from portfolio.views.common import find_use_case, person_of

EXPORTED = (
    Column("criterion", gettext_lazy("Criterion"), value=lambda t: t.row.title),
    Column("state", gettext_lazy("State"), value=lambda t: t.row.state),
    Column("mandatory", gettext_lazy("Mandatory"), value=lambda t: t.row.mandatory),
    Column("reason", gettext_lazy("Reason"), value=lambda t: t.row.reason),
    Column("todo", gettext_lazy("What would make it pass"), value=lambda t: t.row.todo),
    Column("people", gettext_lazy("Who"), value=lambda t: ", ".join(str(p) for p in t.people) or t.row.owner),
    Column("due", gettext_lazy("Due"), value=lambda t: t.due_on),
)
SHOWN = {
    "all": gettext_lazy("All"),
    "mine": gettext_lazy("Mine"),
    "late": gettext_lazy("Late"),
    "undated": gettext_lazy("Without a day"),
}


@login_required
def missing(request: HttpRequest, key: str) -> HttpResponseBase:
    """The list, by owner or by day; ``?show=`` narrows it, ``?export=csv`` takes it along."""
    use_case = find_use_case(request, key)
    user = person_of(request)
    result = _result(use_case)
    everything = todo_of(use_case, result, may_use=forms_open_to(user, use_case)) if result else []
    show = request.GET.get("show", "all")
    items = [item for item in everything if _is_shown(item, show, user)]
    if request.GET.get("export") in ("csv", "xlsx"):
        return export_rows(request.GET["export"], f"{use_case.key}-missing", EXPORTED, items)
    grouped = "day" if request.GET.get("by") == "day" else "owner"
    return render(
        request,
        "gates/missing.html",
        {
            "use_case": use_case,
            "result": result,
            "gate": result.gate if result else None,
            "groups": by_day(items) if grouped == "day" else by_owner(items),
            "grouped": grouped,
            "show": show if show in SHOWN else "all",
            "tabs": _tabs(everything, show if show in SHOWN else "all", grouped, user),
            "any": bool(everything),
            "may_assign": "activity.update" in actions_on(user, use_case),
            "may_submit": "gate.submit" in actions_on(user, use_case),
        },
    )


@login_required
@require_http_methods(["GET", "POST"])
def assign(request: HttpRequest, key: str, criterion: str) -> HttpResponse:
    """Say who settles one criterion and by when."""
    use_case = find_use_case(request, key)
    result = _result(use_case)
    chosen = next((j for j in result.judged if j.criterion.id == criterion), None) if result else None
    if result is None or chosen is None:
        raise Invalid(_("The next gate of %(key)s has no criterion %(id)s.") % {"key": key, "id": criterion})
    now = Assignment.objects.filter(use_case=use_case, gate=result.gate.key, criterion=criterion).first()
    people = {held.user.pk: held.user for held in people_on([use_case.pk])[use_case.pk]}
    names = sorted(((str(pk), str(person)) for pk, person in people.items()), key=lambda pair: pair[1])
    first: dict[str, Any] = {"criterion": criterion}
    if now is not None:
        first |= {"person": str(now.person_id or ""), "due_on": now.due_on, "note": now.note}
    form = AssignForm(request.POST if request.method == "POST" else None, people=names, initial=first)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        person = next((p for pk, p in people.items() if str(pk) == given["person"]), None)
        try:
            assign_criterion(
                use_case=use_case,
                gate=result.gate.key,
                criterion=criterion,
                by=person_of(request),
                person=person,
                due_on=given["due_on"],
                note=given["note"],
            )
        except DomainError as wrong:
            _explain(form, wrong)
        else:
            messages.success(request, _("%(criterion)s is assigned.") % {"criterion": criterion})
            return redirect("gates:missing", key=key)
    context = {"use_case": use_case, "gate": result.gate, "criterion": chosen.criterion, "form": form}
    return render(request, "gates/assign.html", context, status=422 if form.errors else 200)


def _result(use_case: UseCase) -> GateResult | None:
    return next((r for r in results_of(use_case) if r.policy.primary), None)


def _tabs(everything: list[ToDo], show: str, grouped: str, user: User) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "url": f"?{urlencode({'by': grouped, 'show': name})}",
            "current": name == show,
            "count": sum(1 for item in everything if _is_shown(item, name, user)),
        }
        for name, label in SHOWN.items()
    ]


def _is_shown(item: ToDo, show: str, user: User) -> bool:
    match show:
        case "mine":
            return item.is_for(user)
        case "late":
            return item.late
        case "undated":
            return item.due_on is None
        case _:
            return True


def _explain(form: AssignForm, wrong: DomainError) -> None:
    for name, lines in (wrong.errors or {"": [str(wrong)]}).items():
        for line in lines:
            form.add_error(name if name in form.fields else None, line)
