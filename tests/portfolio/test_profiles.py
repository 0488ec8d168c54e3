"""Import profiles: those that come with the product are right, and what is wrong in one is shown by line and key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from django.conf import settings

from governance.models import PracticeDeclaration
from kernel.errors import Invalid
from portfolio.importing import profiles
from portfolio.importing.profile import Kind
from portfolio.importing.profile_format import parse_profile
from portfolio.importing.profiles import all_profiles, find_profile, named_profile, own_profiles
from portfolio.importing.yaml_places import ProfileError
from portfolio.reports.inventory import INVENTORY_COLUMNS
from tests.portfolio.inventories import SMALL, small_profile


@pytest.mark.parametrize("name", ["us-federal-2024", "us-federal-2025", "tollgate-inventory"])
def test_a_profile_that_comes_with_the_product_is_called_as_its_file(name: str) -> None:
    profile = named_profile(name)
    assert profile.name == name
    assert profile.description


def test_every_profile_that_comes_with_the_product_is_offered() -> None:
    assert {profile.name for profile in all_profiles()} >= {path.stem for path in profiles.SHIPPED.glob("*.yaml")}


def test_practices_are_answered_in_the_words_of_governance() -> None:
    for profile in all_profiles():
        for declaration in profile.declarations.get("practices", ()):
            answers = {value for value in (declaration.rule.map or {}).values() if value is not None}
            assert answers <= set(PracticeDeclaration.Answer.values)


def test_the_federal_profiles_declare_the_practices_that_the_federal_policy_asks_for() -> None:
    policy = yaml.safe_load((settings.BASE_DIR / "gates/policies/us-federal-high-impact.yaml").read_text())
    for name in ("us-federal-2024", "us-federal-2025"):
        stated = named_profile(name).fields["jurisdictions"][0].constant
        assert isinstance(stated, tuple)
        assert set(policy["judges"]["jurisdictions"]) <= set(stated)
    asked = {
        practice
        for gate in policy["gates"].values()
        for criterion in gate["criteria"]
        for practice in criterion["params"].get("practices", ())
    }
    declared = {
        declaration.target
        for name in ("us-federal-2024", "us-federal-2025")
        for declaration in named_profile(name).declarations["practices"]
    }
    assert asked <= declared


def test_the_inventory_profile_reads_every_column_that_the_export_writes_and_that_is_a_field() -> None:
    computed = {"assurance", "assurance_reason", "next_gate", "gate_met", "gate_required"}
    computed |= {"tier_source", "unit_name", "created_at", "updated_at"}
    exported = {column.key for column in INVENTORY_COLUMNS}
    assert named_profile("tollgate-inventory").columns == exported - computed


def test_yes_and_no_are_words_and_not_truth_values() -> None:
    declaration = small_profile().declarations["practices"][0]
    assert declaration.rule.map == {"yes": "yes", "no": "no", "soon": "in_progress"}


def test_the_kind_of_a_value_is_the_kind_of_its_field() -> None:
    fields = small_profile().fields
    assert [fields[name][0].kind for name in ("name", "stage", "stage_since", "personal_data")] == [
        Kind.TEXT,
        Kind.CHOICE,
        Kind.DATE,
        Kind.BOOLEAN,
    ]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("title: Small", "titel: Small", "line 3: unknown key “titel” (known: "),
        ("title: Small\n", "", "line 2: the key “title” is missing"),
        ("title: Small", "title: Small\ntitle: Again", "line 4: the key “title” is there twice"),
        ("New: idea", "New: dream", "line 16: fields.stage.map.New: “dream” is none of: idea, "),
        ("High: high", "High: highest", "line 20: fields.tier.map.High: “highest” is none of: "),
        ("  name: {", "  nam: {", "line 12: fields: unknown key “nam”"),
        ("{column: Name, shorten: true}", "{shorten: true}", "line 12: fields.name: say either “column” or “value”"),
        ("shorten: true", "shorten: Yes", "line 12: fields.name.shorten: this must be true or false, not “Yes”"),
        ("unknown: idea", "unknow: idea", "line 18: fields.stage: unknown key “unknow”"),
        ("practice: P-1", "practise: P-1", "practices[0]: unknown key “practise”"),
        ("Soon: in_progress", "Soon: soon", "practices[0].map.Soon: “soon” is none of: "),
        (
            "{by: source, columns: [Name, Unit]}",
            "{by: source}",
            "line 8: identify: rows that are found by their source",
        ),
        ("{by: source, columns: [Name, Unit]}", "{by: key}", "line 8: identify: rows that are found by key need “key”"),
        ("1990-01-01", "1990", "line 6: dates.earliest: this must be a day"),
        ('"%m/%d/%Y"', '"%m/%d"', "line 6: dates.formats[0]: “%m/%d” is no date format with a year"),
        ("compare: [trim,", "compare: [trimm,", "line 4: compare[0]: “trimm” is none of: "),
        ("profile: small", "profile: Small one", "line 2: profile: a profile's name has lower case letters"),
        ("code: acme", "code: Acme Group", "line 7: root.code: a unit's code has"),
        (
            "{column: Since}",
            "{column: Since, when: {tier: high}}",
            "fields.stage_since.when.tier: “tier” is no field that is",
        ),
        ("New: idea, Trial", "New: idea, new: poc, Trial", "fields.stage.map.new: “new” is the same as another key"),
        ("title: Small", "title: [Small", "line 4: "),
        ("title: Small", "title: {}", "line 3: title: this must be a text"),
    ],
)
def test_a_mistake_is_shown_by_file_line_and_key(before: str, after: str, said: str) -> None:
    assert before in SMALL
    with pytest.raises(ProfileError) as caught:
        small_profile(SMALL.replace(before, after, 1))
    assert caught.value.message.startswith("small.yaml, line ")
    assert said in caught.value.message


def test_a_profile_that_is_no_mapping_or_empty_is_refused() -> None:
    for text, said in ((b"- one\n", "line 1: this must be a mapping"), (b"", "is empty"), (b"\xff\xfe", "not UTF-8")):
        with pytest.raises(ProfileError, match=said):
            parse_profile(text, "mine.yaml")


def test_a_section_that_no_app_takes_is_refused() -> None:
    with pytest.raises(ProfileError, match="unknown key “promises”"):
        small_profile(SMALL.replace("practices:", "promises:"))


def test_an_operator_adds_a_profile_without_touching_code() -> None:
    own_profiles().mkdir(parents=True, exist_ok=True)
    path = own_profiles() / "small.yaml"
    path.write_text(SMALL)
    try:
        assert named_profile("small").title == "Small"
        assert "small" in {profile.name for profile in all_profiles()}
    finally:
        path.unlink()


def test_a_profile_may_be_any_file(tmp_path: Path) -> None:
    path = tmp_path / "theirs.yaml"
    path.write_text(SMALL)
    assert find_profile(str(path)).name == "small"


def test_a_profile_that_is_corrected_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "theirs.yaml"
    path.write_text(SMALL)
    assert find_profile(str(path)).title == "Small"
    path.write_text(SMALL.replace("title: Small", "title: Small and corrected"))
    assert find_profile(str(path)).title == "Small and corrected"


def test_an_unknown_profile_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(Invalid, match="no import profile “nope”") as caught:
        find_profile("nope")
    assert "us-federal-2024" in caught.value.hint


def test_the_browser_never_follows_a_path(tmp_path: Path) -> None:
    path = tmp_path / "theirs.yaml"
    path.write_text(SMALL)
    with pytest.raises(Invalid, match="no import profile"):
        named_profile(str(path))


def test_the_guide_documents_every_key_of_a_profile() -> None:
    from portfolio.importing import profile_format, rule_format
    from portfolio.importing.profile import RULES
    from portfolio.importing.sink import sinks

    guide = (settings.BASE_DIR / "docs" / "import-profiles.md").read_text()
    known = set(profile_format._KNOWN) | set(rule_format.KEYS) | set(RULES) | set(sinks.keys())
    missing = [name for name in sorted(known) if f"`{name}`" not in guide]
    assert missing == []
