"""A snapshot recomputes to its digest, does not depend on the order of rows, and tells what really changed."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from gates.fact import fact_loaders
from gates.in_force import primary
from gates.models import BreachDecision, ReviewCall
from gates.snapshots import Frozen, changed_facts, freeze, plain_form, state_of
from kernel.canonical import canonical_bytes, digest
from portfolio.models import UseCase
from tests.factories import governance, monitoring
from tests.factories.accounts import person_with
from tests.factories.conditions import owed_by
from tests.factories.gates import ready_case, shipped_policies
from tests.factories.portfolio import KpiFactory, UseCaseFactory, measure
from tests.factories.waivers import WaiverFactory

pytestmark = pytest.mark.django_db


def frozen(use_case: UseCase, gate: str = "idea_to_poc") -> Frozen:
    _version, policy = primary()
    return freeze(use_case.pk, policy.gates[gate], policy, timezone.now())


def furnished(use_case: UseCase) -> None:
    """Something of every kind of fact."""
    kpi = KpiFactory.create(use_case=use_case, lock=True, baseline=Decimal("12.50"))
    measure(kpi, "9.25")
    governance.EvidenceFactory.create(use_case=use_case)
    governance.AttestationFactory.create(use_case=use_case)
    governance.DocumentFactory.create(use_case=use_case, measures={"users": 1.5, "many": 10**20})
    governance.QuestionnaireResponseFactory.create(use_case=use_case, dimensions={"value": 71.3})
    governance.RiskClassificationFactory.create(use_case=use_case)
    governance.RiskItemFactory.create_batch(2, use_case=use_case)
    version = governance.ModelVersionFactory.create(
        model__use_case=use_case, metrics={"f1": 0.91}, bundle={"code": "sha"}
    )
    governance.ValidationRunFactory.create(use_case=use_case, version=version, metrics={"f1": 0.905})
    governance.IssueFactory.create(use_case=use_case)
    governance.IncidentFactory.create(use_case=use_case)
    governance.DataAccessRequestFactory.create(use_case=use_case)
    point = governance.IntegrationPointFactory.create(use_case=use_case)
    governance.IntegrationTestFactory.create(point=point)
    governance.TrainingRecordFactory.create(use_case=use_case)
    governance.SpecialistReviewFactory.create(use_case=use_case)
    governance.AccessReviewFactory.create(use_case=use_case)
    governance.PracticeDeclarationFactory.create(use_case=use_case)
    governance.OversightPlanFactory.create(use_case=use_case)
    governance.DecisionTypeFactory.create(use_case=use_case)
    rule = monitoring.RuleFactory.create(series__use_case=use_case)
    monitoring.points(rule.series, [0.9, 0.7])
    alert = monitoring.AlertFactory.create(rule=rule)
    person_with("business_owner", use_case)
    WaiverFactory.create(use_case=use_case)
    ended, later = timezone.now() - timedelta(days=1), timezone.now() + timedelta(days=9)
    WaiverFactory.create(use_case=use_case, expires_at=ended)
    ReviewCall.objects.create(use_case=use_case, gate="idea_to_poc", cause="law", text="New.", due_at=later)
    owed_by(use_case)
    now = timezone.now()
    BreachDecision.objects.create(
        number=1,
        use_case=use_case,
        alert=alert,
        occasion=1,
        cause="breach",
        tier="limited",
        opened_at=now,
        due_at=later,
    )


def refuse(number: str) -> float:
    raise AssertionError(f"a float: {number}")


def test_a_body_recomputes_to_its_digest_with_every_kind_of_fact() -> None:
    shipped_policies()
    use_case = UseCaseFactory.create()
    furnished(use_case)
    _version, policy = primary()
    for gate in policy.gates:
        found = frozen(use_case, gate)
        assert hashlib.sha256(found.body.encode()).hexdigest() == found.digest
        assert canonical_bytes(json.loads(found.body)).decode() == found.body
        assert state_of(found.body) == found.state


def test_every_fact_can_be_written_canonically_and_holds_no_float() -> None:
    case = ready_case()
    case.sign(case.submit(), "business_owner")
    furnished(case.use_case)
    for loader in fact_loaders:
        loaded = loader().load([case.use_case.pk], timezone.now())
        assert loaded.get(case.use_case.pk), f"{loader.key} has nothing: add a row of it to this test"
        assert json.loads(canonical_bytes(plain_form(loaded[case.use_case.pk])), parse_float=refuse)


def test_the_same_facts_give_the_same_state() -> None:
    case = ready_case()
    assert frozen(case.use_case).state == frozen(case.use_case).state


def test_the_order_in_which_facts_arrive_does_not_matter() -> None:
    facts: dict[str, Any] = {"a": Decimal("1.50"), "b": [1, 2], "c": {"x": 0.5, "y": None}}
    turned = {key: facts[key] for key in ("c", "b", "a")}
    assert digest(plain_form(facts)) == digest(plain_form(turned))
    assert digest(plain_form({"a": {"p", "q"}})) == digest(plain_form({"a": {"q", "p"}}))


def test_a_changed_fact_changes_the_state_and_is_named() -> None:
    case = ready_case()
    before = frozen(case.use_case)
    UseCase.objects.update(target_users="Everybody")
    after = frozen(case.use_case)
    assert after.state != before.state
    assert changed_facts(before.body, after.body) == ["profile"]


def test_a_new_point_changes_nothing_until_an_outcome_turns() -> None:
    case = ready_case(tier="high")
    series = monitoring.SeriesFactory.create(use_case=case.use_case)
    monitoring.points(series, [0.95])
    before = frozen(case.use_case)
    monitoring.points(series, [0.94])
    same = frozen(case.use_case)
    assert same.state == before.state
    assert '"value":"0.94"' in same.body
    monitoring.points(series, [0.5])
    turned = frozen(case.use_case)
    assert turned.state != before.state
    assert changed_facts(before.body, turned.body) == ["IP-02"]


def test_a_raised_tier_changes_the_state() -> None:
    case = ready_case()
    before = frozen(case.use_case)
    UseCase.objects.update(tier="high")
    after = frozen(case.use_case)
    assert after.state != before.state
    assert "tier" in changed_facts(before.body, after.body)


def test_a_new_holder_of_a_role_elsewhere_does_not_void_signatures() -> None:
    case = ready_case()
    before = frozen(case.use_case)
    person_with("auditor", case.use_case.unit)
    assert frozen(case.use_case).state == before.state
