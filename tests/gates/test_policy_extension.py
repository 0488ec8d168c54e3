"""A business unit adds or tightens, never loosens: what would is named with its line, and nothing is saved."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import User
from gates.assessment import assess
from gates.assurance import reassess
from gates.in_force import policies_for, policy_for, primary
from gates.models import CriterionFinding, GateAssurance, Policy, PolicyVersion
from gates.policy_changes import Effect, changes
from gates.policy_extension import merge
from gates.policy_reading import read_policy
from gates.services.policies import (
    propose_draft,
    publish_draft,
    save_draft,
    start_draft,
    start_extension,
    withdraw_policy,
)
from gates.standing import judge_now, results_of
from kernel.errors import Conflict, Invalid
from notify.models import Notice
from portfolio.models import BusinessUnit
from tests.factories.accounts import person_with
from tests.factories.gates import publish, ready_case, small_policy, small_text
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation

BASE = read_policy(small_text(), "base")
HEAD = "policy: retail\nextends: small\ntitle: Retail\nversion: 1.0.0\n"
STRICT = """\
least_tier: limited
gates:
  idea_to_poc:
    change:
      IP-02:
        threshold: {high: 0.95}
        applies: {limited: mandatory}
        validity_days: {high: 60}
        waivable: false
        invalidated_by: [model]
    add:
    - id: RET-01
      title: Goal stated
      type: field_present
      params: {fields: [strategic_goal]}
      applies: {minimal: mandatory, limited: mandatory, high: mandatory}
      owner: business_owner
approval_matrix:
  idea_to_poc:
    limited: {add_signers: [security], decision_sla_days: 12, board_quorum: true}
review_cadence_days: {high: 60}
sign_off_validity_days: 20
waivers:
  max_days: {high: 30}
