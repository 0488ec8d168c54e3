"""The home page: what waits for you, what is yours, what happened since you were here."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import can
from accounts.models import Preference
from kernel.htmx import render
from portfolio.models import Stage
from portfolio.selectors.home import news_since, next_event_index, own_use_cases, seen_until, waiting_for
from portfolio.selectors.listing import visible
from portfolio.selectors.numbers import numbers
from portfolio.views.common import person_of
from portfolio.views.drawing import dress

SINCE = "home_since"


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Everything on it is a link to where it can be dealt with."""
    user = person_of(request)
    since = _since(request)
    groups = waiting_for(user)
    own, own_total = own_use_cases(user)
    dress(own)
    context = {
        "groups": groups,
        "waiting": sum(len(group.items) for group in groups),
        "own": own,
        "own_total": own_total,
        "news": news_since(user, since or 0),
        "first_visit": since is None,
        "pulse": None if groups else _pulse(request),
        "may_create": can(user, "use_case.create"),
    }
    return render(request, "portfolio/home.html", context)


def _since(request: HttpRequest) -> int | None:
    """From which event on the news are new: fixed when a visit begins, so that a reload does not wipe them away."""
    if SINCE not in request.session:
        user = person_of(request)
        request.session[SINCE] = seen_until(user)
        Preference.objects.update_or_create(user=user, defaults={"seen_event_index": next_event_index()})
    since: int | None = request.session[SINCE]
    return since


def _pulse(request: HttpRequest) -> list[dict[str, object]]:
    """The portfolio in numbers, for when nothing waits."""
    counted = numbers(visible(person_of(request)), medians=False)
    address = reverse("portfolio:list")
    found: list[dict[str, object]] = [
        {"label": stage.label, "value": counted.by_stage.get(stage, 0), "href": f"{address}?stage={stage}"}
        for stage in Stage
        if stage not in (Stage.RETIRED, Stage.STOPPED)
    ]
    risk = counted.at_risk
    tone = {"tone": "attention", "icon": "warning"} if risk else {}
    return [*found, {"label": _("At risk"), "value": risk, "href": f"{address}?only=at_risk", **tone}]
