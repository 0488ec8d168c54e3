"""The queue of a reviewer: how the day goes, the output on the screen, the verdict, the way back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, F, Min, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actions_on, can, for_user
from accounts.models import User
from kernel.htmx import render
from monitoring import services
from monitoring.forms.outputs import AgainstForm, OverrideForm
from monitoring.models import Answer, ReviewItem, Verdict
from monitoring.reviewing import DONE, OVERRIDE, REVIEW, UNDO, WAITING, kept_from, offered
from monitoring.views.common import VIEW
from monitoring.views.outputs import facts_of, fields_of, review_tabs
from monitoring.views.overview import section_tabs
from portfolio.views.common import attempt, person_of

MINE_SHOWN = 10


@require_safe
@login_required
def queue(request: HttpRequest) -> HttpResponse:
    """How much waits, for which use cases, and what one said lately."""
    user = person_of(request)
    now = timezone.now()
    free = offered(user, now)
    counted = free.order_by().values("output__use_case__key", "output__use_case__name")
    context = {
        "progress": progress_of(user),
        "waits": counted.annotate(
            n=Count("pk"), overdue=Count("pk", filter=Q(due_at__lt=now)), next_due=Min("due_at")
        ).order_by("next_due"),
        "kept": kept_from(user).count(),
        "mine": list(free.filter(claimed_by=user, leased_until__gt=now)[:1]),
        "verdicts": _mine(user),
        "may_review": can(user, REVIEW),
        "tabs": section_tabs("output_queue"),
        "sub_tabs": review_tabs("output_queue"),
        "now": now,
    }
    return render(request, "monitoring/outputs/queue.html", context, partial="queue")


@require_POST
@login_required
def take_next(request: HttpRequest) -> HttpResponse:
    """The next output of one's queue."""
    user = person_of(request)
    item = services.claim_next(by=user)
    if item is None:
        messages.info(request, _("Nothing is left for you to review."))
        return redirect("monitoring:output_queue")
    return redirect("monitoring:output_review", item.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def review(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The output that one has claimed, and one's verdict on it; the next one follows."""
    item = _find(request, pk)
    user = person_of(request)
    if request.method == "POST":
        return _answer(request, item)
    if item.state != WAITING or item.claimed_by_id != user.pk:
        return redirect("monitoring:output", item.output_id)
    return _page(request, item)


@require_POST
@login_required
def skip(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Leave it to others and go on."""
    services.skip_output(item=_find(request, pk), by=person_of(request))
    messages.info(request, _("Passed on: somebody else will look at it."))
    return take_next(request)


@require_POST
@login_required
def take_back(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take back what one said a few minutes ago."""
    user = person_of(request)
    verdict = get_object_or_404(for_user(Verdict.objects.filter(reviewer=user), user, VIEW), pk=pk)
    item = services.take_back_verdict(verdict=verdict, by=user)
    messages.success(request, _("Taken back, which is on record too. Review it again."))
    return redirect("monitoring:output_review", item.pk)


def progress_of(user: User) -> dict[str, int]:
    """What one reviewed today (UTC), and what that and the rest of the queue come to."""
    now = timezone.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    done = ReviewItem.objects.filter(state=DONE, reviewer=user, answered_at__gte=midnight).count()
    return {"done": done, "all": done + offered(user, now).count()}


def _answer(request: HttpRequest, item: ReviewItem) -> HttpResponse:
    answer = request.POST.get("answer", "")
    form = {Answer.DISAGREE.value: AgainstForm, Answer.OVERRIDE.value: OverrideForm}.get(answer)
    user = person_of(request)
    if form is None:
        services.review_output(item=item, answer=answer, by=user)
        return _said(request)
    bound = form(request.POST, prefix=answer)
    if bound.is_valid():
        call = lambda: services.review_output(item=item, answer=answer, by=user, **bound.cleaned_data)  # noqa: E731
        if attempt(bound, call) is not None:
            return _said(request)
    return _page(request, item, **{answer: bound})


def _said(request: HttpRequest) -> HttpResponse:
    messages.success(request, _("Recorded. You can take it back for 10 minutes, in your queue."))
    return take_next(request)


def _page(request: HttpRequest, item: ReviewItem, **bound: AgainstForm) -> HttpResponse:
    user = person_of(request)
    output = item.output
    context = {
        "item": item,
        "output": output,
        "use_case": output.use_case,
        "facts": [
            *facts_of(output),
            {"label": _("Drawn"), "value": item.get_why_display()},
            {"label": _("Due"), "value": f"{item.due_at:%Y-%m-%d %H:%M} UTC"},
        ],
        "fields": fields_of(output),
        "disagree": bound.get("disagree") or AgainstForm(prefix="disagree"),
        "override": bound.get("override") or OverrideForm(prefix="override"),
        "may_override": OVERRIDE in actions_on(user, output.use_case),
        "progress": progress_of(user),
        "is_overdue": item.due_at < timezone.now(),
    }
    status = 422 if bound else 200
    return render(request, "monitoring/outputs/review.html", context, partial="review", status=status)


def _find(request: HttpRequest, pk: UUID) -> ReviewItem:
    related = ("output__use_case__unit", "output__version__model", "output__acted_by")
    return get_object_or_404(for_user(ReviewItem.objects.select_related(*related), person_of(request), VIEW), pk=pk)


def _mine(user: User) -> list[dict[str, Any]]:
    """One's newest verdicts that stand, and whether they can be taken back still."""
    rows = (
        Verdict.objects.filter(reviewer=user, taken_back_by__isnull=True, item__reviewer=F("reviewer"))
        .exclude(kind=Verdict.Kind.WITHDRAWN)
        .select_related("item__output__use_case")
        .order_by("-at")[:MINE_SHOWN]
    )
    since = timezone.now() - UNDO
    return [{"verdict": verdict, "output": verdict.item.output, "can_undo": verdict.at > since} for verdict in rows]
