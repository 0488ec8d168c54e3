"""Signing: a step of its own, and the record of one signature."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import for_user
from accounts.models import User
from gates.forms import SignForm
from gates.models import Review, SignOff
from gates.scenes import expires_at, room_of
from gates.selectors import reviews_for
from gates.services.sign_offs import MEANINGS, meaning, sign
from gates.views.review_page import review_context, why_not_sign
from kernel.errors import Conflict, DomainError
from kernel.htmx import render


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def sign_off(request: HttpRequest, number: int) -> HttpResponse:
    """Sign: shows name, role, time, meaning and digest, and asks for the password unless it was just entered."""
    person = cast(User, request.user)
    found = _review(person, number)
    room = room_of(found)
    capacities = room.capacities(person) if found.is_open else []
    if not capacities:
        raise PermissionDenied(why_not_sign(found, person))
    posted = request.POST if request.method == "POST" else None
    form = SignForm(posted, capacities=capacities, initial={"digest": found.digest}, request=request)
    if posted is not None:
        answer = form.detour() or _signed(form, found, person)
        if answer is not None:
            return answer
    context = {
        **review_context(found, person, room),
        "form": form,
        "meanings": [
            (role, giver, [meaning(role, verdict, giver) for verdict in MEANINGS]) for role, giver in capacities
        ],
        "now": timezone.now(),
    }
    return render(request, "gates/sign.html", context, status=422 if form.errors else 200)


@login_required
@require_GET
def signature(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One signature as it is on record: name, UTC time, role, meaning (21 CFR 11.50)."""
    rows = SignOff.objects.select_related(
        "review__use_case", "review__policy_version__policy", "person", "on_behalf_of"
    )
    found = get_object_or_404(for_user(rows, cast(User, request.user), "use_case.view"), pk=pk)
    review = found.review
    context = {
        "vote": found,
        "review": review,
        "use_case": review.use_case,
        "expires_at": expires_at(found, review) if found.counts and review.is_open else None,
    }
    return render(request, "gates/signature.html", context)


def _signed(form: SignForm, review: Review, person: User) -> HttpResponse | None:
    if not form.is_valid() or form.proof is None:
        return None
    try:
        sign(review=review, by=person, method=form.proof.method, **form.given())
    except Conflict as stale:
        messages.error(form.request, f"{stale} {stale.hint}")
    except DomainError as wrong:
        form.explain(wrong)
        return None
    else:
        messages.success(form.request, _("Your signature is on record."))
    return _back(review)


def _back(review: Review) -> HttpResponse:
    return redirect("gates:review", number=review.number)


def _review(person: User, number: int) -> Review:
    found = reviews_for(person).filter(number=number).first()
    if found is None:
        raise Http404
    return found
