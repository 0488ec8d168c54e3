"""A business unit's extension in a form: what it adds and tightens is written, what would loosen is named."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from accounts.models import User
from gates.in_force import body_of
from gates.models import PolicyVersion
from gates.services.policies import save_draft, start_extension, text_digest
from tests.factories.accounts import person_with
from tests.factories.gates import small_policy
from tests.factories.portfolio import UnitFactory
from tests.gates.test_policy_pages import address, as_, fields, page

pytestmark = pytest.mark.django_db
F1 = "form/idea_to_poc/criteria/IP-02/"


def extension(added: str = "") -> tuple[PolicyVersion, User]:
    small_policy()
    unit = UnitFactory.create(code="retail", name="Retail")
    by = person_with("portfolio_manager", unit)
    version = start_extension(unit=unit, by=by)
    if added:
        text = version.source + added
        version = save_draft(version=version, text=text, by=by, seen=text_digest(version))
    return version, by


def send(version: PolicyVersion, by: User, where: str, **changed: list[str] | None) -> Any:
    """The form of a page as a browser has it, with these fields changed (None: not ticked)."""
    given = {**fields(page(by, address(version, where))), **changed}
    answer = as_(by).post(address(version, where), {k: v for k, v in given.items() if v is not None})
    version.refresh_from_db()
    return answer


def test_the_form_writes_only_what_the_unit_tightens() -> None:
    version, by = extension()
    assert "The organisation asks" in page(by, address(version, F1))
    answer = send(version, by, F1, limit_high=["0.95"], mode_limited=["mandatory"], days_high=["60"], waivable=None)
    assert answer.status_code == 302
    criterion = body_of(version).gates["idea_to_poc"].criterion("IP-02")
    assert criterion.threshold is not None
    assert (float(criterion.threshold.by_tier["high"]), criterion.applies["limited"]) == (0.95, "mandatory")
    assert (criterion.validity_days, criterion.waivable) == ({"high": 60}, False)
    assert "IP-02" in version.source
    assert "IP-01" not in version.source


def test_what_would_loosen_is_named_and_nothing_is_saved() -> None:
    version, by = extension()
    source = version.source
    for changed, said in (
        ({"limit_high": ["0.5"]}, "would loosen IP-02, threshold on the high tier"),
        ({"mode_high": ["advisory"]}, "would loosen IP-02 on the high tier"),
    ):
        answer = send(version, by, F1, **changed)
        assert answer.status_code == 422
        assert said in answer.content.decode()
    assert version.source == source


def test_a_value_that_the_organisation_sets_is_not_taken_away() -> None:
    version, by = extension()
    answer = send(version, by, "form/", cadence_high=[""])
    assert answer.status_code == 422
    assert "the organisation sets this" in answer.content.decode()
    assert send(version, by, "form/", cadence_high=["45"]).status_code == 302
    assert body_of(version).cadence_days["high"] == 45
    assert send(version, by, "form/", cadence_high=[""]).status_code == 302, "what the unit itself said it takes back"
    assert body_of(version).cadence_days["high"] == 90


def test_signers_are_added_and_the_organisations_stay() -> None:
    version, by = extension()
    where = "form/idea_to_poc/signatures/"
    assert send(version, by, where, signers_minimal=["business_owner", "security"]).status_code == 302
    assert body_of(version).matrix["idea_to_poc"]["minimal"].signers == ("business_owner", "security")
    assert "add_signers" in version.source
    answer = send(version, by, where, signers_minimal=["security"])
    assert answer.status_code == 422
    assert "would loosen who signs" in answer.content.decode()
    assert send(version, by, where, signers_minimal=["business_owner"]).status_code == 302
    assert body_of(version).matrix["idea_to_poc"]["minimal"].signers == ("business_owner",)


def test_a_criterion_that_the_unit_added_is_changed_where_it_stands() -> None:
    version, by = extension(
        """
gates:
  idea_to_poc:
    add:
    - id: RET-01
      title: Goal stated
      type: field_present
      params: {fields: [strategic_goal]}
      applies: {minimal: mandatory, limited: mandatory, high: mandatory}
      owner: business_owner
"""
    )
    where = "form/idea_to_poc/criteria/RET-01/"
    assert "The organisation asks" not in page(by, address(version, where))
    assert send(version, by, where, mode_minimal=["advisory"]).status_code == 302
    assert body_of(version).gates["idea_to_poc"].criterion("RET-01").applies["minimal"] == "advisory"
    assert set(yaml.safe_load(version.source)["gates"]["idea_to_poc"]) == {"add"}


def test_a_least_tier_is_chosen_and_taken_back() -> None:
    version, by = extension()
    assert send(version, by, "form/", least_tier=["limited"]).status_code == 302
    assert yaml.safe_load(version.source)["least_tier"] == "limited"
    assert body_of(version).matrix["idea_to_poc"]["minimal"].signers == ("business_owner", "technical_lead")
    assert send(version, by, "form/", least_tier=[""]).status_code == 302
    assert "least_tier" not in yaml.safe_load(version.source)


def test_a_stranger_finds_none_of_it() -> None:
    version, _by = extension()
    stranger = person_with("technical_lead", UnitFactory.create())
    for where in ("form/", F1, "form/idea_to_poc/signatures/"):
        assert as_(stranger).get(address(version, where)).status_code == 404