"""


def refused(text: str) -> list[str]:
    with pytest.raises(Invalid) as wrong:
        merge(HEAD + text, BASE, "retail")
    return wrong.value.errors.get("text", [str(wrong.value)])


def test_what_is_added_and_tightened_is_in_the_merged_policy_and_nothing_is_looser() -> None:
    merged = merge(HEAD + STRICT, BASE, "retail")
    gate = merged.body.gates["idea_to_poc"]
    tightened = gate.criterion("IP-02")
    assert tightened.threshold is not None
    assert str(tightened.threshold.by_tier["high"]) == "0.95"
    assert (tightened.waivable, tightened.validity_days, tightened.invalidated_by) == (False, {"high": 60}, ("model",))
    assert gate.criteria[-1].id == "RET-01"
    slots = merged.body.matrix["idea_to_poc"]
    assert slots["limited"].signers == ("business_owner", "technical_lead", "security")
    assert slots["limited"].board_quorum
    assert (merged.body.cadence_days["high"], merged.body.sign_off_validity_days) == (60, 20)
    assert read_policy(merged.text, "again").digest == merged.body.digest
    found = {c.effect for c in changes(BASE, merged.body)}
    assert Effect.LOOSENED not in found


def test_the_least_tier_judges_lower_tiers_by_its_own_rules_where_they_are_stricter() -> None:
    merged = merge(HEAD + STRICT, BASE, "retail").body
    criterion = merged.gates["idea_to_poc"].criterion("IP-02")
    assert criterion.applies["minimal"] == "mandatory"
    assert criterion.threshold is not None
    assert criterion.threshold.by_tier["minimal"] == criterion.threshold.by_tier["limited"]
    assert set(merged.matrix["idea_to_poc"]["limited"].signers) <= set(merged.matrix["idea_to_poc"]["minimal"].signers)
    assert merged.cadence_days["minimal"] == merged.cadence_days["limited"]


LOOSER = [
    (
        "gates:\n  idea_to_poc:\n    change:\n      IP-02:\n        threshold: {high: 0.85}\n",
        "0.85",
        "IP-02, threshold",
    ),
    ("gates:\n  idea_to_poc:\n    change:\n      IP-03:\n        threshold: {minimal: 1}\n", "1}", "IP-03, threshold"),
    ("gates:\n  idea_to_poc:\n    change:\n      IP-01:\n        applies: {high: advisory}\n", "advisory", "IP-01 on"),
    ("gates:\n  idea_to_poc:\n    change:\n      IP-01:\n        once: true\n", "true", "IP-01, once"),
    ("review_cadence_days:\n  high: 91\n", "91", "review cadence days on the high tier"),
    ("sign_off_validity_days: 31\n", "31", "how long a signature counts"),
]


@pytest.mark.parametrize(("text", "at", "rule"), LOOSER)
def test_an_attempt_to_loosen_says_which_rule_at_which_line_and_column(text: str, at: str, rule: str) -> None:
    [line] = refused(text)
    whole = HEAD + text
    number = whole[: whole.rindex(at)].count("\n") + 1
    column = whole.splitlines()[number - 1].rindex(at) + 1
    assert f"retail line {number}, column {column}," in line
    assert f"would loosen {rule}" in line


def test_everything_that_would_loosen_is_told_at_once() -> None:
    text = LOOSER[0][0] + "      IP-01:\n        applies: {high: advisory}\n" + LOOSER[4][0]
    assert len(refused(text)) == 3


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("gates: {nowhere: {change: {}}}\n", "there is no gate"),
        ("gates: {idea_to_poc: {change: {IP-77: {waivable: false}}}}\n", "no criterion"),
        ("gates: {idea_to_poc: {change: {IP-01: {params: {fields: []}}}}}\n", "unknown key 'params'"),
        ("gates: {idea_to_poc: {change: {IP-01: {owner: security}}}}\n", "unknown key 'owner'"),
        ("gates: {idea_to_poc: {change: {IP-01: {threshold: {high: 1}}}}}\n", "no threshold to tighten"),
        ("gates: {idea_to_poc: {change: {IP-02: {threshold: {limited: 0.95}}}}}\n", "contradictory"),
        ("gates: {idea_to_poc: {change: {IP-02: {invalidated_by: [weather]}}}}\n", "unknown change"),
        ("gates:\n  idea_to_poc:\n    add:\n    - {id: IP-01, type: field_present}\n", "choose another id"),
        (
            "gates:\n  idea_to_poc:\n    add:\n    - {id: R-1, type: telepathy, owner: security}\n",
            "unknown criterion type",
        ),
        ("approval_matrix: {idea_to_poc: {high: {add_signers: [janitor]}}}\n", "unknown role"),
        ("approval_matrix: {idea_to_poc: {high: {signers: [security]}}}\n", "unknown key 'signers'"),
        ("approval_matrix: {poc_to_pilot: {huge: {add_signers: [security]}}}\n", "unknown key 'huge'"),
        ("separation_of_duties: []\n", "unknown key 'separation_of_duties'"),
        ("judges: {tiers: [high]}\n", "unknown key 'judges'"),
        ("least_tier: colossal\n", "least_tier"),
        ("review_cadence_days: {high: 0}\n", "whole number of days"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_line_of_the_extension(text: str, word: str) -> None:
    lines = refused(text)
    assert any(word in line for line in lines), lines
    highest = (HEAD + text).count("\n")
    for line in lines:
        assert line.startswith("retail line ")
        assert 1 <= int(line.split()[2].rstrip(",")) <= highest


def test_it_extends_the_primary_policy_by_name() -> None:
    with pytest.raises(Invalid, match="extends 'other'"):
        merge(HEAD.replace("small", "other"), BASE, "retail")


# in force


pytestmark = pytest.mark.django_db


def author(unit: BusinessUnit) -> User:
    return person_with("portfolio_manager", unit)


def extended(unit: BusinessUnit, text: str = STRICT) -> PolicyVersion:
    """A unit's extension, published."""
    by = author(unit)
    version = start_extension(unit=unit, by=by)
    version = save_draft(version=version, text=version.source + text, by=by, seen=version.digest)
    propose_draft(version=version, by=by)
    return publish_draft(version=version, by=person_with("ai_governance_board", organisation()))


