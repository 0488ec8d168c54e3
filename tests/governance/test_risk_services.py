"""Who may classify, confirm, raise and lower a tier, and what becomes of the use case."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from governance import services
from governance.models import RiskClassification
from governance.risk.questions import questionnaire
from kernel.errors import Conflict, Invalid, NotReady
from portfolio.models import UseCase
from tests.factories.accounts import give, person_with
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db

FACTORS = {factor.key: 1 for factor in questionnaire().factors}
MINIMAL: dict[str, Any] = {"principal_basis": "no", "factors": {**FACTORS, "F-SEVERITY": 0}}
LIMITED = {**MINIMAL, "transparency": ["interaction"]}
MIDDLING = {**MINIMAL, "factors": {**FACTORS, "F-SCALE": 4, "F-CRITICAL": 4, "F-EXPLAIN": 3}}
HIGH = {**MINIMAL, "principal_basis": "yes", "effects": ["rights"]}
PROVISIONAL = {**HIGH, "factors": {"F-SEVERITY": 1}}


def classified(answers: dict[str, Any], use_case: UseCase | None = None) -> RiskClassification:
    use_case = use_case or UseCaseFactory.create()
    return services.classify(use_case=use_case, answers=answers, by=person_with("technical_lead", use_case))


def tier_of(use_case: UseCase) -> tuple[str, str]:
    use_case.refresh_from_db()
    return use_case.tier, use_case.tier_source


def risk_officer() -> Any:
    return person_with("risk_compliance", organisation())


def test_classification_sets_the_tier_of_the_use_case() -> None:
    found = classified(LIMITED)
    assert (found.tier, found.reasons, found.is_current) == ("limited", ["ART50-interaction"], True)
    assert tier_of(found.use_case) == ("limited", "questionnaire")


def test_new_classification_replaces_the_one_before_and_keeps_it() -> None:
    first = classified(LIMITED)
    second = classified(HIGH, first.use_case)
    assert list(RiskClassification.objects.filter(is_current=True)) == [second]
    assert RiskClassification.objects.count() == 2


def test_lower_result_takes_effect_when_risk_confirms_it() -> None:
    first = classified(HIGH)
    second = classified(MINIMAL, first.use_case)
    assert tier_of(first.use_case)[0] == "high"
    services.confirm_tier(classification=second, by=risk_officer())
    assert tier_of(first.use_case) == ("minimal", "questionnaire")


def test_stranger_cannot_classify() -> None:
    with pytest.raises(PermissionDenied):
        services.classify(
            use_case=UseCaseFactory.create(), answers=MINIMAL, by=person_with("use_case_lead", UseCaseFactory.create())
        )


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"prohibited": {"a": "perhaps"}}, "prohibited.a"),
        ({"prohibited": {"zz": "no"}}, "prohibited.zz"),
        ({"factors": {"F-SEVERITY": 5}}, "factors.F-SEVERITY"),
        ({"factors": {"F-SEVERITY": "NaN"}}, "factors.F-SEVERITY"),
        ({"factors": [1, 2]}, "factors"),
        ({"annex_iii": ["9z"]}, "annex_iii"),
        ({"annex_iii": "4a"}, "annex_iii"),
        ({"gpai": "some"}, "gpai"),
    ],
)
def test_unknown_answers_are_refused_by_name(answers: dict[str, Any], field: str) -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    with pytest.raises(Invalid) as caught:
        services.classify(use_case=use_case, answers=answers, by=lead)
    assert field in caught.value.errors
    assert not RiskClassification.objects.exists()


def test_risk_confirms_a_complete_classification() -> None:
    officer = risk_officer()
    found = services.confirm_tier(classification=classified(HIGH), by=officer)
    assert (found.confirmed_by, found.confirmed_role) == (officer, "risk_compliance")


def test_classifier_cannot_confirm_own_classification() -> None:
    officer = risk_officer()
    found = services.classify(use_case=UseCaseFactory.create(), answers=MINIMAL, by=officer)
    with pytest.raises(PermissionDenied, match="you classified"):
        services.confirm_tier(classification=found, by=officer)


def test_technical_lead_cannot_confirm() -> None:
    found = classified(MINIMAL)
    with pytest.raises(PermissionDenied):
        services.confirm_tier(classification=found, by=person_with("technical_lead", found.use_case))


def test_provisional_high_tier_cannot_be_confirmed() -> None:
    with pytest.raises(NotReady, match="unknown"):
        services.confirm_tier(classification=classified(PROVISIONAL), by=risk_officer())


def test_minimal_tier_bears_two_unknown_answers() -> None:
    factors = {key: 0 for key in FACTORS if key not in {"F-THIRD", "F-NOVEL"}}
    found = classified({"principal_basis": "no", "factors": factors})
    assert (found.tier, found.provisional) == ("minimal", True)
    services.confirm_tier(classification=found, by=risk_officer())


def test_tier_is_confirmed_once_and_only_while_current() -> None:
    first, officer = classified(LIMITED), risk_officer()
    services.confirm_tier(classification=first, by=officer)
    with pytest.raises(Conflict):
        services.confirm_tier(classification=first, by=officer)
    classified(HIGH, first.use_case)
    with pytest.raises(Conflict, match="classified again"):
        services.confirm_tier(classification=first, by=officer)


def test_security_raises_the_tier_with_a_reason() -> None:
    found = classified(LIMITED)
    security = person_with("security", organisation())
    services.override_tier(classification=found, tier="high", reason="Reaches into payments.", by=security)
    assert tier_of(found.use_case) == ("high", "override")


def test_raising_needs_a_reason_and_a_known_tier() -> None:
    found, officer = classified(LIMITED), risk_officer()
    with pytest.raises(Invalid) as caught:
        services.override_tier(classification=found, tier="extreme", reason=" ", by=officer)
    assert set(caught.value.errors) == {"tier", "reason"}


def test_one_person_cannot_lower_by_overriding() -> None:
    with pytest.raises(Invalid, match="does not raise"):
        services.override_tier(classification=classified(HIGH), tier="limited", reason="Too strict.", by=risk_officer())


def test_use_case_lead_cannot_raise() -> None:
    found = classified(LIMITED)
    with pytest.raises(PermissionDenied):
        services.override_tier(
            classification=found, tier="high", reason="x", by=person_with("use_case_lead", found.use_case)
        )


def test_raised_tier_survives_new_answers() -> None:
    found = classified(LIMITED)
    services.override_tier(classification=found, tier="high", reason="Payments.", by=risk_officer())
    again = classified(LIMITED, found.use_case)
    assert (again.tier, again.effective_tier, again.override_reason) == ("limited", "high", "Payments.")
    services.confirm_tier(classification=again, by=risk_officer())
    assert tier_of(found.use_case) == ("high", "override")


def test_risk_and_legal_lower_a_tier_together() -> None:
    found = classified(MIDDLING)
    assert found.tier == "limited"
    asked = services.request_tier_lowering(
        classification=found, tier="minimal", reason="Internal only.", by=risk_officer()
    )
    assert tier_of(found.use_case)[0] == "limited"
    legal = person_with("legal_privacy", organisation())
    services.confirm_tier_lowering(lowering=asked, by=legal)
    assert tier_of(found.use_case) == ("minimal", "override")


def test_two_people_of_risk_cannot_lower_a_tier() -> None:
    asked = services.request_tier_lowering(
        classification=classified(MIDDLING), tier="minimal", reason="x", by=risk_officer()
    )
    with pytest.raises(PermissionDenied, match="Legal and privacy"):
        services.confirm_tier_lowering(lowering=asked, by=risk_officer())


def test_one_person_with_both_roles_cannot_lower_alone() -> None:
    both = risk_officer()
    give(both, "legal_privacy", organisation())
    asked = services.request_tier_lowering(classification=classified(MIDDLING), tier="minimal", reason="x", by=both)
    with pytest.raises(PermissionDenied, match="second person"):
        services.confirm_tier_lowering(lowering=asked, by=both)


def test_nobody_lowers_below_what_law_sets() -> None:
    with pytest.raises(Invalid, match="Law sets limited"):
        services.request_tier_lowering(
            classification=classified({**LIMITED, **MIDDLING, "transparency": ["interaction"]}),
            tier="minimal",
            reason="x",
            by=risk_officer(),
        )


def test_refused_lowering_leaves_the_tier() -> None:
    found = classified(MIDDLING)
    asked = services.request_tier_lowering(classification=found, tier="minimal", reason="x", by=risk_officer())
    services.refuse_tier_lowering(lowering=asked, by=person_with("legal_privacy", organisation()), reason="No.")
    assert tier_of(found.use_case)[0] == "limited"
    with pytest.raises(Conflict):
        services.confirm_tier_lowering(lowering=asked, by=person_with("legal_privacy", organisation()))


def test_unsure_prohibited_answer_holds_until_legal_releases_it() -> None:
    found = classified({**MINIMAL, "prohibited": {"c": "unsure"}})
    found.use_case.refresh_from_db()
    assert found.use_case.legal_hold
    classified(MINIMAL, found.use_case)
    found.use_case.refresh_from_db()
    assert found.use_case.legal_hold, "answering anew must not end the hold"
    with pytest.raises(PermissionDenied):
        services.release_legal_hold(use_case=found.use_case, by=risk_officer(), reason="Fine.")
    legal = person_with("legal_privacy", organisation())
    services.release_legal_hold(use_case=found.use_case, by=legal, reason="No scoring over time.")
    found.use_case.refresh_from_db()
    assert not found.use_case.legal_hold


def test_level_of_a_risk_follows_from_likelihood_and_impact() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    levels = [
        services.add_risk(use_case=use_case, title="R", likelihood=a, impact=b, by=lead).inherent
        for a, b in ((1, 4), (3, 3), (4, 4), (5, 5))
    ]
    assert levels == ["low", "medium", "high", "critical"]


def test_lower_residual_needs_a_treatment() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    with pytest.raises(Invalid) as caught:
        services.add_risk(use_case=use_case, title="R", likelihood=4, impact=4, residual="low", by=lead)
    assert "treatment" in caught.value.errors


def test_risk_is_accepted_by_the_role_its_level_asks_for() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    low = services.add_risk(use_case=use_case, title="Low", likelihood=1, impact=2, by=lead)
    high = services.add_risk(use_case=use_case, title="High", likelihood=4, impact=4, by=lead)
    critical = services.add_risk(use_case=use_case, title="Critical", likelihood=5, impact=5, by=lead)
    owner = person_with("business_owner", use_case)
    board = person_with("ai_governance_board", organisation())
    assert services.accept_risk(risk=low, by=owner).accepted_role == "business_owner"
    with pytest.raises(PermissionDenied, match="board"):
        services.accept_risk(risk=high, by=owner)
    assert services.accept_risk(risk=high, by=board).state == "accepted"
    with pytest.raises(Conflict, match="critical"):
        services.accept_risk(risk=critical, by=board)


def test_medium_risk_takes_risk_and_compliance_before_the_sponsor() -> None:
    use_case = UseCaseFactory.create()
    risk = services.add_risk(use_case=use_case, title="R", likelihood=3, impact=3, by=risk_officer())
    sponsor = person_with("business_sponsor", use_case)
    with pytest.raises(NotReady):
        services.accept_risk(risk=risk, by=sponsor)
    services.concur_with_risk(risk=risk, by=risk_officer())
    assert services.accept_risk(risk=risk, by=sponsor).accepted_role == "business_sponsor"


def test_owner_of_a_risk_cannot_accept_it() -> None:
    use_case = UseCaseFactory.create()
    owner = person_with("business_owner", use_case)
    risk = services.add_risk(use_case=use_case, title="R", likelihood=1, impact=1, by=owner, owner=owner)
    with pytest.raises(PermissionDenied, match="you own it"):
        services.accept_risk(risk=risk, by=owner)


def test_accepted_risk_is_open_again_when_its_level_changes() -> None:
    use_case = UseCaseFactory.create()
    owner = person_with("business_owner", use_case)
    risk = services.add_risk(use_case=use_case, title="R", likelihood=1, impact=1, by=owner)
    services.accept_risk(risk=risk, by=owner)
    changed = services.edit_risk(risk=risk, changes={"likelihood": 4, "impact": 4, "residual": "high"}, by=owner)
    assert (changed.state, changed.accepted_by, changed.inherent) == ("treated", None, "high")
