"""Declared interests: one's own list, declare one, say that it has ended."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import VIEW, for_user
from accounts.models import User
from gates.forms.boards import InterestForm
from gates.models import Review
from gates.selectors import reviews_for
from gates.services import boards
from gates.services.boards.reading import interests_of
from kernel.errors import DomainError
from kernel.htmx import render
from portfolio.models import UseCase


@login_required
def interests(request: HttpRequest) -> HttpResponse:
    """What the person declared."""
    user = cast(User, request.user)
    return render(request, "gates/board/interests.html", {"interests": list(interests_of(user)[:200])})


@login_required
@require_http_methods(["GET", "POST"])
def declare(request: HttpRequest, key: str) -> HttpResponse:
    """Declare an interest in a use case, or (``?review=``) in one of its open reviews."""
    user = cast(User, request.user)
    use_case = get_object_or_404(for_user(UseCase.objects.select_related("unit"), user, VIEW), key=key)
    asked = request.GET.get("review", "")
    about: Review | None = None
    if asked.isdecimal() and len(asked) < 10:
        about = reviews_for(user).filter(number=int(asked), use_case=use_case, state=Review.State.OPEN).first()
    form = InterestForm(request.POST if request.method == "POST" else None, review=about, name=use_case.name)
    if request.method == "POST" and form.is_valid():
        target = {"review": about} if form.cleaned_data["scope"] == "review" else {"use_case": use_case}
        try:
            boards.recuse(by=user, reason=form.cleaned_data["reason"], **target)
        except DomainError as wrong:
            form.add_error(None, f"{wrong} {wrong.hint}".strip())
        else:
            messages.success(request, _("Your interest is on record: you take no part in deciding about this."))
            return redirect("gates:interests")
    context = {"form": form, "use_case": use_case, "review": about}
    return render(request, "gates/board/declare.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say that an interest has ended."""
    user = cast(User, request.user)
    row = get_object_or_404(interests_of(user), pk=pk)
    try:
        boards.take_back(recusal=row, by=user)
    except DomainError as wrong:
        messages.error(request, f"{wrong} {wrong.hint}".strip())
    else:
        messages.success(request, _("It is on record that this has ended."))
    return redirect("gates:interests")
