"""The use case: its page with one tab at a time, opening one, editing it, pausing it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Subquery, Value
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import actions_on, for_user
from accounts.models import User
from accounts.people import people_on
from kernel.htmx import render
from portfolio import services
from portfolio.forms.plans import PlanForm
from portfolio.forms.use_cases import ReasonForm, UseCaseForm
from portfolio.models import BusinessUnit, OperatingPlan, Status, UseCase
from portfolio.panel import AsidePanel, Panel, aside_panels, panels
from portfolio.panels.people import EXPECTED
from portfolio.selectors.track import changes_of, steps
from portfolio.views.common import allow, answer, attempt, find_use_case, person_of, posted

FIRST = "overview"


@require_safe
@login_required
def page(request: HttpRequest, key: str, panel: str = FIRST) -> HttpResponse:
    """The header, the tabs with the asked one open, and the cards beside it."""
    use_case = find_use_case(request, key)
    user = person_of(request)
    shown = _tabs(user, use_case)
    current = next((each for each in shown if each.key == panel), None)
    if current is None:
        raise Http404
    counts = _counts(shown, use_case)
    context = {
        **frame(request, use_case),
        "panel_template": current.template,
        "panel_title": current.title,
        "tabs": [
            {
                "label": each.title,
                "url": panel_url(use_case, each.key),
                "current": each.key == panel,
                "count": counts.get(each.key) or each.count(use_case),
            }
            for each in shown
        ],
        "asides": list(_asides(request, use_case)),
        **current.context(request, use_case),
    }
    return render(request, "portfolio/use_case.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def create(request: HttpRequest) -> HttpResponse:
    """Open a use case, in a unit where the person may."""
    user = person_of(request)
    units = list(for_user(BusinessUnit.objects.order_by("path"), user, "use_case.create"))
    if not units:
        raise PermissionDenied(_("Your roles do not allow you to open a use case. Ask a portfolio manager."))
    form = UseCaseForm(posted(request), units=units, initial=_offered_unit(request, units))
    if request.method == "POST" and form.is_valid():
        use_case = attempt(form, lambda: services.create_use_case(by=user, **form.values()))
        if use_case is not None:
            messages.success(request, _("%(key)s is open. Next: say who answers for it.") % {"key": use_case.key})
            return redirect(page_url(use_case))
    context = {"form": form, "cancel_url": reverse("portfolio:list")}
    return render(request, "portfolio/create.html", context, status=answer(form))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change what is known of a use case."""
    use_case = find_use_case(request, key)
    allow(request, use_case, "use_case.edit")
    user = person_of(request)
    units = {unit.pk: unit for unit in for_user(BusinessUnit.objects.all(), user, "use_case.create")}
    units[use_case.unit.pk] = use_case.unit
    ordered = sorted(units.values(), key=lambda unit: unit.path)
    form = UseCaseForm(posted(request), units=ordered, use_case=use_case)
    if request.method == "POST" and form.is_valid():
        edited = attempt(form, lambda: services.edit_use_case(use_case=use_case, changes=form.values(), by=user))
        if edited is not None:
            messages.success(request, _("Saved."))
            return redirect(page_url(edited))
    context = {"form": form, "use_case": use_case, "cancel_url": page_url(use_case)}
    return render(request, "portfolio/edit.html", context, status=answer(form))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_plan(request: HttpRequest, key: str) -> HttpResponse:
    """Change what has been committed."""
    use_case = find_use_case(request, key)
    allow(request, use_case, "use_case.edit")
    plan = OperatingPlan.objects.filter(use_case=use_case).first() or OperatingPlan(use_case=use_case)
    form = PlanForm(posted(request), plan=plan)
    if request.method == "POST" and form.is_valid():
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        call = lambda: services.edit_plan(use_case=use_case, changes=changes, by=person_of(request))  # noqa: E731
        if attempt(form, call) is not None:
            messages.success(request, _("The plan is saved."))
            return redirect(f"{page_url(use_case)}#plan")
    context = {"form": form, "use_case": use_case, "cancel_url": page_url(use_case), "title": _("Plan and money")}
    return render(request, "portfolio/form.html", context, status=answer(form))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def status(request: HttpRequest, key: str) -> HttpResponse:
    """Put a use case on hold, or take it up again, whichever its state allows."""
    use_case = find_use_case(request, key)
    allow(request, use_case, "use_case.edit")
    resuming = use_case.status == Status.ON_HOLD
    act = services.resume if resuming else services.hold
    form = ReasonForm(posted(request), required=not resuming)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        done = attempt(form, lambda: act(use_case=use_case, by=person_of(request), reason=reason))
        if done is not None:
            messages.success(request, _("Resumed.") if resuming else _("On hold."))
            return redirect(page_url(use_case))
    context = {
        "form": form,
        "use_case": use_case,
        "cancel_url": page_url(use_case),
        "title": _("Resume") if resuming else _("Put on hold"),
        "lead": _("It goes on from the stage in which it was paused.")
        if resuming
        else _("It keeps its stage, and nobody is asked to move it on. Gates that it passed stay under watch."),
        "submit": _("Resume") if resuming else _("Put on hold"),
    }
    return render(request, "portfolio/form.html", context, status=answer(form))


def frame(request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
    """What the head of every page of a use case shows."""
    allowed = actions_on(person_of(request), use_case)
    held = people_on([use_case.pk])[use_case.pk]
    named = [next((each for each in held if each.role == role), None) for role in EXPECTED]
    return {
        "use_case": use_case,
        "steps": steps(use_case, changes_of(use_case)),
        "named": [each for each in named if each is not None],
        "may_edit": "use_case.edit" in allowed,
        "may_hold": "use_case.edit" in allowed and use_case.status != Status.CLOSED,
        "on_hold": use_case.status == Status.ON_HOLD,
    }


def page_url(use_case: UseCase) -> str:
    return reverse("portfolio:use_case", args=[use_case.key])


def panel_url(use_case: UseCase, panel: str) -> str:
    if panel == FIRST:
        return page_url(use_case)
    return reverse("portfolio:use_case_panel", args=[use_case.key, panel])


def _tabs(user: User, use_case: UseCase) -> list[Panel]:
    found = [panel() for panel in sorted(panels, key=lambda each: (each.order, each.key))]
    return [panel for panel in found if panel.shown_to(user, use_case)]


def _counts(shown: list[Panel], use_case: UseCase) -> dict[str, int]:
    """Panel -> how many rows it has, for all that count rows, in one query."""
    counted = {panel.key: rows for panel in shown if (rows := panel.rows(use_case)) is not None}
    if not counted:
        return {}
    numbers = [
        Subquery(rows.order_by().values(all=Value(1)).annotate(n=Count("pk")).values("n")) for rows in counted.values()
    ]
    found = UseCase.objects.filter(pk=use_case.pk).values_list(*numbers).get()
    return {key: number or 0 for key, number in zip(counted, found, strict=True)}


def _asides(request: HttpRequest, use_case: UseCase) -> Iterator[str]:
    """The cards as HTML: each sees its own context only, so that two of them cannot get in each other's way."""
    user = person_of(request)
    for kind in sorted(aside_panels, key=lambda each: (each.order, each.key)):
        card: AsidePanel = kind()
        if card.shown_to(user, use_case):
            context = {"use_case": use_case, **card.context(request, use_case)}
            yield render_to_string(card.template, context, request=request)


def _offered_unit(request: HttpRequest, units: list[BusinessUnit]) -> dict[str, Any]:
    code = request.GET.get("unit", "")
    return {"unit": code} if any(unit.code == code for unit in units) else {}
