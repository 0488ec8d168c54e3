"""Nobody signs their own work: what they submitted, gave evidence of, or wrote the scope of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import ledger
from accounts.models import User
from accounts.services import delegate, set_manager
from gates.models import Review, SignOff
from gates.scenes import room_of
from gates.services.reviews import withdraw_review
from gates.services.sign_offs import sign
from governance.models import Evidence
from portfolio.models import UseCase
from portfolio.services import edit_use_case
from tests.factories.accounts import PersonFactory, give, person_with
from tests.factories.gates import Case, publish, ready_case, small_text
from tests.factories.governance import (
    AiModelFactory,
    AttestationFactory,
    DocumentFactory,
    ModelVersionFactory,
    ValidationRunFactory,
)
from tests.factories.portfolio import UnitFactory, organisation

pytestmark = pytest.mark.django_db
RISK, VALIDATOR = "risk_compliance", "independent_validator"
CRITERIA = """\
    - id: IP-01
      title: Problem stated
      type: field_present
      params: {fields: [problem_statement]}
      applies: {minimal: mandatory, limited: mandatory, high: mandatory}
      owner: business_owner
    - id: IP-03
      title: Accepted by name
      type: attestation
      params: {by: [business_owner]}
      applies: {minimal: advisory, limited: advisory, high: advisory}
      owner: business_owner
    - id: IP-04
      title: Charter
      type: document
      params: {doc_types: [poc_charter]}
      applies: {minimal: advisory, limited: advisory, high: advisory}
      owner: technical_lead
    - id: IP-05
      title: Red team
      type: validation_result
      params: {kinds: [red_team]}
      applies: {minimal: advisory, limited: advisory, high: advisory}
      owner: security
    - id: IP-09
      title: Approved
      type: approval
      params: {matrix: tier}
      applies: {minimal: mandatory, limited: mandatory, high: mandatory}
      owner: business_owner
