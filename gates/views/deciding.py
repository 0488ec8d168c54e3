"""Decide a review: who may choose what, what each outcome asks for, what stands against a go."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import can, require
from accounts.models import User
from gates.forms.deciding import DecideForm
from gates.models import Review
from gates.selectors import policy_of, review_or_none
from gates.services.choices import Choice, choices_for
from gates.services.decisions import decide as decide_review
from gates.services.decisions import readiness, refusal_to_decide, right_for
from gates.services.outcomes import GO, STOP
from kernel.errors import DomainError


@login_required
@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """Decide an open review; ``?outcome=`` chooses one beforehand."""
    person = cast(User, request.user)
    review = review_or_none(person, number)
    if review is None:
        raise Http404
    _require_a_right(review, person)
    ready = readiness(review)
    choices = choices_for(review, person, ready)
    first = {"digest": review.digest, "outcome": _first(choices, request.GET.get("outcome", ""))}
    posted = request.POST if request.method == "POST" else None
    form = DecideForm(posted, request=request, review=review, choices=choices, initial=first)
    if away := form.detour():
        return away
    if request.method == "POST" and form.is_valid():
        try:
            made = decide_review(review=review, by=person, **form.decision())
        except DomainError as wrong:
            form.explain(wrong)
        else:
            messages.success(request, _("Decided: %(outcome)s.") % {"outcome": made.get_outcome_display()})
            return redirect("gates:review", number=number)
    policy = policy_of(review)
    context = {
        "review": review,
        "use_case": review.use_case,
        "policy": policy,
        "gate": policy.gates[review.gate],
        "readiness": ready,
        "form": form,
    }
    return render(request, "gates/decide.html", context, status=422 if form.errors else 200)


def _require_a_right(review: Review, person: User) -> None:
    if not any(can(person, right_for(outcome), review.use_case) for outcome in (GO, STOP)):
        require(person, right_for(GO), review.use_case)
    if why_not := refusal_to_decide(review, person):
        raise PermissionDenied(why_not)


def _first(choices: list[Choice], wanted: str) -> str:
    """The outcome asked for if it can be chosen, else the first that can."""
    open_now = [c.key for c in choices if not c.why_not]
    return wanted if wanted in open_now else (open_now[0] if open_now else "")
