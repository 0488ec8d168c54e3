"""Review calls: what is owed and until when, and calling reviews of the use cases that a change of law concerns."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts.access import can, for_user, require
from accounts.models import User
from gates.call_days import under_way
from gates.forms.review_calls import CallForm, ConcernedFilter, ReviewCallFilter
from gates.in_force import primary
from gates.models import GateAssurance, ReviewCall
from gates.obligations import calls_for
from gates.review_owed import responsible_for
from gates.services.review_calls import MOST_AT_ONCE, RIGHT, call_review
from kernel.errors import DomainError
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from portfolio.models import Status, UseCase
from portfolio.views.common import person_of

SHOWN = 50
COLUMNS = (
    Column("due", gettext_lazy("Due"), "due_at", value=lambda c: c.due_at),
    Column("use_case", gettext_lazy("Use case"), "use_case__name", value=lambda c: c.use_case.name),
    Column("gate", gettext_lazy("Gate"), "gate"),
    Column("cause", gettext_lazy("Why"), "cause", value=lambda c: f"{c.get_cause_display()}: {c.text}"),
    Column("who", gettext_lazy("Who sees to it")),
    Column("called", gettext_lazy("Called"), "called_at", largest_first=True, value=lambda c: c.called_at),
)


@login_required
def review_calls(request: HttpRequest) -> HttpResponseBase:
    """Reviews that are owed; those settled on request."""
    person, now = person_of(request), timezone.now()
    form = ReviewCallFilter(request.GET)
    rows = _filtered(calls_for(person), form)
    table: TableState[ReviewCall] = TableState.from_request(request, columns=COLUMNS, default_sort="due")
    if table.export_format:
        return export_rows(table.export_format, "review-calls", _exported(rows), table.order(rows).iterator())
    shown = table.paginate(rows)
    page = list(shown.page)
    _version, policy = primary()
    extra = {
        "gates": policy.gates,
        "now": now,
        "people": responsible_for({c.use_case_id for c in page if c.settled_at is None}),
        "reviews": under_way(page),
    }
    context = {"table": shown, "form": form, "extra": extra, "may_call": can(person, RIGHT)}
    return render(request, "gates/review_calls.html", context, partial="table")


@login_required
@require_http_methods(["GET", "POST"])
def call(request: HttpRequest) -> HttpResponse:
    """Choose the use cases that something concerns, say what, and call their reviews."""
    person = person_of(request)
    require(person, RIGHT)
    narrow = ConcernedFilter(request.GET)
    rows = _concerned(person, narrow)
    form = CallForm(request.POST if request.method == "POST" else None)
    ticked = request.POST.getlist("use_case") if request.method == "POST" else []
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        chosen = rows if given["everything"] else rows.filter(key__in=ticked)
        try:
            made = call_review(
                use_cases=list(chosen[: MOST_AT_ONCE + 1]), cause=given["cause"], text=given["text"], by=person
            )
        except DomainError as wrong:
            for said in wrong.errors.values() or [[str(wrong)]]:
                form.add_error(None, " ".join(said))
        else:
            words = ngettext("%(n)d review is called.", "%(n)d reviews are called.", len(made)) % {"n": len(made)}
            messages.success(request, f"{words} {_('Who has to hold them has been told.')}")
            return redirect("gates:review_calls")
    context = {
        "rows": rows[:SHOWN],
        "total": rows.count(),
        "shown": SHOWN,
        "narrow": narrow,
        "form": form,
        "ticked": ticked,
    }
    return render(request, "gates/review_call.html", context, status=422 if form.errors else 200)


def _exported(rows: QuerySet[ReviewCall]) -> tuple[Column, ...]:
    """The columns of a file, with the people by name."""
    people = responsible_for(set(rows.values_list("use_case_id", flat=True)))

    def names(found: ReviewCall) -> str:
        return ", ".join(str(person) for person in people.get(found.use_case_id, ()))

    return tuple(Column("who", c.label, value=names) if c.key == "who" else c for c in COLUMNS)


def _filtered(rows: QuerySet[ReviewCall], form: ReviewCallFilter) -> QuerySet[ReviewCall]:
    given = form.cleaned_data if form.is_valid() else {}
    state = given.get("state") or "owed"
    if state in ("owed", "late"):
        rows = rows.filter(settled_at__isnull=True)
    if state == "late":
        rows = rows.filter(due_at__lte=timezone.now())
    if state == "settled":
        rows = rows.filter(settled_at__isnull=False)
    if given.get("cause"):
        rows = rows.filter(cause=given["cause"])
    if text := given.get("q", "").strip():
        meant = Q(use_case__name__icontains=text) | Q(use_case__key__icontains=text) | Q(text__icontains=text)
        rows = rows.filter(meant)
    return rows


def _concerned(person: User, form: ConcernedFilter) -> QuerySet[UseCase]:
    """Use cases under an approval that the person may call a review of, as the filter narrows them."""
    approved = GateAssurance.objects.values("use_case")
    rows = for_user(UseCase.objects.select_related("unit"), person, RIGHT).filter(pk__in=approved)
    rows = rows.exclude(status=Status.CLOSED).order_by("key")
    given: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    for name in ("stage", "tier"):
        if given.get(name):
            rows = rows.filter(**{name: given[name]})
    if text := given.get("q", "").strip():
        rows = rows.filter(Q(name__icontains=text) | Q(key__icontains=text) | Q(unit__name__icontains=text))
    if law := given.get("jurisdiction", "").strip():
        rows = rows.annotate(places=Cast("jurisdictions", TextField()), laws=Cast("regulations", TextField())).filter(
            Q(places__icontains=law) | Q(laws__icontains=law)
        )
    return rows
