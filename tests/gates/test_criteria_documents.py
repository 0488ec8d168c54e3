"""Fields, documents, attestations, questionnaires, risks, declarations and approvals: judged without a database."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gates.criterion import Outcome, criterion_types
from tests.gates.judging import NOW, ago, facts, judge

FILLED = {"problem_statement": "Letters take two weeks.", "target_users": "Clerks"}


def test_filled_fields_are_met() -> None:
    found = judge("field_present", {"fields": ["problem_statement", "target_users"]}, facts(profile=FILLED))
    assert found.outcome is Outcome.MET
    assert found.observed == "all 2 filled"


@pytest.mark.parametrize("text", ["", "  ", "TBD", "n/a", "?"])
def test_placeholders_are_missing_and_the_field_is_named(text: str) -> None:
    known = facts(profile={**FILLED, "target_users": text})
    found = judge("field_present", {"fields": ["problem_statement", "target_users"]}, known)
    assert found.outcome is Outcome.MISSING
    assert "target users" in found.reason


def test_filled_fields_outside_their_limit_are_not_met() -> None:
    known = facts(profile={"plan": {"budget_end_date": NOW.date() + timedelta(days=70)}})
    found = judge("field_present", {"fields": ["budget_end_date"]}, known, bound=("funded_months", ">=", 12))
    assert found.outcome is Outcome.NOT_MET
    assert "2" in found.reason


def test_a_measure_that_is_not_on_record_is_missing_however_full_the_fields_are() -> None:
    known = facts(profile=FILLED)
    found = judge("field_present", {"fields": ["problem_statement"]}, known, bound=("funded_months", ">=", 12))
    assert found.outcome is Outcome.MISSING


def document(**more: Any) -> dict[str, Any]:
    return {
        "id": 4,
        "doc_type": "poc_charter",
        "title": "PoC charter",
        "revision": 2,
        "status": "reviewed",
        "filled": ["scope", "success_criteria"],
        "measures": {},
        "tested_at": None,
        "written_at": ago(100),
        "approved_at": None,
        "sha256": "ab" * 32,
        "describes_number": None,
        **more,
    }


CHARTER = {"doc_types": ["poc_charter"], "min_status": "reviewed", "sections": ["scope"]}


def test_a_document_with_status_and_sections_is_met_and_says_until_when() -> None:
    found = judge("document", CHARTER, facts(documents={"poc_charter": document()}), days=365)
    assert found.outcome is Outcome.MET
    assert found.valid_until == ago(100) + timedelta(days=365)
    assert found.evidence[0].digest == "ab" * 32


def test_no_document_is_missing() -> None:
    found = judge("document", CHARTER)
    assert found.outcome is Outcome.MISSING
    assert "poc charter" in found.reason


@pytest.mark.parametrize(
    ("row", "word"),
    [({"status": "draft"}, "draft"), ({"filled": []}, "lacks scope")],
)
def test_a_document_short_of_status_or_sections_is_not_met(row: dict[str, Any], word: str) -> None:
    found = judge("document", CHARTER, facts(documents={"poc_charter": document(**row)}))
    assert found.outcome is Outcome.NOT_MET
    assert word in found.reason


def test_an_untried_runbook_is_not_met_where_it_has_to_be_tried() -> None:
    found = judge("document", {**CHARTER, "tested": True}, facts(documents={"poc_charter": document()}))
    assert found.outcome is Outcome.NOT_MET


def test_an_old_document_is_stale_and_says_since_when() -> None:
    found = judge("document", CHARTER, facts(documents={"poc_charter": document()}), days=90)
    assert found.outcome is Outcome.STALE
    assert found.valid_until == ago(10)


def test_a_document_is_stale_after_a_change_that_voids_it() -> None:
    known = facts(documents={"poc_charter": document()}, changes={"purpose": ago(5)})
    found = judge("document", CHARTER, known, voided_by=("purpose", "data"))
    assert found.outcome is Outcome.STALE
    assert "purpose" in found.reason


def test_a_change_before_the_document_voids_nothing() -> None:
    known = facts(documents={"poc_charter": document()}, changes={"purpose": ago(200)})
    assert judge("document", CHARTER, known, voided_by=("purpose",)).outcome is Outcome.MET


def test_a_document_that_does_not_state_its_figure_is_missing() -> None:
    known = facts(documents={"poc_charter": document()})
    assert judge("document", CHARTER, known, bound=("users_covered", ">=", 80)).outcome is Outcome.MISSING
    stated = facts(documents={"poc_charter": document(measures={"users_covered": 79.9})})
    assert judge("document", CHARTER, stated, bound=("users_covered", ">=", 80)).outcome is Outcome.NOT_MET


def attestation(role: str, **more: Any) -> dict[str, Any]:
    return {
        "id": 9,
        "kind": "attestation",
        "evidence_type": "",
        "criterion": "X-01",
        "role": role,
        "title": f"Statement of {role}",
        "items": [],
        "sample_size": None,
        "sha256": "cd" * 32,
        "added_by_id": 1,
        "added_at": ago(30),
        "verified_by_id": None,
        "valid_until": None,
        **more,
    }


BOTH = {"by": ["business_sponsor", "business_owner"]}


def test_an_attestation_needs_every_named_role() -> None:
    one = facts(evidence=[attestation("business_owner")])
    assert judge("attestation", BOTH, one).outcome is Outcome.MISSING
    both = facts(evidence=[attestation("business_owner"), attestation("business_sponsor")])
    assert judge("attestation", BOTH, both).outcome is Outcome.MET


def test_an_attestation_of_another_criterion_does_not_count() -> None:
    other = facts(evidence=[attestation(r, criterion="X-02") for r in BOTH["by"]])
    assert judge("attestation", BOTH, other).outcome is Outcome.MISSING


def test_an_attestation_without_a_named_item_is_not_met() -> None:
    known = facts(evidence=[attestation(r, items=["scope"]) for r in BOTH["by"]])
    found = judge("attestation", {**BOTH, "items": ["scope", "data"]}, known)
    assert found.outcome is Outcome.NOT_MET
    assert "data" in found.reason


def test_an_attestation_over_too_small_a_sample_is_not_met() -> None:
    known = facts(evidence=[attestation("business_owner", sample_size=19)])
    ask = {"by": ["business_owner"], "min_sample": 20}
    assert judge("attestation", ask, known).outcome is Outcome.NOT_MET
    known["evidence"][0]["sample_size"] = 20
    assert judge("attestation", ask, known).outcome is Outcome.MET


def test_an_attestation_is_as_old_as_its_oldest_part() -> None:
    known = facts(evidence=[attestation("business_owner"), attestation("business_sponsor", added_at=ago(181))])
    assert judge("attestation", BOTH, known, days=180).outcome is Outcome.STALE


def answers(**more: Any) -> dict[str, Any]:
    row = {"id": 5, "score": Decimal("71.00"), "dimensions": {"value": 80.0, "data": 40.0}, "complete": True}
    return {"prioritisation": {**row, "answered_at": ago(10), **more}}


SCORE: dict[str, Any] = {"questionnaire": "prioritisation"}


def test_a_score_is_met_not_met_missing_and_stale() -> None:
    limit = ("score", ">=", 70)
    assert judge("questionnaire_score", SCORE, facts(questionnaires=answers()), bound=limit).outcome is Outcome.MET
    low = facts(questionnaires=answers(score=Decimal("69.99")))
    assert judge("questionnaire_score", SCORE, low, bound=limit).outcome is Outcome.NOT_MET
    assert judge("questionnaire_score", SCORE, facts(), bound=limit).outcome is Outcome.MISSING
    half = facts(questionnaires=answers(complete=False))
    assert judge("questionnaire_score", SCORE, half, bound=limit).outcome is Outcome.MISSING
    found = judge("questionnaire_score", SCORE, facts(questionnaires=answers()), bound=limit, days=9)
    assert found.outcome is Outcome.STALE


def test_a_weak_dimension_is_not_met_whatever_the_sum() -> None:
    known = facts(questionnaires=answers())
    found = judge("questionnaire_score", {**SCORE, "min_dimension": 50}, known, bound=("score", ">=", 70))
    assert found.outcome is Outcome.NOT_MET
    assert "data" in found.reason


def classification(**more: Any) -> dict[str, Any]:
    return {
        "id": 6,
        "tier": "limited",
        "override_tier": "",
        "score": 40,
        "provisional": False,
        "legal_hold": False,
        "unknown_count": 0,
        "prohibited_hits": 0,
        "classified_at": ago(15),
        "classified_by_id": 1,
        "confirmed_at": ago(14),
        "confirmed_role": "risk_compliance",
        **more,
    }


def risk(**more: Any) -> dict[str, Any]:
    return {
        "id": 8,
        "title": "Wrong letter",
        "inherent": "high",
        "residual": "low",
        "state": "treated",
        "owner_id": 1,
        "accepted_by_id": 2,
        "accepted_role": "risk_compliance",
        "raised_at": ago(30),
        **more,
    }


def risks(classified: Any = None, *register: Any) -> dict[str, Any]:
    return facts(risks={"classification": classified, "register": list(register)})


CONFIRMED = {"questionnaire": True, "confirmed_by": "risk_compliance"}


def test_a_confirmed_classification_is_met_until_it_is_too_old() -> None:
    assert judge("risk_assessment", CONFIRMED, risks(classification())).outcome is Outcome.MET
    assert judge("risk_assessment", CONFIRMED, risks(classification()), days=14).outcome is Outcome.STALE


def test_an_unconfirmed_or_absent_classification_is_missing() -> None:
    assert judge("risk_assessment", CONFIRMED, risks()).outcome is Outcome.MISSING
    assert judge("risk_assessment", CONFIRMED, risks(classification(confirmed_at=None))).outcome is Outcome.MISSING


def test_a_legal_hold_or_too_many_unknown_answers_are_not_met() -> None:
    assert judge("risk_assessment", CONFIRMED, risks(classification(legal_hold=True))).outcome is Outcome.NOT_MET
    unsure = risks(classification(unknown_count=3))
    assert judge("risk_assessment", CONFIRMED, unsure, bound=("unknown", "<=", 2)).outcome is Outcome.NOT_MET


def test_a_prohibited_answer_is_not_met() -> None:
    ask = {"questionnaire": True, "section": "prohibited"}
    hit = risks(classification(prohibited_hits=1))
    assert judge("risk_assessment", ask, hit, bound=("prohibited", "<=", 0)).outcome is Outcome.NOT_MET
    assert judge("risk_assessment", ask, risks(classification()), bound=("prohibited", "<=", 0)).outcome is Outcome.MET


REGISTER = {"register": True, "max_residual": "medium", "acceptance": "by_matrix"}


def test_a_register_is_missing_empty_met_treated_and_not_met_above_the_limit() -> None:
    assert judge("risk_assessment", REGISTER, risks(None)).outcome is Outcome.MISSING
    assert judge("risk_assessment", REGISTER, risks(None, risk())).outcome is Outcome.MET
    assert judge("risk_assessment", REGISTER, risks(None, risk(residual="high"))).outcome is Outcome.NOT_MET
    unaccepted = risk(residual="medium", accepted_by_id=None)
    assert judge("risk_assessment", REGISTER, risks(None, unaccepted)).outcome is Outcome.NOT_MET
    assert judge("risk_assessment", REGISTER, risks(None, risk(residual="high", state="closed"))).outcome is Outcome.MET


def declared(**answer: str) -> dict[str, Any]:
    rows = {
        name: {"id": 1, "practice": name, "answer": said, "detail": f"About {name}.", "source": "2024 inventory"}
        for name, said in answer.items()
    }
    return facts(declarations=rows)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"a": "yes", "b": "yes"}, Outcome.MET),
        ({"a": "yes", "b": "no"}, Outcome.NOT_MET),
        ({"a": "yes"}, Outcome.MISSING),
        ({"a": "waived", "b": "waived"}, Outcome.WAIVED),
        ({"a": "not_applicable", "b": "not_applicable"}, Outcome.NOT_APPLICABLE),
    ],
)
def test_declared_practices(said: dict[str, str], outcome: Outcome) -> None:
    assert judge("declaration", {"practices": ["a", "b"]}, declared(**said)).outcome is outcome


def test_one_of_several_practices_is_enough_where_the_policy_says_so() -> None:
    ask = {"practices": ["a", "b"], "any_of": True}
    assert judge("declaration", ask, declared(a="yes")).outcome is Outcome.MET
    assert judge("declaration", ask, declared()).outcome is Outcome.MISSING
    assert judge("declaration", ask, declared(a="no")).outcome is Outcome.NOT_MET


def signatures(*roles: str, state: str = "open", **votes: list[str]) -> dict[str, Any]:
    review = {"slots": [{"role": role} for role in roles], "votes": votes, "state": state}
    return facts(signatures={"idea_to_poc": {**review, "signed_at": ago(1), "submitted_at": ago(2)}})


MATRIX = {"matrix": "tier"}


def test_all_roles_of_the_matrix_have_to_sign() -> None:
    pair = ("business_owner", "technical_lead")
    assert judge("approval", MATRIX).outcome is Outcome.MISSING
    assert judge("approval", MATRIX, signatures(*pair, business_owner=["approve"])).outcome is Outcome.MISSING
    both = signatures(*pair, business_owner=["approve"], technical_lead=["approve_with_conditions"])
    assert judge("approval", MATRIX, both).outcome is Outcome.MET
    refused = signatures(*pair, business_owner=["approve"], technical_lead=["reject"])
    assert judge("approval", MATRIX, refused).outcome is Outcome.NOT_MET
    assert judge("approval", MATRIX, both, days=1).outcome is Outcome.STALE


def test_a_board_needs_three_votes_and_a_majority() -> None:
    board = "ai_governance_board"
    assert judge("approval", MATRIX, signatures(board, ai_governance_board=["approve"])).outcome is Outcome.MISSING
    tied = signatures(board, ai_governance_board=["approve", "approve", "reject", "reject"])
    assert judge("approval", MATRIX, tied).outcome is Outcome.NOT_MET
    won = signatures(board, ai_governance_board=["approve", "approve", "reject"])
    assert judge("approval", MATRIX, won).outcome is Outcome.MET


ACCESS = {"of": "data_access_request", "roles": ["data_steward"]}


def request(**more: Any) -> dict[str, Any]:
    row = {"id": 2, "state": "granted", "decided_role": "data_steward", "decided_at": ago(5), "purpose": "Train"}
    return facts(controls={"data_access": [{**row, "valid_until": None, **more}]})


def test_access_to_data_is_approved_by_the_named_role() -> None:
    assert judge("approval", ACCESS, request()).outcome is Outcome.MET
    assert judge("approval", ACCESS).outcome is Outcome.MISSING
    assert judge("approval", ACCESS, request(state="open", decided_at=None)).outcome is Outcome.MISSING
    assert judge("approval", ACCESS, request(state="refused")).outcome is Outcome.NOT_MET
    assert judge("approval", ACCESS, request(decided_role="technical_lead")).outcome is Outcome.NOT_MET
    assert judge("approval", ACCESS, request(valid_until=ago(1))).outcome is Outcome.STALE


def test_every_type_says_what_people_have_to_know() -> None:
    assert len(criterion_types) == 15
    for kind in criterion_types:
        assert str(kind.label)
        assert str(kind.passes_when).endswith(".")
        assert kind.place
        assert kind.needs


def test_a_register_states_what_the_policy_asks_of_every_integration_point() -> None:
    ask = {"doc_types": ["integration_register"], "fields": ["requirement", "feasible"]}
    register = {"integration_register": document(doc_type="integration_register")}
    point = {"name": "SAP", "requirement": "Orders", "constraint": "", "failure_mode": "", "feasible": None}

    def known(*points: dict[str, Any]) -> dict[str, Any]:
        return facts(documents=register, controls={"integrations": list(points)})

    assert judge("document", ask, known()).outcome is Outcome.NOT_MET
    unclear = judge("document", ask, known(point))
    assert unclear.outcome is Outcome.NOT_MET
    assert "feasible" in unclear.reason
    assert judge("document", ask, known({**point, "feasible": False})).outcome is Outcome.MET


def test_unknown_answers_leave_a_classification_incomplete() -> None:
    ask = {"questionnaire": True, "complete": True}
    assert judge("risk_assessment", ask, risks(classification(unknown_count=1))).outcome is Outcome.MISSING
    assert judge("risk_assessment", ask, risks(classification())).outcome is Outcome.MET
