"""What another version of the policy would say of a review, beside the one it is pinned to."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse

from accounts.models import User
from gates.in_force import policy_for
from gates.models import PolicyVersion, Review
from gates.policy_access import drafts_for
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
    chosen = chosen_version(review, user, request.GET.get("version", ""))
    context = {
        "review": review,
        "use_case": review.use_case,
        "choices": choices,
        "chosen": chosen,
        "pinned_version": review.policy_version,
        "under": under_version(review, chosen) if chosen else None,
    }
    return render(request, "gates/review_under.html", context)


def versions_to_compare(review: Review, user: User) -> list[PolicyVersion]:
    """Other versions of what judges this use case: of its policy, and of the one that is in force for it today."""
    today = policy_for(review.use_case)[0].policy_id
    rows = PolicyVersion.objects.filter(policy__in={today, review.policy_version.policy_id})
    readable = Q(state__in=("published", "superseded")) | Q(pk__in=drafts_for(user).exclude(state="discarded"))
    rows = rows.filter(readable).exclude(pk=review.policy_version_id)
    return list(rows.select_related("policy__unit").order_by("-created_at")[:30])


def chosen_version(review: Review, user: User, label: str) -> PolicyVersion | None:
    """The version asked for, as label or key:label; without one, what is in force when that is another one."""
    if not label:
        version = policy_for(review.use_case)[0]
        return version if version.pk != review.policy_version_id else None
    for version in [*versions_to_compare(review, user), review.policy_version]:
        if label in (version.label, f"{version.policy.key}:{version.label}", str(version.pk)):
            return version
    raise Http404
