"""Two policies are compared rule by rule, and each difference is tighter, looser or other."""

from __future__ import annotations

import pytest

from gates.policy_changes import Effect, changes
from gates.policy_reading import read_policy
from tests.factories.gates import small_text


def told(old: str, new: str, *, text: str | None = None) -> list[tuple[str, str, str]]:
    """(rule, what, effect) after one replacement in the small policy."""
    before = text or small_text()
    assert old in before
    bodies = read_policy(before, "a"), read_policy(before.replace(old, new, 1), "b")
    forth = [(c.rule, c.what, str(c.effect)) for c in changes(*bodies)]
    back = [(c.rule, c.what, str(c.effect)) for c in changes(*reversed(bodies))]
    turned = {"tightened": "loosened", "loosened": "tightened"}
    assert sorted(back) == sorted((rule, what, turned.get(effect, effect)) for rule, what, effect in forth)
    return forth


def test_the_same_policy_differs_in_nothing() -> None:
    assert changes(read_policy(small_text(), "a"), read_policy("# a note\n" + small_text(), "b")) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("high: 0.9, unit", "high: 0.95, unit", ("IP-02", "threshold, high tier", "tightened")),
        ("high: 0.9, unit", "high: 0.85, unit", ("IP-02", "threshold, high tier", "loosened")),
        ('op: "<=", minimal: 0,', 'op: "<=", minimal: 2,', ("IP-03", "threshold, minimal tier", "loosened")),
        ("{minimal: not_applicable, limited: advisory", "{minimal: advisory, limited: advisory",
         ("IP-02", "minimal tier", "tightened")),
        ("owner: technical_lead", "waivable: false\n      owner: technical_lead",
         ("IP-02", "may be waived", "tightened")),
        ("owner: technical_lead", "once: true\n      owner: technical_lead",
         ("IP-02", "judged at the gate alone", "loosened")),
        ("owner: technical_lead", "owner: data_steward", ("IP-02", "owed by", "changed")),
        ("owner: technical_lead", "validity_days: {high: 30}\n      owner: technical_lead",
         ("IP-02", "validity, high tier", "tightened")),
        ("owner: technical_lead", "invalidated_by: [model]\n      owner: technical_lead",
         ("IP-02", "voided by", "tightened")),
        ("owner: technical_lead", "applies_if: personal_data\n      owner: technical_lead",
         ("IP-02", "only where", "loosened")),
        ("params: {metric: f1}", "params: {metric: f1, min_sample: 9}", ("IP-02", "parameters", "changed")),
        ("title: F1 reached", "title: F1", ("IP-02", "title", "reworded")),
        ("minimal: {signers: [business_owner], decision_sla_days: 5}",
         "minimal: {signers: [business_owner, security], decision_sla_days: 5}",
         ("matrix.minimal", "signers", "tightened")),
        ("decision_sla_days: 5}", "decision_sla_days: 6}", ("matrix.minimal", "decided within", "changed")),
        ("decision_sla_days: 5}", "decision_sla_days: 5, board_quorum: true}",
         ("matrix.minimal", "board quorum", "tightened")),
        ("high: 90}", "high: 60}", ("review cadence", "review cadence, high tier", "tightened")),
        ("sign_off_validity_days: 30", "sign_off_validity_days: 40",
         ("sign-off validity", "a signature counts for", "loosened")),
        ("sign_off_validity_days: 30",
         "sign_off_validity_days: 30\nseparation_of_duties: [{id: S-1, name: Two hands, rule: Two, tiers: [high]}]",
         ("S-1", "duty", "tightened")),
    ],
)  # fmt: skip
def test_each_rule_is_weighed(old: str, new: str, expected: tuple[str, str, str]) -> None:
    assert told(old, new) == [expected]


def test_a_signer_in_place_of_another_is_both_more_and_less() -> None:
    found = told("{signers: [business_owner], decision", "{signers: [technical_lead], decision")
    assert {effect for _rule, _what, effect in found} == {"tightened", "loosened"}


def test_a_criterion_that_goes_is_looser_and_one_that_comes_is_tighter() -> None:
    text = small_text()
    start = text.index("    - id: IP-03")
    without = text[:start] + text[text.index("    - id: IP-09") :]
    [gone] = changes(read_policy(text, "a"), read_policy(without, "b"))
    assert (gone.rule, gone.what, gone.effect, gone.after) == ("IP-03", "criterion", Effect.LOOSENED, "")


def test_values_are_told_with_operator_and_days() -> None:
    text = small_text()
    [found] = changes(read_policy(text, "a"), read_policy(text.replace("high: 0.9, unit", "high: 0.95, unit"), "b"))
    assert (found.before, found.after, found.gate) == (">= 0.9", ">= 0.95", "idea_to_poc")
