"""From verdicts to shares with their intervals, to series, and to a version that fails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gates.assurance import reassess
from gates.facts.validation import ValidationRuns
from governance.models import ModelVersion, ValidationRun
from governance.services import record_validation
from ledger import SYSTEM
from monitoring import review_measures, tasks
from monitoring.intervals import wilson
from monitoring.models import Point, ReviewItem, SamplingPlan, Series, Verdict
from monitoring.selectors import latest_values
from monitoring.selectors.review_statistics import statistics_of
from notify.models import Notice
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.governance import AiModelFactory, ModelVersionFactory
from tests.factories.monitoring import OutputFactory, ReviewItemFactory, SamplingPlanFactory

pytestmark = pytest.mark.django_db


def version_of(plan: SamplingPlan, label: str = "2.0") -> ModelVersion:
    return ModelVersionFactory.create(model=AiModelFactory.create(use_case=plan.use_case), label=label)


def reviewed(plan: SamplingPlan, agree: int, disagree: int = 0, override: int = 0, **more: Any) -> None:
    """So many reviews of outputs, the newest now."""
    person = more.pop("by", None) or PersonFactory.create()
    why, output = more.pop("why", "random"), {"use_case": plan.use_case, **more}
    for answer in ["agree"] * agree + ["disagree"] * disagree + ["override"] * override:
        item = ReviewItemFactory.create(
            output=OutputFactory.create(**output),
            why=why,
            state="done",
            answer=answer,
            reviewer=person,
            answered_at=timezone.now(),
        )
        text = {} if answer == "agree" else {"reason_code": "other", "reason": "Wrong.", "corrected": "Right."}
        Verdict.objects.create(item=item, kind=answer, reviewer=person, seconds=40, sha256="0" * 64, **text)


def runs(version: ModelVersion) -> list[ValidationRun]:
    return list(ValidationRun.objects.filter(version=version).order_by("recorded_at"))


def values(plan: SamplingPlan, metric: str) -> list[tuple[str, str, float]]:
    rows = Series.objects.filter(use_case=plan.use_case, metric=metric, last_value__isnull=False).order_by("segment")
    return [(row.version.label if row.version else "", row.segment, row.last_value or 0.0) for row in rows]


def test_shares_are_counted_over_the_random_sample_with_their_interval() -> None:
    plan = SamplingPlanFactory.create()
    version = version_of(plan)
    reviewed(plan, 16, 3, 1, version=version, segment="motor")
    reviewed(plan, 0, 9, version=version, why="confidence")
    found = statistics_of(plan, timezone.now())
    tally = found.by_version[version.pk]
    assert (tally.n, tally.against, tally.overridden) == (20, 4, 1)
    assert tally.disagreement == wilson(4, 20)
    assert found.by_segment[(version.pk, "motor")].n == 20
    assert {why: each.n for why, each in found.by_reason.items()} == {"random": 20, "confidence": 9}
    assert found.seconds == 40
    assert found.reviewers[version.pk] == 2


def test_what_is_older_than_the_window_or_taken_back_does_not_count() -> None:
    plan = SamplingPlanFactory.create(window_days=7)
    reviewed(plan, 2)
    ReviewItem.objects.update(answered_at=timezone.now() - timedelta(days=8))
    assert statistics_of(plan, timezone.now()).by_version == {}


def test_of_two_reviews_the_first_counts_and_both_tell_the_agreement() -> None:
    plan = SamplingPlanFactory.create()
    answers = [("agree", "agree")] * 6 + [("agree", "disagree")] * 2 + [("disagree", "disagree")] * 4
    people = PersonFactory.create_batch(2)
    for pair in answers:
        output = OutputFactory.create(use_case=plan.use_case)
        for slot, (answer, person) in enumerate(zip(pair, people, strict=True), 1):
            done = {"state": "done", "answer": answer, "reviewer": person, "answered_at": timezone.now()}
            ReviewItemFactory.create(output=output, slot=slot, **done)
    found = statistics_of(plan, timezone.now())
    assert (found.by_version[None].n, found.by_version[None].against, found.pairs) == (12, 4, 12)
    assert found.agreement == pytest.approx(2 / 3)


def test_coverage_counts_what_fell_due_and_the_backlog_its_oldest() -> None:
    plan = SamplingPlanFactory.create()
    reviewed(plan, 3)
    hour = timedelta(hours=1)
    ReviewItem.objects.update(due_at=timezone.now() - hour)
    output = OutputFactory.create(use_case=plan.use_case)
    ReviewItemFactory.create(output=output, due_at=timezone.now() - hour, selected_at=timezone.now() - 49 * hour)
    ReviewItemFactory.create(output=output, slot=2)
    found = statistics_of(plan, timezone.now())
    assert (found.owed, found.given, found.coverage) == (4, 3, 75)
    assert (found.waiting, found.overdue, round(found.backlog_hours)) == (2, 1, 49)


def test_the_shares_become_points_from_the_least_sample_on() -> None:
    plan = SamplingPlanFactory.create(min_sample=10)
    version = version_of(plan)
    reviewed(plan, 8, 1, version=version, segment="motor")
    review_measures.measure(plan.pk)
    assert values(plan, "disagreement") == []
    reviewed(plan, 0, 0, 1, version=version, segment="home")
    review_measures.measure(plan.pk)
    assert values(plan, "disagreement") == [("2.0", "", 20.0)]
    assert values(plan, "override_rate") == [("2.0", "", 10.0)]
    assert values(plan, "review_time") == [("", "", 40.0)]
    series = Series.objects.get(use_case=plan.use_case, metric="disagreement")
    assert (series.last_n, series.expected_every_seconds, series.unit) == (10, 0, "%")
    fact = latest_values([plan.use_case.pk], timezone.now())[plan.use_case.pk]["disagreement"]
    assert (float(fact["value"]), fact["n"], fact["version_label"]) == (20.0, 10, "2.0")


def test_measured_twice_nothing_is_doubled() -> None:
    plan = SamplingPlanFactory.create(min_sample=5)
    reviewed(plan, 5)
    review_measures.measure(plan.pk)
    before = Point.objects.count()
    review_measures.measure(plan.pk)
    assert Point.objects.filter(revision=0).count() == before


def test_too_much_disagreement_fails_the_version_once() -> None:
    plan = SamplingPlanFactory.create(min_sample=20, most_disagreement=10)
    version = version_of(plan)
    owner = person_with("business_owner", plan.use_case)
    reviewed(plan, 15, 4, version=version)
    review_measures.measure(plan.pk)
    assert runs(version) == []  # 19 reviews are too few
    reviewed(plan, 1, version=version)
    review_measures.measure(plan.pk)
    review_measures.measure(plan.pk)
    (run,) = runs(version)
    assert (run.verdict, run.kind, run.sample_size, run.recorded_by) == ("fail", "performance_live", 20, None)
    assert run.metrics["disagreement"] == "20"
    assert run.metrics["disagreement_low"] == str(review_measures.percent(wilson(4, 20).low).normalize())
    assert "4 of 20" in run.summary
    told = Notice.objects.get(kind="version.failed")
    assert (told.recipient, told.body) == (owner, run.summary)


def test_up_to_the_share_no_run_is_recorded_by_the_product() -> None:
    plan = SamplingPlanFactory.create(min_sample=10, most_disagreement=10)
    version = version_of(plan)
    reviewed(plan, 9, 1, version=version)
    review_measures.measure(plan.pk)
    assert runs(version) == []
    with pytest.raises(TypeError):  # a machine never passes anything
        record_validation(**review_measures.run_of(plan, statistics_of(plan, timezone.now()), version), by=SYSTEM)


def test_after_a_person_recorded_another_result_it_may_fail_again() -> None:
    plan = SamplingPlanFactory.create(min_sample=10)
    version = version_of(plan)
    reviewed(plan, 5, 5, version=version)
    review_measures.measure(plan.pk)
    record_validation(
        use_case=plan.use_case,
        kind=review_measures.KIND,
        verdict="pass",
        version=version,
        source=review_measures.SOURCE,
        by=person_with("technical_lead", plan.use_case),
    )
    review_measures.measure(plan.pk)
    assert [run.verdict for run in runs(version)] == ["fail", "pass", "fail"]


def test_the_gate_sees_the_failed_run() -> None:
    plan = SamplingPlanFactory.create(min_sample=5)
    version = version_of(plan)
    reviewed(plan, 1, 9, version=version)
    review_measures.measure(plan.pk)
    facts = ValidationRuns().load([plan.use_case.pk], timezone.now())[plan.use_case.pk]
    assert (facts[0]["verdict"], facts[0]["metrics"]["disagreement"]) == ("fail", "90")
    reassess([plan.use_case.pk])  # and judging with it does not stumble over a run that nobody recorded


def test_outputs_without_a_version_are_measured_and_fail_nothing() -> None:
    plan = SamplingPlanFactory.create(min_sample=5)
    reviewed(plan, 0, 9)
    review_measures.measure(plan.pk)
    assert values(plan, "disagreement") == [("", "", 100.0)]
    assert not ValidationRun.objects.exists()


def test_the_sweep_measures_what_is_owed() -> None:
    asked = SamplingPlanFactory.create(measure_asked_at=timezone.now())
    quiet = SamplingPlanFactory.create()
    old = SamplingPlanFactory.create(measured_at=timezone.now() - timedelta(hours=2))
    ReviewItemFactory.create(output=OutputFactory.create(use_case=old.use_case))
    assert set(review_measures.owed(timezone.now())) == {asked.pk, old.pk}
    assert tasks.measure_reviews() == 2
    assert review_measures.owed(timezone.now()) == []
    assert tasks.measure_reviews(str(quiet.pk)) == 1
    assert review_measures.measure(UUID(int=1)) == []


def test_statistics_ask_a_constant_number_of_questions() -> None:
    plan = SamplingPlanFactory.create()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            statistics_of(plan, timezone.now())
        return len(captured)

    reviewed(plan, 1)
    few = queries()
    reviewed(plan, 5, 2, version=version_of(plan))
    assert queries() == few <= 7