def test_a_use_case_is_judged_by_the_extension_of_its_nearest_unit() -> None:
    small_policy()
    retail = UnitFactory.create(code="retail")
    cards = UnitFactory.create(code="cards", parent=retail)
    version = extended(retail)
    inside, below, outside = (UseCaseFactory.create(unit=unit) for unit in (retail, cards, UnitFactory.create()))
    assert policy_for(inside)[0] == version
    assert policy_for(below)[0] == version
    assert policy_for(outside)[0].policy.is_primary
    nearer = extended(cards, "least_tier: high\n")
    assert policy_for(below)[0] == nearer
    assert policy_for(inside)[0] == version
    assert [v.policy.key for v, _body in policies_for(below)] == ["cards"]
    assert primary()[1].key == "small"


def test_findings_pages_and_reviews_follow_the_extension() -> None:
    retail = UnitFactory.create(code="retail")
    case = ready_case(unit=retail)
    extended(retail, STRICT.replace("least_tier: limited\n", "").replace("        applies: {limited: mandatory}\n", ""))
    assess()
    case.use_case.refresh_from_db()
    found = CriterionFinding.objects.filter(use_case=case.use_case)
    assert set(found.values_list("policy__key", flat=True)) == {"retail"}
    assert found.get(criterion="RET-01").outcome == "missing"
    assert (case.use_case.gate_met, case.use_case.gate_required) == (2, 3)
    assert [r.policy.key for r in results_of(case.use_case)] == ["retail"]
    assert [r.policy.key for r in judge_now(case.use_case)] == ["retail"]
    with pytest.raises(Conflict, match="1 mandatory"):
        case.submit()
    type(case.use_case).objects.filter(pk=case.use_case.pk).update(strategic_goal="Faster letters")
    review = case.submit()
    assert review.policy_version.policy.key == "retail"
    assert [slot["role"] for slot in review.slots] == ["business_owner", "technical_lead", "security"]


def test_assurance_follows_the_extension() -> None:
    retail = UnitFactory.create(code="retail")
    case = ready_case(unit=retail)
    case.pass_gate()
    person_with("business_sponsor", case.use_case)
    reassess()
    assert GateAssurance.objects.get(use_case=case.use_case).state == "in_force"
    extended(retail)
    reassess()
    row = GateAssurance.objects.get(use_case=case.use_case)
    assert row.state == "at_risk"
    assert {"RET-01"} <= {reason["criterion"] for reason in row.reasons}


