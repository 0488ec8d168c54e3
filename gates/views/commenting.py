"""Say something about a review."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gates.forms import CommentForm
from gates.selectors import review_or_none
from gates.services.comments import comment_on_review
from gates.views.review_page import criteria_choices, review_context
from kernel.htmx import render
from portfolio.views.common import person_of


@login_required
@require_POST
def comment(request: HttpRequest, number: int) -> HttpResponse:
    """Add a comment and come back to where it stands; what was typed stays when it was refused."""
    user = person_of(request)
    review = review_or_none(user, number)
    if review is None:
        raise Http404
    form = CommentForm(request.POST, criteria=criteria_choices(review))
    if not form.is_valid():
        context = {**review_context(review, user), "comment_form": form}
        return render(request, "gates/review.html", context, status=422)
    comment_on_review(review=review, by=user, **form.cleaned_data)
    messages.success(request, _("Your comment is added."))
    return redirect(f"{reverse('gates:review', kwargs={'number': number})}#comments")
