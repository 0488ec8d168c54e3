"""Reviews: the list, one review, and the steps that change it. Each step calls one service."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import for_user, require
from accounts.models import User
from gates.forms import ReviewFilter, SubmitForm, WithdrawForm
from gates.in_force import primary
from gates.models import Review
from gates.presenting import finding_rows
from gates.selectors import reviews_for
from gates.services.reviews import refresh_review, submit_review, withdraw_review
from gates.settling import forms_open_to
from gates.standing import judge_now
from gates.views.review_page import review_context
from kernel.errors import Conflict, DomainError
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from monitoring.forms.filters import in_unit
from portfolio.models import UseCase

COLUMNS = (
    Column("number", gettext_lazy("Review"), "number", largest_first=True),
    Column("use_case", gettext_lazy("Use case"), "use_case__name"),
    Column("gate", gettext_lazy("Gate"), "gate"),
    Column("tier", gettext_lazy("Tier"), "tier"),
    Column("state", gettext_lazy("State"), "state"),
    Column("due", gettext_lazy("Due"), "due_at"),
    Column("submitted", gettext_lazy("Submitted"), "submitted_at", largest_first=True),
)


@login_required
def reviews(request: HttpRequest) -> HttpResponseBase:
    """Every review of the use cases the person may see."""
    _version, policy = primary()
    form = ReviewFilter(request.GET, gates=[(g.key, g.title) for g in policy.gates.values()])
    rows = _filtered(reviews_for(_user(request)), form)
    table: TableState[Review] = TableState.from_request(request, columns=COLUMNS, default_sort="-submitted")
    if table.export_format:
        return export_rows(table.export_format, "reviews", table.columns, table.order(rows).iterator())
    context = {"table": table.paginate(rows), "form": form, "gates": policy.gates, "now": timezone.now()}
    return render(request, "gates/reviews.html", context, partial="table")


@login_required
def review(request: HttpRequest, number: int) -> HttpResponse:
    """One review: snapshot, findings, sign-offs, and the decision box."""
    found = _review(request, number)
    return render(request, "gates/review.html", review_context(found, _user(request)))


@login_required
@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest, key: str) -> HttpResponse:
    """Submit the next gate of a use case (or ``?gate=``): what will be frozen, who will be asked, one button."""
    use_case = get_object_or_404(
        for_user(UseCase.objects.select_related("unit"), _user(request), "use_case.view"), key=key
    )
    require(_user(request), "gate.submit", use_case)
    results = [r for r in judge_now(use_case, request.GET.get("gate") or None) if r.policy.primary]
    if not results:
        raise Conflict(_("%(key)s has no next gate: it has ended.") % {"key": use_case.key})
    result = results[0]
    may_use = forms_open_to(_user(request), use_case)
    form = SubmitForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = submit_review(
                use_case=use_case, gate=result.gate.key, by=_user(request), message=form.cleaned_data["message"]
            )
        except DomainError as wrong:
            _explain(form, wrong)
        else:
            messages.success(request, _("%(review)s is submitted; its signers have been told.") % {"review": made})
            return redirect("gates:review", number=made.number)
    context = {
        "use_case": use_case,
        "result": result,
        "gate": result.gate,
        "slots": result.policy.slots(result.gate.key, result.tier),
        "open_rows": [row for row in finding_rows(result, use_case.key, may_use=may_use) if row.blocks],
        "form": form,
    }
    return render(request, "gates/submit.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Take a review back."""
    found = _review(request, number)
    require(_user(request), "gate.submit", found.use_case)
    form = WithdrawForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        withdraw_review(review=found, by=_user(request), reason=form.cleaned_data["reason"])
        messages.success(request, _("%(review)s is withdrawn.") % {"review": found})
        return redirect("gates:review", number=number)
    context = {"review": found, "use_case": found.use_case, "form": form}
    return render(request, "gates/withdraw.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def refresh(request: HttpRequest, number: int) -> HttpResponse:
    """Compare the snapshot with the facts of now; take it again when they differ."""
    found = _review(request, number)
    _fresh, changed = refresh_review(review=found, by=_user(request))
    if changed:
        messages.warning(
            request, _("The snapshot was taken again; this changed: %(what)s.") % {"what": ", ".join(changed)}
        )
    else:
        messages.info(request, _("Nothing changed since the snapshot was taken."))
    return redirect("gates:review", number=number)


def _review(request: HttpRequest, number: int) -> Review:
    found = reviews_for(_user(request)).filter(number=number).first()
    if found is None:
        raise Http404
    return found


def _filtered(rows: Any, form: ReviewFilter) -> Any:
    if not form.is_valid():
        return rows
    wanted = form.cleaned_data
    if wanted["q"]:
        text = wanted["q"].strip()
        number = text.upper().removeprefix("R-")
        match = Q(use_case__name__icontains=text) | Q(use_case__key__icontains=text)
        rows = rows.filter(match | Q(number=int(number)) if number.isdecimal() and len(number) < 9 else match)
    if wanted["unit"]:
        rows = rows.filter(in_unit("use_case__unit", wanted["unit"]))
    if wanted["state"] == "late":
        rows = rows.filter(state=Review.State.OPEN, due_at__lte=timezone.now())
    for name in ("state", "gate", "tier"):
        if wanted[name] and wanted[name] != "late":
            rows = rows.filter(**{name: wanted[name]})
    return rows


def _explain(form: Any, wrong: DomainError) -> None:
    """Put a refusal of a service where the person looks: at its field, or at the top of the form."""
    form.add_error(None, f"{wrong} {wrong.hint}".strip())
    for name, lines in (wrong.errors or {}).items():
        for line in lines:
            form.add_error(name if name in form.fields else None, line)


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was sent; also when that is nothing at all, which ``request.POST or None`` would take for a first visit."""
    return request.POST if request.method == "POST" else None


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
