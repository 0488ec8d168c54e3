"""Champion and challenger: the rule first, the figures with their intervals, a person's verdict as a validation run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from governance.models import ModelVersion, ValidationRun
from kernel.errors import Conflict, Invalid, NotReady
from ledger import SYSTEM
from ledger.models import Event
from monitoring.intervals import newcombe, newcombe_paired, welch
from monitoring.models import Comparison
from monitoring.selectors.comparing import compare
from monitoring.services import decide_comparison, define_comparison
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with
from tests.factories.governance import AiModelFactory, ModelVersionFactory
from tests.factories.monitoring import OutputFactory, ReviewItemFactory, SeriesFactory, points
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db
CHAMPION = [0.80, 0.81, 0.79, 0.80, 0.82, 0.80]
BETTER = [0.90, 0.91, 0.89, 0.90, 0.92, 0.90]
DAYS_AGO = 10


def two_versions(use_case: UseCase | None = None) -> tuple[ModelVersion, ModelVersion]:
    model = AiModelFactory.create(use_case=use_case or UseCaseFactory.create())
    return ModelVersionFactory.create(model=model, label="1.0"), ModelVersionFactory.create(model=model, label="2.0")


def comparing(champion: ModelVersion, challenger: ModelVersion, **more: Any) -> Comparison:
    rule: dict[str, Any] = {"kind": "shadow", "metric": "f1", "min_sample": 5, "min_days": 5, **more}
    start = timezone.now() - timedelta(days=DAYS_AGO)
    use_case = champion.model.use_case
    return define_comparison(
        use_case=use_case, champion=champion, challenger=challenger, starts_at=start, by=SYSTEM, **rule
    )


def measured(version: ModelVersion, values: list[float], metric: str = "f1", **more: Any) -> None:
    series = SeriesFactory.create(use_case=version.model.use_case, version=version, metric=metric, **more)
    points(series, values, minutes_apart=60)


def reviewed(version: ModelVersion, agree: int, disagree: int, *, cases: str = "") -> None:
    person = PersonFactory.create()
    for n, answer in enumerate(["agree"] * agree + ["disagree"] * disagree):
        case = f"{cases}{n}" if cases else ""
        output = OutputFactory.create(use_case=version.model.use_case, version=version, case_id=case)
        done = {"state": "done", "answer": answer, "reviewer": person, "answered_at": timezone.now()}
        ReviewItemFactory.create(output=output, **done)


# -- The rule --------------------------------------------------------------------------------------------------------


def test_the_rule_is_stated_before_the_start_by_whoever_plans_validation() -> None:
    champion, challenger = two_versions()
    use_case = champion.model.use_case
    given: dict[str, Any] = {"use_case": use_case, "champion": champion, "challenger": challenger}
    given |= {"kind": "canary", "metric": "f1", "guardrails": ["latency_p95"]}
    with pytest.raises(PermissionDenied):
        define_comparison(by=person_with("auditor", use_case), **given)
    lead = person_with("technical_lead", use_case)
    with pytest.raises(Invalid, match="cannot lie in the past"):
        define_comparison(by=lead, starts_at=timezone.now() - timedelta(hours=1), **given)
    with pytest.raises(PermissionDenied):
        define_comparison(by=lead, stated_at=timezone.now() - timedelta(days=1), **given)
    row = define_comparison(by=lead, **given)
    assert (row.direction, row.unit, row.guardrails, row.created_by) == ("higher", "ratio", ["latency_p95"], lead)
    with pytest.raises(Conflict):
        define_comparison(by=lead, **given)
    assert Event.objects.filter(action="comparison.defined").count() == 1


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"metric": "mean_confidence"}, "metric"),
        ({"metric": "No Metric"}, "metric"),
        ({"guardrails": ["f1"]}, "guardrails"),
        ({"guardrails": ["nonsense"]}, "guardrails"),
        ({"margin": float("nan")}, "margin"),
        ({"kind": "guess"}, "kind"),
        ({"basis": "feeling"}, "basis"),
        ({"traffic_percent": 120}, "traffic_percent"),
        ({"min_sample": 1}, "min_sample"),
        ({"ends_at": timezone.now() - timedelta(days=300)}, "ends_at"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(change: dict[str, Any], name: str) -> None:
    champion, challenger = two_versions()
    with pytest.raises(Invalid) as refused:
        comparing(champion, challenger, **change)
    assert name in refused.value.errors


def test_both_versions_are_of_the_use_case_two_and_in_use() -> None:
    champion, _challenger = two_versions()
    for other in (
        champion,
        ModelVersionFactory.create(),
        ModelVersionFactory.create(model=champion.model, state="retired"),
    ):
        with pytest.raises(Invalid) as refused:
            comparing(champion, other)
        assert "challenger" in refused.value.errors


# -- The figures -----------------------------------------------------------------------------------------------------


def test_means_of_points_differ_by_welch() -> None:
    champion, challenger = two_versions()
    row = comparing(champion, challenger)
    measured(champion, CHAMPION)
    measured(challenger, BETTER)
    found = compare(row)
    assert found.difference == welch(CHAMPION, BETTER)
    assert (found.champion.n, found.challenger.n, found.finding) == (6, 6, "promote")


def test_lower_is_better_turns_the_gain() -> None:
    champion, challenger = two_versions()
    row = comparing(champion, challenger, metric="latency_p95")
    measured(champion, [600, 610, 590, 605, 595], metric="latency_p95", direction="lower")
    measured(challenger, [700, 710, 690, 705, 695], metric="latency_p95", direction="lower")
    found = compare(row)
    assert found.difference is not None
    assert found.gain is not None
    assert found.difference.value == -found.gain.value == pytest.approx(100)
    assert found.finding == "keep"


def test_a_gain_short_of_the_margin_is_no_reason_to_promote() -> None:
    champion, challenger = two_versions()
    measured(champion, CHAMPION)
    measured(challenger, BETTER)
    assert compare(comparing(champion, challenger, margin=0.5)).finding == "keep"
    Comparison.objects.update(margin=0.1)
    assert compare(Comparison.objects.get()).finding == "inconclusive"


def test_a_guardrail_that_grew_worse_keeps_the_champion() -> None:
    champion, challenger = two_versions()
    row = comparing(champion, challenger, guardrails=["error_rate", "latency_p95"])
    measured(champion, CHAMPION)
    measured(challenger, BETTER)
    measured(champion, [0.4, 0.5, 0.45, 0.4], metric="error_rate", direction="lower")
    measured(challenger, [2.4, 2.5, 2.45, 2.4], metric="error_rate", direction="lower")
    found = compare(row)
    assert [each.state for each in found.guardrails] == ["worse", "unknown"]
    assert found.finding == "keep"


def test_it_says_when_the_data_is_not_enough_and_what_is_missing() -> None:
    champion, challenger = two_versions()
    row = comparing(champion, challenger, min_sample=6, min_days=30)
    measured(champion, CHAMPION)
    measured(challenger, BETTER[:3])
    found = compare(row)
    assert found.finding == "not_enough"
    assert found.missing == ["2.0: 3 of 6 points.", "10.0 of 30 days."]
    nothing = compare(comparing(*two_versions()))
    assert (nothing.difference, nothing.champion.value, nothing.finding) == (None, None, "not_enough")


def test_what_lies_outside_the_time_does_not_count() -> None:
    champion, challenger = two_versions()
    row = comparing(champion, challenger)
    measured(champion, CHAMPION)
    Comparison.objects.update(starts_at=timezone.now() - timedelta(minutes=90))
    row.refresh_from_db()
    assert compare(row).champion.n == 2
    row.starts_at -= timedelta(days=2)
    row.ends_at = timezone.now() - timedelta(minutes=150)
    assert compare(row).champion.n == 3


def test_reviews_differ_by_newcombe() -> None:
    champion, challenger = two_versions()
    row = comparing(champion, challenger, basis="reviews")
    reviewed(champion, 20, 10)
    reviewed(challenger, 28, 2)
    found = compare(row)
    expected = newcombe((10, 30), (2, 30))
    assert found.difference is not None
    assert found.difference.low == pytest.approx(100 * expected.low)
    assert (row.metric, row.unit, row.direction) == ("disagreement", "%", "lower")
    assert found.finding == "promote"


def test_pairs_of_one_case_differ_by_newcombe_for_pairs() -> None:
    champion, challenger = two_versions()
    row = comparing(champion, challenger, basis="pairs")
    reviewed(champion, 20, 10, cases="case-")
    reviewed(challenger, 27, 3, cases="case-")
    reviewed(challenger, 4, 0, cases="other-")
    found = compare(row)
    expected = newcombe_paired(3, 7, 0, 20)
    assert found.difference is not None
    assert found.difference.high == pytest.approx(100 * expected.high)
    assert found.champion.n == found.challenger.n == 30


# -- The verdict -----------------------------------------------------------------------------------------------------


def ready() -> Comparison:
    champion, challenger = two_versions()
    row = comparing(champion, challenger)
    measured(champion, CHAMPION)
    measured(challenger, BETTER)
    return row


@pytest.mark.parametrize(
    ("verdict", "outcome"), [("promote", "pass"), ("keep", "fail"), ("inconclusive", "inconclusive")]
)
def test_the_verdict_is_a_validation_run_of_the_challenger_with_its_figures(verdict: str, outcome: str) -> None:
    row = ready()
    lead = person_with("technical_lead", row.use_case)
    decided = decide_comparison(comparison=row, verdict=verdict, reason="As agreed.", by=lead)
    run = ValidationRun.objects.get()
    assert (run.verdict, run.kind, run.version, run.recorded_by) == (
        outcome,
        "champion_challenger",
        row.challenger,
        lead,
    )
    assert (run.metrics["difference"], run.sample_size) == ("0.1", 6)
    assert decided.run == run
    assert decided.result["finding"] == "promote"
    event = Event.objects.get(action="comparison.decided")
    assert decided.sha256 in event.body
    with pytest.raises(Conflict):
        decide_comparison(comparison=row, verdict=verdict, reason="Once more.", by=lead)


def test_who_may_not_record_validation_and_machines_decide_nothing() -> None:
    row = ready()
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", row.use_case)
    for someone in (person_with("auditor", row.use_case), PersonFactory.create(), machine):
        with pytest.raises(PermissionDenied):
            decide_comparison(comparison=row, verdict="keep", reason="No.", by=someone)


def test_nothing_is_promoted_on_too_little() -> None:
    row = comparing(*two_versions())
    lead = person_with("technical_lead", row.use_case)
    with pytest.raises(NotReady) as refused:
        decide_comparison(comparison=row, verdict="promote", reason="It feels better.", by=lead)
    assert "2.0: 0 of 5 points." in refused.value.errors["verdict"]
    with pytest.raises(Invalid):
        decide_comparison(comparison=row, verdict="keep", reason=" ", by=lead)
    assert decide_comparison(comparison=row, verdict="keep", reason="It failed at once.", by=lead).verdict == "keep"


# -- REST ------------------------------------------------------------------------------------------------------------


def test_over_rest_a_comparison_is_defined_read_and_decided() -> None:
    champion, _challenger = two_versions()
    client = api_as(person_with("technical_lead", champion.model.use_case))
    body = {"use_case": champion.model.use_case.key, "champion": "1.0", "challenger": "2.0"}
    body |= {"kind": "canary", "metric": "f1"}
    made = client.post("/api/v1/comparisons/", body, format="json")
    assert made.status_code == 201, made.content
    address = f"/api/v1/comparisons/{made.json()['id']}/"
    figures = client.get(f"{address}figures/")
    assert (figures.status_code, figures.json()["finding"]) == (200, "not_enough")
    refused = client.post(f"{address}decide/", {"verdict": "promote", "reason": "Now."}, format="json")
    assert refused.status_code == 409
    decided = client.post(f"{address}decide/", {"verdict": "keep", "reason": "Stopped."}, format="json")
    assert (decided.status_code, decided.json()["verdict"]) == (200, "keep")
    wrong = client.post("/api/v1/comparisons/", {**body, "challenger": "9"}, format="json")
    assert wrong.status_code == 422
    assert client.post("/api/v1/comparisons/", {**body, "use_case": "nowhere"}, format="json").status_code == 404


def test_over_rest_strangers_see_nothing_and_readers_change_nothing() -> None:
    row = ready()
    address = f"/api/v1/comparisons/{row.pk}/"
    assert api_as(PersonFactory.create()).get(address).status_code == 404
    assert APIClient().get(address).status_code == 401
    auditor = api_as(person_with("auditor", row.use_case))
    assert auditor.get(f"{address}figures/").json()["finding"] == "promote"
    assert auditor.post(f"{address}decide/", {"verdict": "keep", "reason": "No."}, format="json").status_code == 403
    body = {"use_case": row.use_case.key, "champion": "1.0", "challenger": "2.0", "kind": "canary", "metric": "f1"}
    assert auditor.post("/api/v1/comparisons/", body, format="json").status_code == 403


def test_the_list_asks_a_constant_number_of_questions() -> None:
    use_case = UseCaseFactory.create()
    client = api_as(person_with("auditor", use_case))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/api/v1/comparisons/").status_code == 200
        return len(captured)

    comparing(*two_versions(use_case))
    queries()
    few = queries()
    for _n in range(3):
        comparing(*two_versions(use_case))
    assert queries() == few
