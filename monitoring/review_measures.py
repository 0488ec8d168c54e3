"""From verdicts to series and to the gate: findings become points, and too much disagreement fails a version.

Points of a share are written only from the plan's least sample on, so that one disagreement of one review is no alarm.
A version that people disagree with too often gets a failed validation run, once: until somebody records another result
for it, the failure stands. The product records failures alone; whether a version has passed is for people to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.people import holders
from governance.models import ModelVersion, ValidationRun
from governance.services import record_validation
from kernel.canonical import digest as canonical_digest
from kernel.database import lock_rows
from ledger import SYSTEM, UnitOfWork, unit_of_work
from monitoring import ingest
from monitoring.addressing import make_series
from monitoring.ingest import Home
from monitoring.intervals import Interval
from monitoring.models import ReviewItem, SamplingPlan
from monitoring.newest import Row
from monitoring.reviewing import WAITING
from monitoring.selectors.review_statistics import Statistics, Tally, statistics_of
from monitoring.wire import time_text
from notify.services import tell
from portfolio.signals import announce_change

KIND, SOURCE = "performance_live", "Review of sampled outputs"
EVERY = timedelta(hours=1)
TOLD = ("technical_lead", "business_owner")


def owed(now: datetime) -> list[UUID]:
    """Use cases whose statistics are to be written: somebody reviewed, or the backlog of a queue grew older."""
    waiting = ReviewItem.objects.filter(output__use_case=OuterRef("use_case"), state=WAITING)
    aged = Q(Exists(waiting)) & (Q(measured_at__isnull=True) | Q(measured_at__lt=now - EVERY))
    return list(SamplingPlan.objects.filter(Q(measure_asked_at__isnull=False) | aged).values_list("pk", flat=True))


def measure(use_case_id: UUID) -> list[int]:
    """Write the statistics of one use case; returns the series whose rules are to be judged."""
    now = timezone.now()
    with unit_of_work(by=SYSTEM) as uow:
        rows = SamplingPlan.objects.select_related("use_case__unit").filter(pk=use_case_id)
        plan = lock_rows(rows).first()
        if plan is None:
            return []
        statistics = statistics_of(plan, now)
        stored = _write(uow, plan, statistics)
        _fail_versions(plan, statistics)
        plan.measured_at, plan.measure_asked_at = now, None
        plan.save(update_fields=["measured_at", "measure_asked_at"])
    return stored


def verdict_on(tally: Tally, plan: SamplingPlan) -> str:
    """What the reviews say of a version: ``fail`` above the share, ``pass`` up to it, ``inconclusive`` on too few."""
    if tally.disagreement is None or tally.n < plan.min_sample:
        return ValidationRun.Verdict.INCONCLUSIVE
    is_fail = 100 * tally.disagreement.value > plan.most_disagreement
    return ValidationRun.Verdict.FAIL if is_fail else ValidationRun.Verdict.PASS


def run_of(plan: SamplingPlan, statistics: Statistics, version: ModelVersion) -> dict[str, Any]:
    """The validation run that the reviews of a version amount to, as ``record_validation`` takes it."""
    tally = statistics.by_version.get(version.pk, Tally())
    words = _(
        "%(against)d of %(n)d outputs drawn at random were judged wrong in %(days)d days; the most is %(most)s %%."
    )
    said = {"against": tally.against, "n": tally.n, "days": plan.window_days, "most": f"{plan.most_disagreement:g}"}
    metrics = {}
    if tally.disagreement and tally.override_rate:
        metrics = {
            "disagreement": percent(tally.disagreement.value),
            "disagreement_low": percent(tally.disagreement.low),
            "disagreement_high": percent(tally.disagreement.high),
            "override_rate": percent(tally.override_rate.value),
        }
    return {
        "use_case": plan.use_case,
        "kind": KIND,
        "verdict": verdict_on(tally, plan),
        "version": version,
        "metrics": metrics,
        "sample_size": tally.n,
        "reviewers": statistics.reviewers.get(version.pk, 0),
        "summary": words % said,
        "source": SOURCE,
    }


def percent(share: float) -> Decimal:
    """A share as per cent with two decimals."""
    return Decimal(repr(100 * share)).quantize(Decimal("0.01"))


def _write(uow: UnitOfWork, plan: SamplingPlan, statistics: Statistics) -> list[int]:
    versions = ModelVersion.objects.in_bulk([pk for pk in statistics.by_version if pk is not None])
    rows: list[Row] = []
    for metric, version, segment, time, value, n in _values(plan, statistics):
        series = make_series(
            uow,
            use_case=plan.use_case,
            metric_key=metric,
            segment=segment,
            version=versions[version] if version is not None else None,
            expected_every_seconds=0,  # nobody owes reviews on a day on which nothing was drawn
        )
        rows.append((series.pk, time_text(time.replace(microsecond=0)), 0, value, n))
    if not rows:
        return []
    home = Home(plan.use_case.pk, plan.use_case.unit.path)
    digest = canonical_digest([[*row[:3], repr(row[3])] for row in rows])
    stored = ingest.store(uow, rows, home=home, digest=digest, now=statistics.at)
    if stored.stored:
        announce_change(uow, plan.use_case.pk, "metrics")
    return stored.to_judge


def _values(
    plan: SamplingPlan, statistics: Statistics
) -> Iterator[tuple[str, UUID | None, str, datetime, float, int | None]]:
    """Metric, version, segment, time, value, sample of every point."""
    tallies = [(version, "", tally) for version, tally in statistics.by_version.items()]
    tallies += [(version, segment, tally) for (version, segment), tally in statistics.by_segment.items()]
    for version, segment, tally in tallies:
        if tally.n < plan.min_sample or tally.newest is None:
            continue
        for metric, share in (("disagreement", tally.disagreement), ("override_rate", tally.override_rate)):
            assert isinstance(share, Interval)
            yield metric, version, segment, tally.newest, float(percent(share.value)), tally.n
    hour = statistics.at.replace(minute=0, second=0)
    if statistics.coverage is not None:
        yield "review_coverage", None, "", hour, round(statistics.coverage, 2), statistics.owed
    if statistics.seconds is not None:
        yield "review_time", None, "", hour, statistics.seconds, None
    yield "review_backlog", None, "", hour, round(statistics.backlog_hours, 2), statistics.waiting


def _fail_versions(plan: SamplingPlan, statistics: Statistics) -> None:
    failing = [pk for pk, tally in statistics.by_version.items() if pk and verdict_on(tally, plan) == "fail"]
    if not failing:
        return
    known = ValidationRun.objects.filter(version__in=failing, source=SOURCE).order_by("recorded_at")
    newest = dict(known.values_list("version_id", "verdict"))
    for version in ModelVersion.objects.filter(pk__in=failing).exclude(state="retired").select_related("model"):
        if newest.get(version.pk) != ValidationRun.Verdict.FAIL:
            run = record_validation(**run_of(plan, statistics, version), performed_at=statistics.at, by=SYSTEM)
            _tell(plan, run)


def _tell(plan: SamplingPlan, run: ValidationRun) -> None:
    use_case = plan.use_case
    people = {person.pk: person for role in TOLD for person in holders(role=role, use_case=use_case)}
    said = _("Reviewers fail version %(label)s: %(key)s %(name)s")
    tell(
        recipients=people.values(),
        kind="version.failed",
        title=(said % {"label": run.version, "key": use_case.key, "name": use_case.name})[:300],
        body=run.summary,
        url=reverse("monitoring:review_statistics", args=[use_case.key]),
        dedupe_key=f"version.failed:{run.pk}",
    )
