"""What reviewers found of a use case's outputs, the plan that draws them, and the result on record."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.models import ModelVersion, ValidationRun
from kernel.htmx import render
from monitoring import services
from monitoring.forms.outputs import SamplingPlanForm
from monitoring.intervals import Interval
from monitoring.models import Output, ReviewItem, SamplingPlan, Series
from monitoring.review_measures import SOURCE, verdict_on
from monitoring.reviewing import CONFIGURE
from monitoring.selectors.review_statistics import Statistics, Tally, statistics_of
from monitoring.views.common import form_page, panel_url
from portfolio.models import UseCase
from portfolio.views.common import allow, find_use_case, person_of

RECORD = "validation.record"
LEAST_PAIRS = 10
METRICS = ("disagreement", "override_rate", "review_coverage", "review_backlog", "review_time")


@require_safe
@login_required
def page(request: HttpRequest, key: str) -> HttpResponse:
    """Shares with their intervals by version and segment, the queue, and what became of it."""
    use_case = find_use_case(request, key)
    allowed = allow(request, use_case, "use_case.view")
    plan = SamplingPlan.objects.filter(use_case=use_case).first()
    context: dict[str, Any] = {
        "use_case": use_case,
        "plan": plan,
        "panel_url": panel_url(use_case),
        "may_configure": CONFIGURE in allowed,
        "may_record": RECORD in allowed,
        "outputs": Output.objects.filter(use_case=use_case).count(),
    }
    if plan is not None:
        context |= _figures(plan)
    return render(request, "monitoring/outputs/statistics.html", context, partial="statistics")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def plan(request: HttpRequest, key: str) -> HttpResponse:
    """Say which outputs people look at."""
    use_case = find_use_case(request, key)
    allow(request, use_case, CONFIGURE)
    row = SamplingPlan.objects.filter(use_case=use_case).first() or SamplingPlan(use_case=use_case)
    form = SamplingPlanForm(request.POST or None, plan=row)
    url = reverse("monitoring:review_statistics", args=[use_case.key])
    return form_page(
        request,
        form,
        lambda: services.set_sampling_plan(use_case=use_case, plan=form.values(), by=person_of(request)),
        done=lambda _plan: url,
        said=_("The plan holds for every output that comes from now on."),
        use_case=use_case,
        title=_("Which outputs people look at"),
        lead=_("Drawn by a hash of the output's identifier: sent again, the same outputs are drawn."),
        submit=_("Save the plan"),
        cancel_url=url,
    )


@require_POST
@login_required
def record(request: HttpRequest, key: str, pk: UUID) -> HttpResponse:
    """Put the reviews of a version on record as its validation run."""
    use_case = find_use_case(request, key)
    allow(request, use_case, RECORD)
    version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=pk, model__use_case=use_case)
    run = services.record_review_result(use_case=use_case, version=version, by=person_of(request))
    messages.success(request, _("Recorded as a validation run: %(verdict)s.") % {"verdict": run.get_verdict_display()})
    return redirect("monitoring:review_statistics", use_case.key)


def _figures(plan: SamplingPlan) -> dict[str, Any]:
    found = statistics_of(plan, timezone.now())
    versions = ModelVersion.objects.select_related("model").in_bulk([pk for pk in found.by_version if pk])
    runs = ValidationRun.objects.filter(use_case=plan.use_case_id, source=SOURCE).select_related("version__model")
    series = Series.objects.filter(use_case=plan.use_case_id, metric__in=METRICS, last_time__isnull=False)
    return {
        "found": found,
        "stats": _stats(plan.use_case, found),
        "versions": [_line(plan, tally, versions.get(pk) if pk else None, found) for pk, tally in _sorted(found)],
        "segments": [
            _line(plan, tally, versions.get(pk) if pk else None, found, segment=segment)
            for (pk, segment), tally in sorted(found.by_segment.items(), key=lambda pair: -pair[1].n)
        ],
        "reasons": [
            {"label": ReviewItem.Why(why).label, "tally": tally, "share": _percent(tally.disagreement)}
            for why, tally in sorted(found.by_reason.items())
        ],
        "runs": runs.order_by("-performed_at")[:5],
        "series": series.select_related("version").order_by("metric", "segment", "pk")[:30],
        "no_random": plan.enabled and not plan.random_percent,
    }


def _sorted(found: Statistics) -> list[tuple[UUID | None, Tally]]:
    return sorted(found.by_version.items(), key=lambda pair: -pair[1].n)


def _line(
    plan: SamplingPlan, tally: Tally, version: ModelVersion | None, found: Statistics, segment: str = ""
) -> dict[str, Any]:
    verdict = verdict_on(tally, plan)
    return {
        "version": version,
        "segment": segment,
        "tally": tally,
        "share": _percent(tally.disagreement),
        "interval": _interval(tally.disagreement),
        "override": _percent(tally.override_rate),
        "reviewers": found.reviewers.get(version.pk if version else None, 0),
        "verdict": verdict,
        "tone": {"fail": "blocked", "pass": "met"}.get(verdict, "neutral"),
        "icon": {"fail": "error", "pass": "check"}.get(verdict, "hourglass"),
        "words": {
            "fail": _("Above %(most)s %%") % {"most": f"{plan.most_disagreement:g}"},
            "pass": _("Within %(most)s %%") % {"most": f"{plan.most_disagreement:g}"},
        }.get(verdict, _("%(n)d of %(least)d needed") % {"n": tally.n, "least": plan.min_sample}),
    }


def _stats(use_case: UseCase, found: Statistics) -> list[dict[str, Any]]:
    listed = f"{reverse('monitoring:outputs')}?use_case={use_case.key}"
    enough = found.pairs >= LEAST_PAIRS
    coverage = None if found.coverage is None else f"{found.coverage:.1f}"
    return [
        {"label": _("Waiting"), "value": found.waiting, "url": f"{listed}&review=waiting", "tone": "", "icon": ""},
        {
            "label": _("Overdue"),
            "value": found.overdue,
            "url": f"{listed}&review=overdue",
            "tone": "attention" if found.overdue else "",
            "icon": "hourglass" if found.overdue else "",
        },
        {
            "label": _("Reviewed of those due"),
            "value": coverage or "–",
            "unit": "%" if coverage else "",
            "note": _("%(given)d of %(owed)d in the window") % {"given": found.given, "owed": found.owed},
        },
        {
            "label": _("Agreement of two reviewers"),
            "value": f"{found.agreement:.2f}" if found.agreement is not None and enough else "–",
            "unit": "κ" if found.agreement is not None and enough else "",
            "note": _("Cohen's kappa, %(n)d outputs") % {"n": found.pairs}
            if enough
            else _("%(n)d of %(least)d outputs needed") % {"n": found.pairs, "least": LEAST_PAIRS},
        },
        {
            "label": _("Median time of a review"),
            "value": "–" if found.seconds is None else f"{found.seconds:.0f}",
            "unit": "" if found.seconds is None else "s",
            "note": _("Very short times point to automation bias"),
        },
    ]


def _percent(share: Interval | None) -> str:
    return f"{100 * share.value:.1f}" if share else "–"


def _interval(share: Interval | None) -> str:
    return _("%(low).1f to %(high).1f") % {"low": 100 * share.low, "high": 100 * share.high} if share else "–"
