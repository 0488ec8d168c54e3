"""The rule that turns answers into a tier: its test vectors, and what must hold whatever the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from governance.risk.questions import TIERS, questionnaire
from governance.risk.rule import Classification, classify, rank

VECTORS = yaml.safe_load(Path(__file__).with_name("risk_vectors.yaml").read_text(encoding="utf-8"))
QUESTIONS = questionnaire()
CALM: dict[str, Any] = {
    "annex_iii": [],
    "transparency": [],
    "gpai": "none",
    "principal_basis": "no",
    "factors": {factor.key: 0 for factor in QUESTIONS.factors},
}

factors = st.fixed_dictionaries({f.key: st.none() | st.integers(0, 4) for f in QUESTIONS.factors})
prohibited = st.fixed_dictionaries({}, optional={q.key: st.sampled_from(list(q.options)) for q in QUESTIONS.prohibited})
answer_sets = st.fixed_dictionaries(
    {
        "factors": factors,
        "prohibited": prohibited,
        **{
            name: st.lists(st.sampled_from([i.key for i in items]), unique=True)
            for name, items in QUESTIONS.multiple.items()
        },
    },
    optional={question.key: st.sampled_from(list(question.options)) for question in QUESTIONS.single},
)


def with_(**changes: Any) -> Classification:
    return classify({**CALM, **changes})


def factor(**changes: int | None) -> Classification:
    return with_(factors={**CALM["factors"], **{f"F-{key}": value for key, value in changes.items()}})


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_vector_gives_the_expected_classification(vector: dict[str, Any]) -> None:
    found, expected = classify(vector["answers"]), vector["expect"]
    assert (found.tier, found.score, found.provisional, found.legal_hold) == (
        expected["tier"],
        expected["score"],
        expected["provisional"],
        expected["legal_hold"],
    )
    assert set(found.reasons) == set(expected["reasons"])


def test_nothing_special_is_minimal_because_of_its_score() -> None:
    found = with_()
    assert (found.tier, found.score, found.reasons, found.duties) == ("minimal", 0, ("SCORE",), ("EU-4.1",))


def test_prohibited_answer_is_prohibited_and_counted() -> None:
    found = with_(prohibited={"c": "yes", "e": "yes"})
    assert (found.tier, found.prohibited_hits, found.legal_hold) == ("prohibited", 2, False)
    assert found.reasons == ("PROHIBITED-c", "PROHIBITED-e")


def test_unsure_prohibited_answer_holds_until_legal_decides() -> None:
    found = with_(prohibited={"a": "unsure"})
    assert (found.tier, found.legal_hold, found.provisional, found.unknown_count) == ("high", True, True, 1)
    assert found.reasons == ("HOLD-a",)


def test_named_exception_is_high_without_a_hold() -> None:
    found = with_(prohibited={"f": "medical_or_safety"})
    assert (found.tier, found.legal_hold, found.reasons) == ("high", False, ("EXCEPTION-f",))


@pytest.mark.parametrize("answer", ["yes", "unsure"])
def test_annex_one_product_is_high(answer: str) -> None:
    found = with_(annex_i=answer)
    assert found.reasons == ("ANNEX-I",)
    assert "EU-43.3" in found.duties


def test_comfort_function_of_a_product_is_not_high() -> None:
    assert with_(annex_i="comfort_or_optimisation_only").tier == "minimal"


EXEMPT = {
    "annex_iii": ["4a"],
    "profiling": "no",
    "material_influence": "no",
    "exemption": "a",
    "exemption_documented": "yes",
}


def test_documented_exemption_is_limited() -> None:
    found = with_(**EXEMPT)
    assert (found.tier, found.reasons) == ("limited", ("ANNEX-III-EXEMPT",))
    assert {"EU-6.4", "EU-49.2"} <= set(found.duties)


@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        ({"profiling": "yes"}, "profiling"),
        ({"profiling": "unsure"}, "profiling"),
        ({"profiling": None}, "profiling"),
        ({"material_influence": "unsure"}, "material_influence"),
        ({"exemption": "none"}, "no_condition"),
        ({"exemption_documented": "no"}, "not_documented"),
        ({"profiling": "yes", "exemption": "none"}, "profiling"),
    ],
)
def test_exemption_fails_for_its_first_obstacle(change: dict[str, Any], obstacle: str) -> None:
    found = with_(**{**EXEMPT, **change})
    assert (found.tier, found.triggers[0].code, found.triggers[0].detail) == ("high", "ANNEX-III", obstacle)


def test_infrastructure_alone_needs_no_rights_assessment() -> None:
    assert "EU-27.1" not in with_(annex_iii=["2"], profiling="yes").duties
    assert "EU-27.1" in with_(annex_iii=["2", "5b"], profiling="yes").duties


def test_talking_to_people_is_at_least_limited() -> None:
    found = with_(transparency=["interaction"])
    assert (found.tier, found.reasons) == ("limited", ("ART50-interaction",))
    assert "EU-50.1" in found.duties


@pytest.mark.parametrize(
    ("use", "tier", "flags"),
    [
        ("none", "minimal", ()),
        ("api_use", "minimal", ("GPAI-USED",)),
        ("fine_tuned", "minimal", ("GPAI-MODIFIED",)),
        ("own_model", "limited", ()),
        ("systemic", "high", ()),
    ],
)
def test_general_purpose_models(use: str, tier: str, flags: tuple[str, ...]) -> None:
    found = with_(gpai=use)
    assert (found.tier, found.flags) == (tier, flags)


def test_principal_basis_needs_an_effect_to_be_high() -> None:
    assert with_(principal_basis="yes").tier == "minimal"
    assert with_(principal_basis="yes", effects=["rights"]).reasons == ("HIGH-IMPACT",)


def test_unsure_principal_basis_counts_as_yes_and_is_unknown() -> None:
    found = with_(principal_basis="unsure", effects=["rights"])
    assert (found.tier, found.provisional, found.unknown_count) == ("high", True, 1)


def test_presumed_use_is_high_unless_rebutted_in_writing() -> None:
    assert with_(presumed=["m"]).reasons == ("PRESUMED",)
    assert with_(presumed=["m"], rebuttal="written_determination").reasons == ("PRESUMED-REBUTTED",)
    assert with_(presumed=["m"], rebuttal="written_determination", principal_basis="yes").tier == "high"


def test_uses_of_the_older_list_are_limited_unless_output_decides() -> None:
    assert with_(presumed=["x3"]).tier == "limited"
    assert with_(presumed=["x3"], principal_basis="yes").reasons == ("PRESUMED-2024",)


@pytest.mark.parametrize(
    ("changes", "code", "tier"),
    [
        ({"SEVERITY": 4}, "X1", "high"),
        ({"AUTONOMY": 3, "REVERSE": 3, "SEVERITY": 2}, "X2", "high"),
        ({"VULN": 3, "SEVERITY": 2}, "X3", "high"),
        ({"DATA": 4, "SEVERITY": 3}, "X4", "high"),
        ({"DATA": 4, "AUTONOMY": 2}, "X5", "limited"),
        ({"AUTONOMY": 4, "SCALE": 3}, "X6", "limited"),
        ({"THIRD": 4, "SEVERITY": 2}, "X7", "limited"),
        ({"NOVEL": 4, "EXPOSE": 2}, "X8", "limited"),
    ],
)
def test_escalator_sets_its_floor_and_nothing_less_does(changes: dict[str, int], code: str, tier: str) -> None:
    found = factor(**changes)
    assert (found.tier, found.reasons) == (tier, (code,))
    for name, value in changes.items():
        assert code not in factor(**{**changes, name: value - 1}).reasons


@pytest.mark.parametrize(("weights", "score", "tier"), [(29, 29, "minimal"), (30, 30, "limited"), (55, 55, "high")])
def test_bands_start_where_they_say(weights: int, score: int, tier: str) -> None:
    from governance.risk.rule import band

    assert band(score, QUESTIONS) == tier
    assert weights == score


def test_unknown_factor_counts_as_most_and_is_flagged() -> None:
    found = factor(CRITICAL=None)
    assert (found.score, found.provisional, found.flags) == (7, True, ("UNKNOWN-F-CRITICAL",))


@given(answer_sets, st.data())
def test_raising_a_factor_never_lowers_score_or_tier(answers: dict[str, Any], data: st.DataObject) -> None:
    known = [key for key, value in answers["factors"].items() if value is not None and value < 4]
    if not known:
        return
    key = data.draw(st.sampled_from(known))
    higher = data.draw(st.integers(answers["factors"][key] + 1, 4) | st.none())
    before, after = classify(answers), classify({**answers, "factors": {**answers["factors"], key: higher}})
    assert after.score >= before.score
    assert rank(after.tier) >= rank(before.tier)


@given(answer_sets)
def test_every_floor_holds_and_reasons_are_exactly_those_that_set_the_tier(answers: dict[str, Any]) -> None:
    found = classify(answers)
    assert all(rank(found.tier) >= rank(trigger.floor) for trigger in found.triggers)
    assert {t.code for t in found.triggers if t.floor == found.tier} == set(found.reasons)
    assert not set(found.reasons) & set(found.contributing)
    assert rank(found.legal_floor) <= rank(found.tier)
    assert found.tier in TIERS
    assert found.provisional == (found.unknown_count > 0)


@given(answer_sets)
def test_the_same_answers_always_give_the_same_classification(answers: dict[str, Any]) -> None:
    assert classify(answers) == classify(answers)
