"""Waivers: the list, one waiver, and the steps that change it. Each step calls one service."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.access import for_user, require
from accounts.models import User
from gates.forms.waivers import (
    DecideWaiverForm,
    RequestWaiverForm,
    RevokeWaiverForm,
    WaiverFilter,
    WithdrawWaiverForm,
)
from gates.in_force import primary
from gates.models import Waiver
from gates.selectors import waivers_by_state, waivers_for
from gates.services.waiver_scenes import role_to_vote_in, roles_to_vote_in, what_is_excused
from gates.services.waivers import request_waiver, revoke_waiver, state_in_words, vote_on_waiver, withdraw_waiver
from gates.views.waiver_page import waiver_context
from gates.waiving import most_days, still_needed
from kernel.errors import DomainError
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from portfolio.models import UseCase

COLUMNS = (
    Column("number", gettext_lazy("Waiver"), "number", largest_first=True, value=str),
    Column("use_case", gettext_lazy("Use case"), "use_case__name", value=lambda w: w.use_case.name),
    Column("gate", gettext_lazy("Gate"), "gate", value=lambda w: w.gate),
    Column("criterion", gettext_lazy("Criterion"), "criterion"),
    Column("tier", gettext_lazy("Tier"), "tier"),
    Column("state", gettext_lazy("State"), "state", value=lambda w: state_in_words(w, timezone.now())),
    Column("expires", gettext_lazy("Ends"), "expires_at", value=lambda w: w.expires_at),
    Column("requested", gettext_lazy("Asked for"), "requested_at", largest_first=True, value=lambda w: w.requested_at),
)


@login_required
def waivers(request: HttpRequest) -> HttpResponseBase:
    """Every waiver of the use cases the person may see."""
    form = WaiverFilter(request.GET)
    rows = _filtered(waivers_for(_user(request)), form)
    table: TableState[Waiver] = TableState.from_request(request, columns=COLUMNS, default_sort="-requested")
    if table.export_format:
        return export_rows(table.export_format, "waivers", table.columns, table.order(rows).iterator())
    _version, policy = primary()
    extra = {"gates": policy.gates, "now": timezone.now()}
    return render(
        request, "gates/waivers.html", {"table": table.paginate(rows), "form": form, "extra": extra}, partial="table"
    )


@login_required
def waiver(request: HttpRequest, number: int) -> HttpResponse:
    """One waiver: what is excused, why, what is done instead, until when, and who says so."""
    found = _waiver(request, number)
    return render(request, "gates/waiver.html", waiver_context(found, _user(request)))


@login_required
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, key: str, gate: str, criterion: str) -> HttpResponse:
    """Ask for a waiver of one criterion that does not pass; ``?renews=12`` asks for the renewal of W-12."""
    person = _user(request)
    use_case = get_object_or_404(for_user(UseCase.objects.select_related("unit"), person, "use_case.view"), key=key)
    require(person, "waiver.request", use_case)
    if (asked := _asked_for(use_case, gate, criterion)) is not None:
        messages.info(request, _("%(waiver)s asks for this already.") % {"waiver": asked})
        return redirect("gates:waiver", number=asked.number)
    now = timezone.now()
    excused = what_is_excused(use_case, gate, criterion, now)
    renews = _renewed(request, use_case)
    days = most_days(excused.policy.waiver_days, excused.tier)
    latest = (now + timedelta(days=days - 1)).date()
    first = {"compensating_control": renews.compensating_control} if renews else {}
    form = RequestWaiverForm(_posted(request), latest=latest, days=days, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            made = request_waiver(
                use_case=use_case, gate=gate, criterion=criterion, by=person, renews=renews, **form.cleaned_data
            )
        except DomainError as wrong:
            _explain(form, wrong)
        else:
            messages.success(request, _("%(waiver)s is asked for; who decides has been told.") % {"waiver": made})
            return redirect("gates:waiver", number=made.number)
    context = {
        "use_case": use_case,
        "excused": excused,
        "heading": f"{excused.criterion.id} {excused.criterion.title}",
        "who_decides": _("It needs %(what)s, never yours.") % {"what": still_needed(excused.tier, ())},
        "renews": renews,
        "form": form,
    }
    return render(request, "gates/waiver_ask.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """Approve or refuse, after entering the password or a second factor."""
    found, person = _waiver(request, number), _user(request)
    roles = roles_to_vote_in(found, person)
    if not roles or found.state != Waiver.State.REQUESTED:
        _role, why_not = role_to_vote_in(found, person)
        raise PermissionDenied(why_not or _("%(waiver)s has been decided about.") % {"waiver": found})
    first = {"verdict": request.GET.get("verdict", "approve"), "role": roles[0]}
    form = DecideWaiverForm(_posted(request), request=request, roles=roles, initial=first)
    if away := form.detour():
        return away
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("verdict", "role", "reason")}
        try:
            made = vote_on_waiver(waiver=found, by=person, **given)
        except DomainError as wrong:
            _explain(form, wrong)
        else:
            said = _("Your decision is on record: %(waiver)s is %(state)s.")
            messages.success(request, said % {"waiver": made, "state": state_in_words(made, timezone.now())})
            return redirect("gates:waiver", number=number)
    context = {**waiver_context(found, person), "form": form}
    return render(request, "gates/waiver_decide.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Take back what one asked for."""
    found = _waiver(request, number)
    form = WithdrawWaiverForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        withdraw_waiver(waiver=found, by=_user(request), reason=form.cleaned_data["reason"])
        messages.success(request, _("%(waiver)s is withdrawn.") % {"waiver": found})
        return redirect("gates:waiver", number=number)
    lead = _("Nobody decides about it any more. You can ask again.")
    context = {"waiver": found, "form": form, "title": _("Withdraw %(waiver)s") % {"waiver": found}, "lead": lead}
    return render(request, "gates/waiver_end.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """End a waiver in force before its time."""
    found = _waiver(request, number)
    require(_user(request), "waiver.approve", found.use_case)
    form = RevokeWaiverForm(_posted(request), request=request)
    if away := form.detour():
        return away
    if request.method == "POST" and form.is_valid():
        revoke_waiver(waiver=found, by=_user(request), reason=form.cleaned_data["reason"])
        messages.success(request, _("%(waiver)s is revoked.") % {"waiver": found})
        return redirect("gates:waiver", number=number)
    lead = _("The criterion counts again at once: votes on an open review lapse, and a gate passed on it is at risk.")
    context = {"waiver": found, "form": form, "title": _("Revoke %(waiver)s") % {"waiver": found}, "lead": lead}
    return render(request, "gates/waiver_end.html", context, status=422 if form.errors else 200)


def _waiver(request: HttpRequest, number: int) -> Waiver:
    found = waivers_for(_user(request)).filter(number=number).first()
    if found is None:
        raise Http404
    return found


def _asked_for(use_case: UseCase, gate: str, criterion: str) -> Waiver | None:
    same = Waiver.objects.filter(use_case=use_case, gate=gate, criterion=criterion)
    return same.filter(state=Waiver.State.REQUESTED).first()


def _renewed(request: HttpRequest, use_case: UseCase) -> Waiver | None:
    number = request.GET.get("renews", "")
    if not number:
        return None
    if not number.isdecimal() or len(number) > 9:
        raise Http404
    return get_object_or_404(waivers_for(_user(request)), number=int(number), use_case=use_case)


def _filtered(rows: Any, form: WaiverFilter) -> Any:
    if not form.is_valid():
        return rows
    wanted = form.cleaned_data
    if wanted["q"]:
        text = wanted["q"].strip()
        number = text.upper().removeprefix("W-")
        match = Q(use_case__name__icontains=text) | Q(use_case__key__icontains=text) | Q(criterion__iexact=text)
        rows = rows.filter(match | Q(number=int(number)) if number.isdecimal() and len(number) < 9 else match)
    if wanted["state"]:
        rows = waivers_by_state(rows, wanted["state"], timezone.now())
    if wanted["tier"]:
        rows = rows.filter(tier=wanted["tier"])
    return rows


def _explain(form: Any, wrong: DomainError) -> None:
    """Put a refusal of a service where the person looks: at its field, or at the top of the form."""
    named = {name: lines for name, lines in (wrong.errors or {}).items() if name in form.fields}
    if not named:
        form.add_error(None, f"{wrong} {wrong.hint}".strip())
    for name, lines in named.items():
        for line in lines:
            form.add_error(name, line)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
