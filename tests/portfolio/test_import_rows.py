"""What becomes of rows: created, found again, corrected, kept as people here decided, or refused as a whole."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

import pytest
from django.core.exceptions import PermissionDenied

from governance.models import PracticeDeclaration
from ledger import SYSTEM
from ledger.models import Event
from portfolio import services
from portfolio.importing.plan import Plan
from portfolio.importing.problems import BrokenFile
from portfolio.importing.profile import Profile
from portfolio.importing.reach import within_reach
from portfolio.importing.runs import carry_out, preview, read_inventory
from portfolio.models import BusinessUnit, StageChange, UseCase
from tests.factories.accounts import person_with
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation
from tests.portfolio.inventories import HEADER, ROWS, SMALL, csv_bytes, small_profile, with_cells, xlsx_bytes

pytestmark = pytest.mark.django_db


def bring(rows: Iterable[Sequence[str]] = ROWS, *, profile: Profile | None = None) -> Plan:
    return carry_out(read_inventory(csv_bytes(rows), profile or small_profile()), by=SYSTEM)


def totals(plan: Plan) -> tuple[int, int, int, int]:
    summary = plan.summary()
    counted = tuple(summary[name] for name in ("created", "updated", "unchanged", "duplicates"))
    assert summary["rows"] == sum(counted)
    return counted


def said(plan: Plan) -> list[tuple[int, str]]:
    return [(problem.row, problem.column) for problem in plan.problems]


def named(name: str) -> UseCase:
    return UseCase.objects.select_related("unit").get(name=name)


# -- New rows --------------------------------------------------------------------------------------------------------


def test_a_row_becomes_a_use_case_with_its_unit_stage_and_declarations() -> None:
    assert totals(bring()) == (3, 0, 0, 0)
    chat = named("Chat")
    assert (chat.unit.code, chat.unit.name, chat.unit.path) == ("hr", "People", "/hr/")
    assert (chat.stage, chat.tier, chat.tier_source, chat.personal_data) == ("operations", "high", "declared", True)
    assert chat.stage_since.date().isoformat() == "2024-02-01"
    assert chat.key == "HR-001"
    change = StageChange.objects.get(use_case=chat)
    assert (change.from_stage, change.to_stage, change.at) == ("", "operations", chat.stage_since)
    declared = PracticeDeclaration.objects.get(use_case=chat)
    assert (declared.practice, declared.answer, declared.detail) == ("P-1", "yes", "Yes")
    assert declared.source == "small: Tested"


def test_the_root_is_made_only_if_there_is_none() -> None:
    bring()
    assert BusinessUnit.objects.get(parent=None).code == "acme"


def test_units_that_are_there_are_used_wherever_they_are() -> None:
    parent = UnitFactory.create(code="people", name="All people")
    services.create_unit(code="hr", name="HR here", parent=parent, by=SYSTEM)
    bring()
    chat = named("Chat")
    assert (chat.unit.name, chat.unit.path) == ("HR here", "/people/hr/")
    assert BusinessUnit.objects.get(parent=None) == organisation()


def test_keys_go_on_after_those_that_there_are() -> None:
    UseCaseFactory.create(key="HR-041")
    bring()
    assert [named(name).key for name in ("Chat", "Scan", "Plan")] == ["HR-042", "HR-043", "OPS-001"]


def test_nothing_is_lost_of_a_row() -> None:
    bring([(" Chat ", "HR", "People", "", "Live", "some day", "Odd", "", "", "Ada")])
    assert named("Chat").source_data == {
        "Name": " Chat ",
        "Unit": "HR",
        "Unit name": "People",
        "Stage": "Live",
        "Since": "some day",
        "Risk": "Odd",
        "Owner": "Ada",
    }


def test_a_value_that_the_profile_does_not_know_is_reported_and_never_guessed() -> None:
    row = with_cells(ROWS[0], {"Since": "7/16/1905", "Risk": "Odd", "Personal data": "perhaps", "Tested": "Oh"})
    plan = bring([row])
    assert said(plan) == [(2, "Since"), (2, "Risk"), (2, "Personal data"), (2, "Tested")]
    assert "2024" in plan.problems[0].message
    chat = named("Chat")
    assert (chat.tier, chat.personal_data) == ("", None)
    assert chat.stage_since.year > 2025
    assert not PracticeDeclaration.objects.exists()


def test_a_rule_for_empty_and_unknown_stages_is_followed_and_reported() -> None:
    plan = bring([with_cells(ROWS[0], {"Stage": ""}), with_cells(ROWS[1], {"Stage": "Limbo"})])
    assert said(plan) == [(2, "Stage"), (3, "Stage")]
    assert "taken as “idea”, as the profile says" in plan.problems[0].message
    assert set(UseCase.objects.values_list("stage", flat=True)) == {"idea"}


def test_a_name_that_is_too_long_is_shortened_reported_and_kept_whole() -> None:
    name = "word " * 80
    plan = bring([with_cells(ROWS[0], {"Name": name})])
    use_case = UseCase.objects.get()
    assert len(use_case.name) <= 300
    assert use_case.name.endswith("…")
    assert use_case.source_data["Name"] == name
    assert said(plan) == [(2, "Name")]


def test_a_retired_use_case_is_closed() -> None:
    bring([with_cells(ROWS[0], {"Stage": "Gone"})])
    assert named("Chat").status == "closed"


def test_each_use_case_has_one_event_that_holds_what_was_taken() -> None:
    bring()
    events = Event.objects.filter(action="use_case.imported")
    assert events.count() == 3
    changes = events.get(use_case_id=str(named("Chat").pk)).changes
    assert changes["tier"] == {"before": None, "after": "high"}
    assert changes["practices.P-1"] == {"before": None, "after": "yes"}
    assert changes["source_digest"]["after"] == named("Chat").source_digest
    assert Event.objects.filter(action="unit.created").count() == 3


# -- The same file again ---------------------------------------------------------------------------------------------


def test_the_same_file_again_changes_nothing() -> None:
    bring()
    before, events = list(UseCase.objects.order_by("pk").values()), Event.objects.count()
    assert totals(bring()) == (0, 0, 3, 0)
    assert list(UseCase.objects.order_by("pk").values()) == before
    assert Event.objects.count() == events


def test_the_same_table_from_a_workbook_changes_nothing() -> None:
    bring()
    plan = carry_out(read_inventory(xlsx_bytes(), small_profile()), by=SYSTEM)
    assert totals(plan) == (0, 0, 3, 0)


def test_line_breaks_and_space_around_cells_make_no_difference() -> None:
    bring([with_cells(ROWS[0], {"What it does": "one\r\ntwo "})])
    assert totals(bring([with_cells(ROWS[0], {"What it does": "one\ntwo"})])) == (0, 0, 1, 0)


def test_an_exact_duplicate_is_reported_and_not_created_twice() -> None:
    plan = bring([ROWS[0], ROWS[1], ROWS[0]])
    assert totals(plan) == (2, 0, 0, 1)
    assert [(each.row.number, each.repeats) for each in plan.rows if each.repeats] == [(4, 2)]
    assert UseCase.objects.filter(name="Chat").count() == 1


def test_a_preview_writes_nothing() -> None:
    plan = preview(read_inventory(csv_bytes(), small_profile()))
    assert totals(plan) == (3, 0, 0, 0)
    assert not UseCase.objects.exists()
    assert not BusinessUnit.objects.exists()
    assert not Event.objects.exists()


# -- A corrected file ------------------------------------------------------------------------------------------------


def test_a_corrected_row_updates_its_use_case_and_says_what_changed() -> None:
    bring()
    chat = named("Chat")
    corrected = with_cells(ROWS[0], {"Stage": "Gone", "Risk": "Low", "Tested": "No", "Owner": "Eve"})
    assert totals(bring([corrected, *ROWS[1:]])) == (0, 1, 2, 0)
    again = named("Chat")
    assert (again.pk, again.key, again.source_key) == (chat.pk, chat.key, chat.source_key)
    assert (again.stage, again.status, again.tier, again.tier_source) == ("retired", "closed", "", "")
    assert PracticeDeclaration.objects.get(use_case=chat).answer == "no"
    changes = Event.objects.get(action="use_case.updated_by_import").changes
    assert changes["stage"] == {"before": "operations", "after": "retired"}
    assert changes["practices.P-1"] == {"before": "yes", "after": "no"}
    assert changes["source.Owner"] == {"before": "Ada", "after": "Eve"}
    last = StageChange.objects.filter(use_case=chat).last()
    assert last is not None
    assert (last.from_stage, last.to_stage) == ("operations", "retired")


def test_a_row_in_the_middle_moves_the_others_and_changes_none() -> None:
    bring()
    keys = dict(UseCase.objects.values_list("name", "source_key"))
    fresh = ("Mail", "HR", "People", "Sorts mail", "New", "", "", "", "", "")
    events = Event.objects.count()
    assert totals(bring([ROWS[0], fresh, *ROWS[1:]])) == (1, 0, 3, 0)
    assert {name: key for name, key in UseCase.objects.values_list("name", "source_key") if name in keys} == keys
    assert (named("Scan").source_row, named("Mail").source_row) == (4, 3)
    assert Event.objects.count() == events + 1


def test_of_rows_of_the_same_name_each_finds_its_own_use_case() -> None:
    rows = [with_cells(ROWS[0], {"What it does": f"Thing {n}", "Owner": f"Owner {n}"}) for n in range(5)]
    bring(rows)
    assert len(set(UseCase.objects.values_list("source_key", flat=True))) == 5
    before = dict(UseCase.objects.values_list("summary", "pk"))
    # The second goes, the fourth is corrected, the last comes first.
    corrected = with_cells(rows[3], {"Stage": "Trial"})
    assert totals(bring([rows[4], rows[0], rows[2], corrected])) == (0, 1, 3, 0)
    assert dict(UseCase.objects.values_list("summary", "pk")) == before
    assert UseCase.objects.get(summary="Thing 3").stage == "pilot"
    assert UseCase.objects.get(summary="Thing 1").stage == "operations"


def test_a_renamed_row_is_found_by_all_that_stayed() -> None:
    bring()
    chat = named("Chat")
    assert totals(bring([with_cells(ROWS[0], {"Name": "Chat desk"}), *ROWS[1:]])) == (0, 1, 2, 0)
    assert named("Chat desk").pk == chat.pk
    assert totals(bring([with_cells(ROWS[0], {"Name": "Chat desk"}), *ROWS[1:]])) == (0, 0, 3, 0)


def test_a_row_that_is_gone_leaves_its_use_case_and_is_told() -> None:
    bring()
    plan = bring(ROWS[:1])
    assert plan.absent == ["HR-002", "OPS-001"]
    assert UseCase.objects.count() == 3


def test_a_row_that_moves_to_another_unit_takes_its_use_case_along() -> None:
    bring()
    chat = named("Chat")
    bring([with_cells(ROWS[0], {"Unit": "OPS", "Unit name": "Operations"}), *ROWS[1:]])
    chat.refresh_from_db()
    assert chat.unit.code == "ops"
    changes = Event.objects.get(action="use_case.updated_by_import").changes
    assert changes["unit"] == {"before": "hr", "after": "ops"}


def test_a_profile_that_is_corrected_is_applied_to_the_same_file() -> None:
    bring()
    plan = bring(profile=small_profile(SMALL.replace("Low: null", "Low: minimal")))
    assert totals(plan) == (0, 1, 2, 0)
    assert named("Scan").tier == "minimal"


# -- What people and gates decided here ------------------------------------------------------------------------------


def test_an_edit_made_here_outlives_the_same_file() -> None:
    bring()
    services.edit_use_case(use_case=named("Chat"), changes={"summary": "Said better"}, by=SYSTEM)
    assert totals(bring()) == (0, 0, 3, 0)
    assert named("Chat").summary == "Said better"


def test_an_edit_made_here_outlives_a_correction_of_the_same_field_which_is_reported_once() -> None:
    bring()
    services.edit_use_case(use_case=named("Chat"), changes={"summary": "Said better"}, by=SYSTEM)
    corrected = [with_cells(ROWS[0], {"What it does": "Corrected", "Risk": "Low"}), *ROWS[1:]]
    plan = bring(corrected)
    assert said(plan) == [(2, "summary")]
    assert "changed here since the last import" in plan.problems[0].message
    chat = named("Chat")
    assert (chat.summary, chat.tier) == ("Said better", "")
    assert said(bring(corrected)) == []


def test_a_stage_that_a_gate_decided_is_no_longer_moved_by_a_file() -> None:
    bring()
    services.move_stage(use_case=named("Scan"), to_stage="production", decision_id=uuid.uuid4(), by=SYSTEM)
    plan = bring([ROWS[0], with_cells(ROWS[1], {"Stage": "Live"}), ROWS[2]])
    assert named("Scan").stage == "production"
    assert said(plan) == [(3, "stage")]
    assert "a gate has decided about it" in plan.problems[0].message


def test_a_tier_that_was_classified_here_stays() -> None:
    bring()
    UseCase.objects.filter(name="Chat").update(tier="limited", tier_source="questionnaire")
    plan = bring([with_cells(ROWS[0], {"Risk": "Low"}), *ROWS[1:]])
    assert named("Chat").tier == "limited"
    assert said(plan) == [(2, "tier")]


def test_a_practice_that_was_declared_here_stays() -> None:
    bring()
    PracticeDeclaration.objects.filter(use_case=named("Chat")).update(answer="waived", detail="By the board")
    plan = bring([with_cells(ROWS[0], {"Tested": "No"}), *ROWS[1:]])
    assert PracticeDeclaration.objects.get(use_case=named("Chat")).answer == "waived"
    assert said(plan) == [(2, "P-1")]


def test_a_practice_that_the_file_no_longer_declares_is_withdrawn() -> None:
    bring()
    bring([with_cells(ROWS[0], {"Tested": ""}), *ROWS[1:]])
    assert not PracticeDeclaration.objects.filter(use_case=named("Chat")).exists()


# -- Files that change nothing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([ROWS[0], with_cells(ROWS[1], {"Name": " "})], "Row 3, Name: this is needed, and it is empty"),
        ([ROWS[0], with_cells(ROWS[1], {"Unit": "N/A"})], "Row 3, Unit: this is needed, and it is empty"),
        ([ROWS[0], with_cells(ROWS[1], {"Unit": "§§"})], "Row 3, Unit: no unit code can be made of this"),
    ],
)
def test_a_row_that_cannot_be_placed_stops_all_of_them(rows: list[tuple[str, ...]], reason: str) -> None:
    with pytest.raises(BrokenFile) as caught:
        bring(rows)
    assert reason in caught.value.message
    assert not UseCase.objects.exists()
    assert not BusinessUnit.objects.exists()
    assert not Event.objects.exists()


def test_a_file_without_a_needed_column_is_refused_by_the_name_of_the_column() -> None:
    with pytest.raises(BrokenFile, match="Row 1 lacks the columns “Name”, “Stage”, which the profile small needs"):
        read_inventory(csv_bytes([("HR", "People")], header=("Unit", "Unit name")), small_profile())


def test_a_column_that_can_be_missed_is_reported_in_the_header() -> None:
    without = [label for label in HEADER if label not in ("Risk", "Tested")]
    rows = [[cell for label, cell in zip(HEADER, row, strict=True) if label in without] for row in ROWS]
    plan = carry_out(read_inventory(csv_bytes(rows, header=without), small_profile()), by=SYSTEM)
    assert said(plan) == [(1, "Risk"), (1, "Tested")]


def test_a_column_that_the_file_lost_clears_nothing() -> None:
    bring()
    without = [label for label in HEADER if label != "Risk"]
    rows = [[cell for label, cell in zip(HEADER, row, strict=True) if label in without] for row in ROWS]
    carry_out(read_inventory(csv_bytes(rows, header=without), small_profile()), by=SYSTEM)
    assert named("Chat").tier == "high"


def test_a_failure_while_writing_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("governance.import_sinks.practices.Practices.write", fails)
    with pytest.raises(RuntimeError):
        bring()
    assert not UseCase.objects.exists()
    assert not BusinessUnit.objects.exists()
    assert not Event.objects.exists()


def test_an_import_reaches_no_further_than_its_person() -> None:
    hr = UnitFactory.create(code="hr", name="People")
    reader = person_with("portfolio_manager", organisation())
    within_reach(reader)(preview(read_inventory(csv_bytes(), small_profile())))
    outsider = person_with("business_owner", hr)
    with pytest.raises(PermissionDenied):
        within_reach(outsider)(preview(read_inventory(csv_bytes(), small_profile())))