"""
MATRIX = "[business_owner, technical_lead, risk_compliance, security, business_sponsor]"


def case_with_oversight(tier: str = "limited") -> Case:
    """A case whose gate asks people who look from outside."""
    pair = "limited: {signers: [business_owner, technical_lead]"
    text = small_text(criteria=CRITERIA).replace(pair, f"limited: {{signers: {MATRIX}", 1)
    publish(text)
    case = ready_case(tier=tier, policy=False)
    for role in (RISK, "security", "business_sponsor"):
        case.signers[role] = person_with(role, case.use_case)
    return case


def why(review: Review, person: User, role: str) -> str:
    return room_of(review).refusal(person, role)


def verified(rows: Any) -> None:
    rows.update(verified_by=PersonFactory.create(), verified_at=timezone.now())


def confirmed(case: Case, who: User) -> None:
    AttestationFactory.create(use_case=case.use_case, criterion="IP-03", added_by=who)


def written(case: Case, who: User) -> None:
    DocumentFactory.create(use_case=case.use_case, written_by=who)


def ran(case: Case, who: User) -> None:
    ValidationRunFactory.create(use_case=case.use_case, kind="red_team", recorded_by=who, independent=True)


@pytest.mark.parametrize(("give_it", "criterion"), [(confirmed, "IP-03"), (written, "IP-04"), (ran, "IP-05")])
def test_who_gave_evidence_does_not_sign_from_outside(give_it: Callable[[Case, User], None], criterion: str) -> None:
    case = case_with_oversight()
    give_it(case, case.signers[RISK])
    review = case.submit()
    said = why(review, case.signers[RISK], RISK)
    assert criterion in said
    assert "SOD-05" in said
    with pytest.raises(PermissionDenied, match=criterion):
        case.sign(review, RISK)


def test_evidence_that_another_verified_stands_against_nobody() -> None:
    case = case_with_oversight()
    confirmed(case, case.signers[RISK])
    verified(Evidence.objects.all())
    assert why(case.submit(), case.signers[RISK], RISK) == ""


def test_the_role_that_answers_for_a_criterion_gives_its_evidence_and_signs() -> None:
    case = case_with_oversight()
    ran(case, case.signers["security"])
    written(case, case.signers["technical_lead"])
    confirmed(case, case.signers["business_owner"])
    review = case.submit()
    for role in ("security", "technical_lead", "business_owner"):
        assert why(review, case.signers[role], role) == ""


def test_own_evidence_counts_against_the_person_whatever_role_it_was_given_in() -> None:
    case = case_with_oversight()
    both = case.signers["technical_lead"]
    give(both, RISK, case.use_case)
    written(case, both)
    assert "IP-04" in why(case.submit(), both, RISK)


def test_who_changed_the_scope_in_this_stage_does_not_sign_from_outside() -> None:
    case = case_with_oversight()
    both = case.signers[RISK]
    give(both, "portfolio_manager", organisation())
    edit_use_case(use_case=case.use_case, changes={"target_users": "Everybody"}, by=both)
    assert "changed its scope" in why(case.submit(), both, RISK)


def test_a_scope_that_was_changed_before_the_stage_or_long_ago_stands_against_nobody() -> None:
    case = case_with_oversight()
    both = case.signers[RISK]
    give(both, "portfolio_manager", organisation())
    edit_use_case(use_case=case.use_case, changes={"target_users": "Everybody"}, by=both)
    UseCase.objects.update(stage_since=timezone.now() + timedelta(seconds=1))
    case.use_case.refresh_from_db()
    assert why(case.submit(), both, RISK) == ""


def test_who_changed_the_scope_after_submission_signs_in_no_role_until_it_is_submitted_anew() -> None:
    case = case_with_oversight()
    review = case.submit()
    owner = case.signers["business_owner"]
    edit_use_case(use_case=case.use_case, changes={"target_users": "Everybody"}, by=owner)
    assert "after it was submitted" in why(review, owner, "business_owner")
    withdraw_review(review=review, by=case.lead, reason="The scope changed.")
    assert why(case.submit(), owner, "business_owner") == ""


def test_who_proposed_an_idea_signs_it_as_sponsor_alone() -> None:
    case = case_with_oversight()
    both = case.signers["business_sponsor"]
    give(both, RISK, case.use_case)
    UseCase.objects.update(created_by=both)
    case.use_case.refresh_from_db()
    review = case.submit()
    assert "proposed" in why(review, both, RISK)
    assert why(review, both, "business_sponsor") == ""


def test_who_made_the_version_does_not_approve_it_from_outside_nor_alone() -> None:
    case = case_with_oversight()
    both = case.signers["technical_lead"]
    give(both, RISK, case.use_case)
    ModelVersionFactory.create(model=AiModelFactory.create(use_case=case.use_case), author=both)
    review = case.submit()
    assert "SOD-07" in why(review, both, RISK)
    assert why(review, both, "technical_lead") == ""
    Review.objects.update(slots=[{"role": "technical_lead"}])
    review.refresh_from_db()
    assert "nobody else signs" in why(review, both, "technical_lead")


def test_an_administrator_with_a_role_does_not_sign_either() -> None:
    case = ready_case()
    review = case.submit()
    owner = case.signers["business_owner"]
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    owner.refresh_from_db()
    with pytest.raises(PermissionDenied, match="SOD-08"):
        case.sign(review, "business_owner")


def validators_review() -> tuple[Case, Review, User]:
    case = ready_case(tier="limited")
    case.pass_gate()
    validator = person_with(VALIDATOR, case.use_case)
    UseCase.objects.update(tier="high")
    return case, case.submit("poc_to_pilot"), validator


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_validator_does_not_report_to_the_technical_lead_at_any_level(levels: int) -> None:
    case, review, validator = validators_review()
    lead, below = case.signers["technical_lead"], validator
    assert why(review, validator, VALIDATOR) == ""
    for level in range(levels):
        above = lead if level == levels - 1 else PersonFactory.create()
        set_manager(user=below, manager=above, by=ledger.SYSTEM)
        below = above
    assert "report to the technical lead" in why(review, validator, VALIDATOR)
    with pytest.raises(PermissionDenied, match="SOD-03"):
        sign(review=review, role=VALIDATOR, verdict="approve", digest=review.digest, by=validator)


def test_at_the_minimal_tier_sponsor_and_owner_may_be_one_person() -> None:
    text = small_text().replace(
        "minimal: {signers: [business_owner]", "minimal: {signers: [business_owner, business_sponsor]"
    )
    publish(text)
    case = ready_case(tier="minimal", policy=False)
    both = case.signers["business_sponsor"] = case.signers["business_owner"]
    give(both, "business_sponsor", case.use_case)
    review = case.submit()
    case.sign_all(review)
    assert SignOff.objects.filter(person=both, lapsed_at__isnull=True).count() == 2
    assert case.decide(review).outcome == "go"


def test_at_other_tiers_sponsor_and_owner_are_two() -> None:
    case = case_with_oversight()
    both = case.signers["business_owner"]
    give(both, "business_sponsor", case.use_case)
    review = case.submit()
    case.sign(review, "business_owner")
    assert "SOD-02" in why(review, both, "business_sponsor")


def test_loading_all_this_takes_the_same_number_of_queries_for_one_signature_and_for_many() -> None:
    case = case_with_oversight()
    review = case.submit()

    def ask() -> None:
        rows = Review.objects.select_related("use_case__unit", "policy_version__policy")
        room_of(rows.get(pk=review.pk)).slots()

    ask()
    with CaptureQueriesContext(connection) as before:
        ask()
    for role in ("business_owner", "technical_lead", "security"):
        case.sign(review, role)
    for _n in range(4):
        confirmed(case, person_with("domain_expert", case.use_case))
        one, two = person_with(RISK, UnitFactory.create()), person_with(RISK, UnitFactory.create())
        delegate(giver=one, stand_in=two, role=RISK, ends_at=timezone.now() + timedelta(days=2), by=one)
    with CaptureQueriesContext(connection) as after:
        ask()
    assert len(after) == len(before) + 1  # whether who stands in, and for whom, still holds the role


# -- Votes that end ------------------------------------------------------------------------------------------------
