"""``manage.py import_portfolio``: its answers, its exit codes, and the totals of the real federal inventory."""

from __future__ import annotations

import json
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from governance.models import PracticeDeclaration
from ledger.models import Event
from portfolio.models import BusinessUnit, ImportRun, StageChange, UseCase
from portfolio.reports.inventory import FIELDS
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation
from tests.portfolio.inventories import ROWS, csv_bytes, federal_inventory, profile_file, with_cells, xlsx_bytes

pytestmark = pytest.mark.django_db
FEDERAL = "us-federal-2024"


def imported(path: Path, profile: str, **options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("import_portfolio", str(path), profile=profile, format="json", stdout=out, **options)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def in_words(path: Path, profile: str, **options: Any) -> str:
    out = StringIO()
    call_command("import_portfolio", str(path), profile=profile, stdout=out, **options)
    return out.getvalue()


def refused(path: Path, profile: str) -> str:
    with pytest.raises(CommandError) as caught:
        call_command("import_portfolio", str(path), profile=profile)
    assert caught.value.returncode == 1
    return str(caught.value)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.csv"
    path.write_bytes(csv_bytes())
    return path


# -- The answer ------------------------------------------------------------------------------------------------------


def test_the_answer_has_the_totals_and_every_problem(small: Path, tmp_path: Path) -> None:
    small.write_bytes(csv_bytes([*ROWS, ROWS[0], with_cells(ROWS[1], {"Name": "Other", "Risk": "Odd"})]))
    answer = imported(small, profile_file(tmp_path))
    assert list(answer) == ["rows", "created", "updated", "unchanged", "duplicates", "problems"]
    assert [answer[name] for name in ("rows", "created", "updated", "unchanged", "duplicates")] == [5, 4, 0, 0, 1]
    said = {"row": 6, "column": "Risk", "message": "“Odd” is not known to the profile; nothing was taken from it"}
    assert answer["problems"] == [said]


def test_a_dry_run_gives_the_same_answer_and_changes_nothing(small: Path, tmp_path: Path) -> None:
    profile = profile_file(tmp_path)
    dry = imported(small, profile, dry_run=True)
    assert not UseCase.objects.exists()
    assert not Event.objects.exists()
    assert dry == imported(small, profile)


def test_in_words_it_says_what_was_done_and_what_would_be(small: Path, tmp_path: Path) -> None:
    profile = profile_file(tmp_path)
    assert in_words(small, profile, dry_run=True).startswith("3 rows: 3 would be created, 0 would be updated")
    assert in_words(small, profile).startswith("3 rows: 3 created, 0 updated, 0 unchanged, 0 exact duplicates.")


def test_what_changed_something_is_listed_among_the_imports_with_its_report(small: Path, tmp_path: Path) -> None:
    profile = profile_file(tmp_path)
    for _time in range(2):
        imported(small, profile)
    run = ImportRun.objects.get()
    assert (run.state, run.file_name, run.created, run.started_by) == ("done", "small.csv", 3, None)
    assert Event.objects.filter(action="import.finished").count() == 1


def test_what_is_wrong_is_said_and_nothing_changes(small: Path, tmp_path: Path) -> None:
    profile = profile_file(tmp_path)
    assert "no import profile “nope”" in refused(small, "nope")
    assert "cannot be read" in refused(tmp_path / "absent.csv", profile)
    assert "cannot be read" in refused(small, str(tmp_path / "absent.yaml"))
    small.write_bytes(b"Name,Unit\nonly one\n")
    assert "Row 2 has 1 cells, the header has 2" in refused(small, profile)
    assert not UseCase.objects.exists()


def test_all_rows_that_cannot_be_placed_are_named(small: Path, tmp_path: Path) -> None:
    small.write_bytes(csv_bytes([with_cells(row, {"Unit": ""}) for row in ROWS]))
    said = refused(small, profile_file(tmp_path))
    assert all(f"Row {number}, Unit" in said for number in (2, 3, 4))


# -- The real inventory ----------------------------------------------------------------------------------------------


def test_the_federal_inventory_comes_in_whole() -> None:
    answer = imported(federal_inventory(), FEDERAL)
    assert [answer[name] for name in ("rows", "created", "updated", "unchanged", "duplicates")] == [2133, 2130, 0, 0, 3]
    root = BusinessUnit.objects.get(parent=None)
    assert root.name == "United States federal government"
    assert root.children.count() == BusinessUnit.objects.count() - 1 == 41
    assert UseCase.objects.filter(tier="high", tier_source="declared").count() == 351
    assert Counter(UseCase.objects.values_list("stage", flat=True)) == {
        "idea": 370 + 20 + 9 + 4,
        "poc": 404 - 2,  # two of the three exact duplicates are in development ...
        "pilot": 287 - 1,  # ... and one is being implemented
        "production": 14,
        "operations": 874 + 4,
        "retired": 142 + 5,
    }
    assert StageChange.objects.count() == UseCase.objects.count() == 2130
    assert Event.objects.filter(action="use_case.imported").count() == 2130
    _check_what_was_reported(answer["problems"])
    _check_what_was_kept()
    _check_what_was_declared()


def _check_what_was_reported(problems: list[dict[str, Any]]) -> None:
    by_column = Counter(problem["column"] for problem in problems)
    assert by_column["Stage of Development"] == 4
    assert by_column["Use Case Name"] == 3
    impact = [problem for problem in problems if problem["column"].startswith("Is the AI use case rights-impacting")]
    assert [("Case-by-case assessment" in problem["message"]) for problem in impact] == [True]
    accidents = [problem for problem in problems if "/1905” is implausible" in problem["message"]]
    assert len(accidents) == 48 + 38 + 31 + 17
    assert all(2 <= problem["row"] <= 2134 for problem in problems)


def _check_what_was_kept() -> None:
    """The dash in cp1252, the repeated header, the space that somebody typed, the date that is none."""
    rows = UseCase.objects.filter(source_profile=FEDERAL)
    assert {use_case.source_row for use_case in rows.only("source_row")} >= {2, 2134}
    assert rows.filter(unit__code="va", source_data__Agency="Department of Veterans Affairs ").count() == 2
    cells = [cell for data in rows.values_list("source_data", flat=True) for cell in data.values()]
    assert any("–" in cell for cell in cells)
    assert not any("\ufffd" in cell for cell in cells)
    labels = {label for data in rows.values_list("source_data", flat=True) for label in data}
    assert len(labels) == 62
    assert "If Other, please explain. (7)" in labels


def _check_what_was_declared() -> None:
    answers = Counter(PracticeDeclaration.objects.values_list("practice", "answer"))
    assert answers[("OMB-4b-ii", "yes")] == 114
    assert answers[("OMB-4b-ii", "in_progress")] == 32
    assert answers[("OMB-4b-i", "waived")] == 1
    assert answers[("OMB-waiver", "in_progress")] == 125
    high = PracticeDeclaration.objects.filter(use_case__tier="high")
    assert not high.filter(answer="not_applicable", practice="OMB-4b-ii").exists()


def test_the_federal_inventory_again_changes_nothing_and_a_correction_updates_one(tmp_path: Path) -> None:
    path = federal_inventory()
    imported(path, FEDERAL)
    events = Event.objects.count()
    again = imported(path, FEDERAL)
    assert [again[name] for name in ("created", "updated", "unchanged", "duplicates")] == [0, 0, 2130, 3]
    assert Event.objects.count() == events

    corrected = tmp_path / "corrected.csv"
    content = path.read_bytes()
    assert content.count(b"Wellness and Physical Fitness Application ,") == 1
    corrected.write_bytes(content.replace(b"Wellness and Physical Fitness Application ,", b"Fitness application,"))
    answer = imported(corrected, FEDERAL)
    assert [answer[name] for name in ("created", "updated", "unchanged", "duplicates")] == [0, 1, 2129, 3]
    assert Event.objects.filter(action="use_case.updated_by_import").count() == 1


def test_a_federal_row_cut_short_stops_the_whole_file(tmp_path: Path) -> None:
    content = federal_inventory().read_bytes()
    broken = tmp_path / "broken.csv"
    broken.write_bytes(content[: len(content) // 2])
    assert refused(broken, FEDERAL).startswith("Row ")
    assert not UseCase.objects.exists()
    assert not BusinessUnit.objects.exists()


# -- Our own export --------------------------------------------------------------------------------------------------


def _exported(path: Path, export_format: str) -> Path:
    from kernel.exports import export_rows
    from portfolio.reports.inventory import INVENTORY_COLUMNS, inventory_rows

    rows = inventory_rows(UseCase.objects.order_by("key"))
    response = export_rows(export_format, "inventory", INVENTORY_COLUMNS, rows)
    target = path.with_suffix(f".{export_format}")
    target.write_bytes(b"".join(response.streaming_content))  # type: ignore[arg-type]  # no async server here
    return target


@pytest.mark.parametrize("export_format", ["csv", "xlsx"])
def test_what_the_portfolio_exports_comes_back_without_a_change(export_format: str, tmp_path: Path) -> None:
    UseCaseFactory.create(
        name="=HYPERLINK()",
        summary="First line\r\nsecond “line”; and more",
        third_party=True,
        personal_data=False,
        jurisdictions=["EU", "US"],
        oversight_tier="human_reviews",
        tier="high",
        tier_source="questionnaire",
    )
    UseCaseFactory.create(key="legacy-1", stage="retired")
    before = list(UseCase.objects.order_by("pk").values(*[name for name in FIELDS if not name.startswith("unit_")]))
    answer = imported(_exported(tmp_path / "inventory", export_format), "tollgate-inventory")
    assert answer == {"rows": 2, "created": 0, "updated": 0, "unchanged": 2, "duplicates": 0, "problems": []}
    after = list(UseCase.objects.order_by("pk").values(*[name for name in FIELDS if not name.startswith("unit_")]))
    assert after == before


def test_a_correction_in_the_export_is_taken_but_stage_and_tier_are_not(tmp_path: Path) -> None:
    use_case = UseCaseFactory.create(name="Chat", stage="pilot", tier="high", tier_source="declared")
    path = _exported(tmp_path / "inventory", "csv")
    path.write_text(
        path.read_text().replace("Chat", "Chat desk").replace(",pilot,", ",operations,").replace(",high,", ",,")
    )
    answer = imported(path, "tollgate-inventory")
    assert (answer["updated"], [problem["column"] for problem in answer["problems"]]) == (1, ["stage", "tier"])
    use_case.refresh_from_db()
    assert (use_case.name, use_case.stage, use_case.tier, use_case.source_key) == ("Chat desk", "pilot", "high", "")


def test_the_export_fills_another_installation(tmp_path: Path) -> None:
    unit = UnitFactory.create(code="claims")
    path = tmp_path / "inventory.csv"
    path.write_text("key,name,unit_code,stage,tier,status\nUC-0007,Chat,claims,pilot,high,on_hold\n")
    answer = imported(path, "tollgate-inventory")
    assert (answer["created"], len(answer["problems"])) == (1, len(FIELDS) - 6 - 9)
    use_case = UseCase.objects.get(key="UC-0007")
    assert (use_case.unit, use_case.stage, use_case.tier, use_case.status) == (unit, "pilot", "high", "on_hold")
    assert imported(path, "tollgate-inventory")["unchanged"] == 1


def test_two_rows_of_one_key_and_an_unknown_unit_are_refused(tmp_path: Path) -> None:
    organisation()
    path = tmp_path / "inventory.csv"
    path.write_text("key,name,unit_code\nUC-1,Chat,acme\nuc-1,Talk,acme\n")
    assert "Row 3: the key uc-1 is in row 2 already" in refused(path, "tollgate-inventory")
    path.write_text("key,name,unit_code\nUC-1,Chat,nowhere\n")
    assert "Row 2, unit_code: there is no business unit “nowhere”" in refused(path, "tollgate-inventory")


def test_a_workbook_is_imported_as_the_same_table(tmp_path: Path) -> None:
    path = tmp_path / "small.xlsx"
    path.write_bytes(xlsx_bytes())
    assert imported(path, profile_file(tmp_path))["created"] == 3


def test_an_inventory_of_2025_is_read_in_both_spellings_of_its_answers(tmp_path: Path) -> None:
    path = tmp_path / "2025.csv"
    path.write_text(
        "agency,agency_name,id,use_case_name,development_stage,is_high_impact,hi_testing_conducted,hi_public_consultation\n"
        "USDA,Agriculture,1,Crops,a) Pre-deployment – The use case is in a development or acquisition status.,"
        "a) High-impact,b) In-progress,a) Direct usability testing; d) Other\n"
        "USDA,Agriculture,2,Soil,Deployed,Not High-impact,CAIO Waived,Other\n"
    )
    answer = imported(path, "us-federal-2025")
    assert [problem for problem in answer["problems"] if problem["row"] > 1] == []
    crops, soil = UseCase.objects.order_by("key")
    assert (crops.stage, crops.tier, soil.stage, soil.tier) == ("poc", "high", "operations", "")
    declared = PracticeDeclaration.objects.order_by("use_case__key", "practice").values_list("practice", "answer")
    assert list(declared) == [("OMB-4b-i", "in_progress"), ("OMB-4b-vii", "yes"), ("OMB-4b-i", "waived")]
