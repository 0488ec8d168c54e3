"""The only evaluator: a constant number of queries, for any date, and errors block."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gates.assessment import assess
from gates.criterion import Outcome
from gates.engine import evaluate, judge_gate
from gates.facts.people import People
from gates.in_force import primary
from gates.models import CriterionFinding, Policy
from gates.policy_reading import read_policy
from portfolio.models import UseCase
from tests.factories.accounts import person_with
from tests.factories.gates import CRITERIA, publish, ready_case, shipped_policies, small_policy, small_text
from tests.factories.governance import IssueFactory, PracticeDeclarationFactory
from tests.factories.portfolio import KpiFactory, UnitFactory, UseCaseFactory, measure, organisation
from tests.gates.judging import NOW, facts


def portfolio(count: int) -> list[Any]:
    """That many use cases in one unit, with a KPI and an issue on every tenth."""
    unit = UnitFactory.create()
    start = UseCase.objects.count()
    rows = [UseCase(unit=unit, key=f"B-{start + n}", name=f"Bulk {n}") for n in range(count)]
    made = UseCase.objects.bulk_create(rows)
    for use_case in made[::10]:
        measure(KpiFactory.create(use_case=use_case, lock=True), 9)
        IssueFactory.create(use_case=use_case)
        PracticeDeclarationFactory.create(use_case=use_case)
    return [use_case.pk for use_case in made]


def queries(ids: list[Any] | None) -> int:
    _version, policy = primary()
    with CaptureQueriesContext(connection) as captured:
        evaluate(ids, None, policy, timezone.now())
    return len(captured)


@pytest.mark.django_db
def test_five_two_hundred_and_all_use_cases_cost_the_same_number_of_queries() -> None:
    shipped_policies()
    ids = portfolio(200)
    assert queries(ids[:5]) == queries(ids) == queries(None) <= 42


@pytest.mark.django_db
def test_assessing_reads_the_same_number_of_queries_for_five_and_for_two_hundred() -> None:
    shipped_policies()
    ids = portfolio(200)
    assess(ids)
    counts = []
    for some in (ids[:5], ids):
        with CaptureQueriesContext(connection) as captured:
            assess(some)
        counts.append(sum(1 for query in captured if query["sql"].startswith("SELECT")))
    assert counts[0] == counts[1]


@pytest.mark.django_db
def test_a_date_in_the_past_sees_what_was_on_record_then() -> None:
    case = ready_case()
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    _version, policy = primary()

    def outcome(at: Any) -> Outcome:
        [result] = evaluate([case.use_case.pk], "idea_to_poc", policy, at)
        return next(j.finding.outcome for j in result.judged if j.criterion.id == "IP-03")

    assert outcome(timezone.now()) is Outcome.NOT_MET
    assert outcome(timezone.now() - timedelta(days=1)) is Outcome.MET


@pytest.mark.django_db
def test_a_use_case_is_judged_at_the_stage_it_had_then() -> None:
    case = ready_case()
    before = timezone.now()
    case.pass_gate()
    _version, policy = primary()
    [now] = evaluate([case.use_case.pk], None, policy, timezone.now())
    [then] = evaluate([case.use_case.pk], None, policy, before)
    assert (now.gate.key, then.gate.key) == ("poc_to_pilot", "idea_to_poc")


def test_an_exception_inside_a_type_is_an_error_that_blocks() -> None:
    policy = read_policy(small_text(), "own.yaml")
    known = facts(profile={"problem_statement": "Letters."}, issues={"open": [{"kind": "assumption"}]})
    result = judge_gate(NOW, known, policy.gates["idea_to_poc"], policy, NOW)  # type: ignore[arg-type]  # any id will do
    broken = next(j for j in result.judged if j.criterion.id == "IP-03")
    assert broken.finding.outcome is Outcome.ERROR
    assert broken.blocks
    assert not result.ready


@pytest.mark.parametrize(
    ("said", "outcome"), [(True, Outcome.MISSING), (None, Outcome.MISSING), (False, Outcome.NOT_APPLICABLE)]
)
def test_a_condition_that_the_profile_denies_makes_a_criterion_not_applicable(said: Any, outcome: Outcome) -> None:
    text = small_text(criteria=CRITERIA.replace("      owner: business_owner", "      applies_if: personal_data\n"
                                                "      owner: business_owner", 1))  # fmt: skip
    policy = read_policy(text, "own.yaml")
    known = facts(profile={"personal_data": said})
    result = judge_gate(NOW, known, policy.gates["idea_to_poc"], policy, NOW)  # type: ignore[arg-type]
    assert result.judged[0].finding.outcome is outcome


def test_the_tier_decides_what_applies_and_how_strict_it_is() -> None:
    policy = read_policy(small_text(), "own.yaml")
    found = {}
    for tier in ("minimal", "limited", "high", "", "prohibited"):
        result = judge_gate(NOW, facts(profile={"tier": tier}), policy.gates["idea_to_poc"], policy, NOW)  # type: ignore[arg-type]
        metric = result.judged[1]
        found[tier] = (str(metric.finding.outcome), metric.mandatory, metric.finding.required, bool(result.blockers))
    assert found["minimal"][0] == "not_applicable"
    assert found["limited"][:3] == ("missing", False, "f1 at least 0.8") or found["limited"][1] is False
    assert found["high"][1] is True
    assert "0.9" in found["high"][2]
    assert found[""][:3] == found["high"][:3]
    assert [found[tier][3] for tier in ("high", "", "prohibited")] == [False, False, True]


@pytest.mark.django_db
def test_findings_are_stored_once_and_written_only_when_they_change() -> None:
    case = ready_case()
    assess([case.use_case.pk])
    rows = {f.criterion: f for f in CriterionFinding.objects.all()}
    assert set(rows) == {"IP-01", "IP-02", "IP-03", "IP-09"}
    with CaptureQueriesContext(connection) as captured:
        assess([case.use_case.pk])
    writes = [q["sql"] for q in captured if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert all("assessment" in sql for sql in writes)
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    assess([case.use_case.pk])
    turned = CriterionFinding.objects.get(criterion="IP-03")
    assert turned.outcome == "not_met"
    assert turned.found_at > rows["IP-03"].found_at
    assert CriterionFinding.objects.get(criterion="IP-01").found_at == rows["IP-01"].found_at


@pytest.mark.django_db
def test_the_standing_in_lists_is_what_the_findings_say() -> None:
    case = ready_case()
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    assess([case.use_case.pk])
    case.use_case.refresh_from_db()
    standing = (case.use_case.next_gate, case.use_case.gate_met, case.use_case.gate_required)
    assert standing == ("idea_to_poc", 1, 2)


@pytest.mark.django_db
def test_findings_that_are_judged_no_more_are_gone() -> None:
    case = ready_case()
    assess([case.use_case.pk])
    case.pass_gate()
    assess([case.use_case.pk])
    assert set(CriterionFinding.objects.values_list("gate", flat=True)) == {"idea_to_poc", "poc_to_pilot"}
    publish(small_text(version="2.0.0", criteria=CRITERIA.replace("IP-02", "IP-22")))
    assess([case.use_case.pk])
    assert not CriterionFinding.objects.filter(criterion="IP-02").exists()
    UseCase.objects.update(stage="stopped")
    case.use_case.assurances.all().delete()
    assess([case.use_case.pk])
    assert not CriterionFinding.objects.exists()


@pytest.mark.django_db
def test_findings_are_written_in_portions_and_none_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    small_policy()
    ids = portfolio(5)
    monkeypatch.setattr("gates.assessment.AT_ONCE", 2)
    assert assess() == 5
    assert set(CriterionFinding.objects.values_list("use_case_id", flat=True)) == set(ids)
    assert UseCase.objects.filter(next_gate="idea_to_poc").count() == 5


@pytest.mark.django_db
def test_policies_beside_the_primary_one_are_judged_with_it() -> None:
    small_policy()
    publish(small_text(key="beside", primary=False))
    case = ready_case(policy=False)
    assess([case.use_case.pk])
    assert CriterionFinding.objects.values("policy").distinct().count() == Policy.objects.count() == 2


@pytest.mark.django_db
def test_the_people_of_one_use_case_are_those_found_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    outer = UnitFactory.create()
    inner, other = UnitFactory.create(parent=outer), UnitFactory.create()
    cases = [UseCaseFactory.create(unit=unit) for unit in (outer, inner, other)]
    for scope in (organisation(), outer, inner, other, *cases):
        person_with("technical_lead", scope)
    for case in cases:
        [narrow] = People().load([case.pk], NOW + timedelta(days=3650)).values()
        monkeypatch.setattr("gates.facts.people.FEW", 0)
        [wide] = People().load([case.pk], NOW + timedelta(days=3650)).values()
        monkeypatch.undo()
        assert narrow == wide
    held = People().load(None, NOW + timedelta(days=3650))
    assert [len(held[case.pk]["holders"]["technical_lead"]) for case in cases] == [3, 4, 3]
