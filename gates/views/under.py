"""What another version of the policy would say of a review, beside the one it is pinned to."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse

from accounts.models import User
from gates.policy_access import chosen_version, versions_to_compare
from gates.selectors import reviews_for
from gates.under import under_version
from kernel.htmx import render


@login_required
def under(request: HttpRequest, number: int) -> HttpResponse:
    """Both versions judged over the facts of now. ``?version=`` is a label; without it, the version in force."""
    user = cast(User, request.user)
    review = reviews_for(user).filter(number=number).first()
    if review is None:
        raise Http404
    choices = versions_to_compare(review, user)
    wanted = request.GET.get("version", "")
    chosen = chosen_version(review, user, wanted)
    if wanted and chosen is None:
        raise Http404
    context = {
        "review": review,
        "use_case": review.use_case,
        "choices": choices,
        "chosen": chosen,
        "pinned_version": review.policy_version,
        "under": under_version(review, chosen) if chosen else None,
    }
    return render(request, "gates/review_under.html", context)