def test_judging_many_takes_the_same_number_of_queries_with_and_without_more_extended_units(
    django_assert_max_num_queries: object,
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    small_policy()

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assess()
        return len(captured)

    units = [UnitFactory.create() for _ in range(4)]
    for unit in units:
        UseCaseFactory.create(unit=unit)
    extended(units[0], "least_tier: high\n")
    assess()
    one = cost()
    extended(units[1], "least_tier: high\n")
    extended(units[2], "least_tier: limited\n")
    assess()
    assert cost() == one


def test_a_unit_extends_once_and_the_organisation_changes_its_own_policy() -> None:
    small_policy()
    retail = UnitFactory.create(code="retail")
    by = author(retail)
    version = start_extension(unit=retail, by=by)
    with pytest.raises(Conflict, match="extends the policy already"):
        start_extension(unit=retail, by=by)
    with pytest.raises(Conflict):
        start_extension(unit=organisation(), by=author(organisation()))
    with pytest.raises(PermissionDenied):
        start_extension(unit=UnitFactory.create(), by=by)
    assert version.source.startswith("policy: retail\nextends: small\n")


def test_a_title_that_looks_like_yaml_is_only_a_title() -> None:
    small_policy()
    unit = UnitFactory.create(name="R&D: 'new'\n# x")
    version = start_extension(unit=unit, by=author(unit), title="It's: [ours]")
    assert read_policy(version.text, "x").title == "It's: [ours]"


def test_the_next_version_of_an_extension_starts_from_its_own_text() -> None:
    small_policy()
    retail = UnitFactory.create(code="retail")
    published = extended(retail)
    with pytest.raises(Invalid):
        start_draft(policy=published.policy, by=author(retail), label="1.0.0")
    draft = start_draft(policy=published.policy, by=author(retail), label="1.1.0")
    assert "least_tier: limited" in draft.source
    assert "# What" in draft.source
    assert read_policy(draft.text, "x").version == "1.1.0"


def test_a_new_version_of_the_organisation_is_laid_under_every_extension() -> None:
    small_policy()
    retail = UnitFactory.create(code="retail")
    old = extended(retail)
    _publish_primary("high: 90}", "high: 45}")
    new = PolicyVersion.objects.get(policy=old.policy, state="published")
    old.refresh_from_db()
    assert (old.state, new.label, new.base) == ("superseded", "1.0.0+1.1.0", old)
    body = read_policy(new.text, "x")
    assert body.cadence_days["high"] == 45  # what the organisation tightened beyond the unit counts
    assert body.gates["idea_to_poc"].criteria[-1].id == "RET-01"
    assert "would loosen" in new.note
    told = Notice.objects.filter(kind="policy.extension_conflicts")
    assert told.exists()
    assert "review cadence" in told[0].body


def test_an_extension_that_still_fits_is_laid_over_in_silence() -> None:
    small_policy()
    old = extended(UnitFactory.create(code="retail"))
    _publish_primary("limited: 180", "limited: 170")
    new = PolicyVersion.objects.get(policy=old.policy, state="published")
    assert new.note == ""
    assert not Notice.objects.filter(kind="policy.extension_conflicts").exists()
    assert read_policy(new.text, "x").cadence_days["limited"] == 170


def test_a_draft_that_conflicts_with_what_came_since_is_not_published() -> None:
    small_policy()
    retail = UnitFactory.create(code="retail")
    by = author(retail)
    version = start_extension(unit=retail, by=by)
    version = save_draft(version=version, text=version.source + "review_cadence_days: {high: 60}\n", by=by,
                         seen=version.digest)  # fmt: skip
    propose_draft(version=version, by=by)
    _publish_primary("high: 90}", "high: 45}")
    with pytest.raises(Conflict, match="no longer sound"):
        publish_draft(version=version, by=person_with("ai_governance_board", organisation()))
    assert not PolicyVersion.objects.filter(policy=version.policy, state="published").exists()


def test_a_withdrawn_extension_gives_its_unit_back_to_the_organisation() -> None:
    small_policy()
    retail = UnitFactory.create(code="retail")
    version = extended(retail)
    case = ready_case(unit=retail, policy=False, strategic_goal="Goal")
    board = person_with("ai_governance_board", organisation())
    withdraw_policy(policy=version.policy, by=board, reason="Merged with Cards.")
    assert policy_for(case.use_case)[0].policy.is_primary
    assert Policy.objects.get(pk=version.policy_id).unit == retail


def _publish_primary(old: str, new: str) -> None:
    by = author(organisation())
    policy = Policy.objects.get(is_primary=True)
    version = start_draft(policy=policy, by=by, label="1.1.0")
    assert old in version.text
    save_draft(version=version, text=version.text.replace(old, new, 1), by=by, seen=version.digest)
    propose_draft(version=version, by=by)
    publish_draft(version=version, by=person_with("ai_governance_board", organisation()))


def test_a_shipped_policy_is_laid_under_extensions_as_well() -> None:
    small_policy()
    version = extended(UnitFactory.create(code="retail"), "sign_off_validity_days: 20\n")
    publish(small_text(key="aside", primary=False))
    assert PolicyVersion.objects.get(policy=version.policy, state="published") == version
