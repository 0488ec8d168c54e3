"""The executive page: its numbers, the month before, who may read it, and what it costs to make."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from gates.executive import Report, executive_report
from gates.models import Condition
from monitoring.models import Alert, Series
from portfolio.models import Kpi, KpiMeasurement, OperatingPlan, StageChange, UseCase
from portfolio.services import set_standing
from tests.factories.accounts import PersonFactory, api_as, person_with
from tests.factories.decisions import decided, review_of
from tests.factories.monitoring import AlertFactory, RuleFactory, SeriesFactory
from tests.factories.portfolio import KpiFactory, UnitFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=90)
RECENT = timezone.now() - timedelta(days=3)
PAGES = ("executive", "executive_pdf", "executive_csv", "executive_data")


def executive() -> Any:
    return person_with("executive_viewer", organisation())


def as_(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def old_case(**fields: Any) -> UseCase:
    use_case = UseCaseFactory.create(**fields)
    UseCase.objects.filter(pk=use_case.pk).update(created_at=LONG_AGO)
    use_case.refresh_from_db()
    return use_case


def measured(kpi: Kpi, at: datetime) -> None:
    """Its target was reached."""
    assert kpi.target is not None
    KpiMeasurement.objects.create(
        kpi=kpi, window_start=at.date(), window_end=at.date(), value=kpi.target, source="test", recorded_at=at
    )


def pair(report: Report, section: str, line: str) -> tuple[Any, Any]:
    (found,) = (each for part in report.sections if part.key == section for each in part.lines if each.key == line)
    return found.now, found.before


def test_assurance_is_counted_now_and_as_the_events_say_it_was() -> None:
    kept = old_case(assurance="in_force")
    decided(kept, decided_at=LONG_AGO)
    fallen = old_case(assurance="in_force")
    set_standing(use_case=fallen, by="system", assurance="reapproval_required")
    old_case()
    UseCaseFactory.create()
    report = executive_report(executive())
    assert pair(report, "assurance", "in_force") == (1, 2)
    assert pair(report, "assurance", "reapproval_required") == (1, 0)
    assert pair(report, "assurance", "") == (2, 1)


def test_an_approval_given_before_anything_was_recorded_counts_as_in_force() -> None:
    use_case = old_case()
    decided(use_case, decided_at=LONG_AGO)
    set_standing(use_case=use_case, by="system", assurance="at_risk")
    report = executive_report(executive())
    assert pair(report, "assurance", "in_force") == (0, 1)
    assert pair(report, "assurance", "at_risk") == (1, 0)


def test_stages_go_back_along_their_moves() -> None:
    use_case = old_case(stage="production")
    for come_from, to, days in (("idea", "poc", 80), ("poc", "pilot", 20), ("pilot", "production", 10)):
        at = timezone.now() - timedelta(days=days)
        StageChange.objects.create(use_case=use_case, from_stage=come_from, to_stage=to, at=at)
    UseCaseFactory.create(stage="production")
    report = executive_report(executive())
    assert (pair(report, "stages", "production"), pair(report, "stages", "poc")) == ((2, 0), (0, 1))


def test_alerts_are_counted_by_level_and_age() -> None:
    now = timezone.now()
    AlertFactory.create(level="act", opened_at=now - timedelta(hours=2))
    AlertFactory.create(level="act", opened_at=now - timedelta(days=40))
    AlertFactory.create(
        level="warn", opened_at=now - timedelta(days=40), resolved_at=now - timedelta(days=5), state="resolved"
    )
    report = executive_report(executive())
    assert (pair(report, "alerts", "act"), pair(report, "alerts", "warn")) == ((2, 1), (0, 1))
    assert pair(report, "alerts", "act_day") == (1, 0)
    assert pair(report, "alerts", "act_older") == (1, 0)
    assert pair(report, "alerts", "act_month") == (0, 1)


def test_drift_is_the_share_of_what_is_watched_for_it() -> None:
    drifting = SeriesFactory.create(kinds=["data_drift"])
    AlertFactory.create(rule=RuleFactory.create(series=drifting))
    SeriesFactory.create(kinds=["drift"])
    AlertFactory.create(rule=RuleFactory.create(series=SeriesFactory.create(kinds=["latency"])))
    silent = SeriesFactory.create(kinds=["drift"], use_case=drifting.use_case, metric="psi")
    Alert.objects.create(series=silent, level="warn", message="Silent.")
    report = executive_report(executive())
    assert pair(report, "drift", "watched")[0] == 2
    assert pair(report, "drift", "drifting") == (1, 0)
    assert pair(report, "drift", "share") == (50.0, 0.0)


def test_promises_are_told_from_what_was_measured() -> None:
    reached, never, new = (KpiFactory.create(use_case=old_case(stage="pilot"), is_primary=True) for _ in range(3))
    measured(reached, LONG_AGO)
    measured(new, RECENT)
    for kpi in (reached, never, new):
        type(kpi).objects.filter(pk=kpi.pk).update(created_at=LONG_AGO)
    KpiFactory.create(use_case=old_case(stage="idea"), is_primary=True)
    report = executive_report(executive())
    assert pair(report, "kpis", "reached") == (2, 1)
    assert pair(report, "kpis", "unmeasured") == (1, 2)
    assert pair(report, "kpis", "measured") == (66.7, 33.3)


def test_money_is_summed_where_both_are_known() -> None:
    for cost, budget in (("150", "100"), ("50", "100"), (None, "100"), ("10", None)):
        OperatingPlan.objects.update_or_create(
            use_case=UseCaseFactory.create(),
            defaults={
                "cost_to_date": cost and Decimal(cost),
                "budget_poc": budget and Decimal(budget),
            },
        )
    report = executive_report(executive())
    assert pair(report, "money", "cost_EUR") == (200, None)
    assert pair(report, "money", "share") == (100.0, None)
    assert (pair(report, "money", "over")[0], pair(report, "money", "unknown")[0]) == (1, 2)


def test_what_is_owed_is_counted_and_what_is_late() -> None:
    now = timezone.now()
    use_case = UseCaseFactory.create()
    review_of(use_case, submitted_at=LONG_AGO, due_at=now - timedelta(days=60))
    review_of(use_case, gate="poc_to_pilot", due_at=now + timedelta(days=5))
    decision = decided(use_case, decided_at=RECENT)
    person = PersonFactory.create()
    Condition.objects.create(
        decision=decision, use_case=use_case, position=1, text="x", scope="x", owner=person, due_on=RECENT.date()
    )
    AlertFactory.create(level="act", opened_at=RECENT, act_since=RECENT)
    AlertFactory.create(level="act", opened_at=RECENT, act_since=RECENT, outcome="retrain", decided_at=now)
    report = executive_report(executive())
    assert pair(report, "owed", "reviews") == (2, 1)
    assert pair(report, "owed", "late") == (1, 1)
    assert pair(report, "owed", "conditions") == (1, 0)
    assert pair(report, "owed", "breaches") == (1, 0)
    assert pair(report, "owed", "decided") == (1, 0)


def test_every_count_is_the_length_of_the_list_behind_it() -> None:
    alert = AlertFactory.create(level="act", opened_at=timezone.now() - timedelta(days=2))
    Series.objects.update(kinds=["drift"])
    UseCase.objects.update(assurance="at_risk")
    review_of(alert.series.use_case, due_at=RECENT)
    client = as_(executive())
    told = client.get(reverse("gates:executive_data")).json()
    lines = {(part["key"], line["key"]): line for part in told["sections"] for line in part["lines"]}
    for key in (
        ("assurance", "at_risk"),
        ("stages", alert.series.use_case.stage),
        ("alerts", "act"),
        ("alerts", "act_week"),
        ("drift", "drifting"),
        ("drift", "watched"),
        ("owed", "reviews"),
        ("owed", "late"),
        ("owed", "breaches"),
    ):
        line = lines[key]
        listed = client.get(line["url"])
        assert listed.status_code == 200, key
        assert listed.context["table"].total == line["now"] == 1, key
    for key in (("alerts", "act_day"), ("alerts", "warn")):
        assert client.get(lines[key]["url"]).context["table"].total == lines[key]["now"] == 0, key
    for line in lines.values():
        assert client.get(line["url"], follow=True).status_code == 200, line["url"]


def rows_behind(client: Client, line: dict[str, Any]) -> int:
    """How many rows the file of a report has."""
    answer = client.get(f"{line['url']}&export=csv")
    return len(b"".join(answer.streaming_content).decode().strip().splitlines()) - 1  # type: ignore[attr-defined]


def test_numbers_of_promises_and_money_lead_to_the_rows_that_they_count() -> None:
    reached, amended, _never = (KpiFactory.create(use_case=old_case(stage="pilot"), is_primary=True) for _ in range(3))
    measured(reached, RECENT)
    measured(amended, RECENT)
    Kpi.objects.filter(pk=amended.pk).update(is_current=False)
    amended.pk, amended.version, amended.is_current = uuid4(), 2, True
    amended.save(force_insert=True)
    KpiFactory.create(use_case=old_case(stage="idea"), is_primary=True)
    KpiFactory.create(use_case=reached.use_case, is_primary=False)
    for cost, budget in (("150", "100"), ("50", "100"), (None, "100")):
        given = {"cost_to_date": cost and Decimal(cost), "budget_poc": budget and Decimal(budget)}
        OperatingPlan.objects.update_or_create(use_case=UseCaseFactory.create(), defaults=given)
    ended = UseCaseFactory.create()
    OperatingPlan.objects.update_or_create(use_case=ended, defaults={"cost_to_date": Decimal(9), "budget_poc": 1})
    UseCase.objects.filter(pk=ended.pk).update(stage="stopped", status="closed")
    client = as_(executive())
    told = client.get(reverse("gates:executive_data")).json()
    lines = {(part["key"], line["key"]): line for part in told["sections"] for line in part["lines"]}
    for key, count in (
        (("kpis", "reached"), 2),
        (("kpis", "unmeasured"), 1),
        (("kpis", "worse"), 0),
        (("money", "over"), 1),
        (("money", "unknown"), 1),
    ):
        assert (lines[key]["now"], rows_behind(client, lines[key])) == (count, count), key
    assert rows_behind(client, lines["kpis", "measured"]) == 2
    assert rows_behind(client, lines["money", "cost_EUR"]) == 2
    shown = client.get(lines["kpis", "reached"]["url"]).content.decode()
    assert "Target reached" in shown
    assert client.get(reverse("portfolio:report", args=["budget"]) + "?money=odd").status_code == 200


def test_it_is_marked_under_reports() -> None:
    page = as_(executive()).get(reverse("gates:executive"))
    (entry,) = (entry for entry in page.context["nav"] if entry.active)
    assert entry.url_name == "portfolio:reports"
    (entry,) = (e for e in as_(executive()).get(reverse("gates:reviews")).context["nav"] if e.active)
    assert entry.url_name == "gates:reviews"


def test_a_unit_narrows_the_numbers_and_the_lists_behind_them() -> None:
    here, there = AlertFactory.create(), AlertFactory.create()
    unit = UnitFactory.create(parent=organisation())
    UseCase.objects.filter(pk=here.series.use_case_id).update(unit=unit)
    client = as_(executive())
    told = client.get(reverse("gates:executive_data"), {"unit": unit.code}).json()
    assert told["use_cases"] == 1
    (line,) = (each for part in told["sections"] for each in part["lines"] if each["key"] == "warn")
    assert (line["now"], client.get(line["url"]).context["table"].total) == (1, 1)
    assert (
        there.series.use_case.name not in client.get(reverse("gates:executive"), {"unit": unit.code}).content.decode()
    )
    assert client.get(reverse("gates:executive"), {"unit": "nowhere"}).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_it_is_for_those_who_may_view_the_portfolio(name: str) -> None:
    use_case = UseCaseFactory.create()
    address = reverse(f"gates:{name}")
    assert Client().get(address).status_code == 302
    assert as_(person_with("technical_lead", use_case)).get(address).status_code == 403
    assert as_(executive()).get(address).status_code == 200


def test_an_owner_of_one_use_case_counts_that_one_alone() -> None:
    AlertFactory.create()
    use_case = UseCaseFactory.create()
    owner = person_with("business_owner", use_case)
    told = as_(owner).get(reverse("gates:executive_data"))
    assert told.status_code == 200
    assert told.json()["use_cases"] == 1


def test_it_is_read_on_screen_on_paper_and_as_files() -> None:
    AlertFactory.create(level="act")
    client = as_(executive())
    page = client.get(reverse("gates:executive")).content.decode()
    for words in ("Systems by assurance", "Promised and measured", "A month ago", "One page of paper"):
        assert words in page
    assert "style=" not in page
    paper = client.get(reverse("gates:executive_pdf")).content
    assert paper.startswith(b"%PDF")
    assert paper.count(b"/Type /Page\n") + paper.count(b"/Type/Page\n") <= 1
    sheet: Any = client.get(reverse("gates:executive_csv"))
    text = b"".join(sheet.streaming_content).decode()
    assert text.splitlines()[0] == "Section,What,Now,A month ago,Change,Unit"
    assert "Alerts by severity and age,Breaches,1,0,1," in text
    assert json.loads(client.get(reverse("gates:executive_data")).content)["use_cases"] == 1


def test_over_rest_it_is_the_same_for_the_same_people() -> None:
    use_case = UseCaseFactory.create()
    address = "/api/v1/executive/"
    told = api_as(executive()).get(address)
    assert (told.status_code, told.json()["use_cases"]) == (200, 1)
    assert api_as(executive()).get(address, {"unit": "nowhere"}).status_code == 404
    assert api_as(person_with("technical_lead", use_case)).get(address).status_code == 403
    assert Client().get(address).status_code == 401


def test_it_is_listed_among_the_reports() -> None:
    client = as_(executive())
    assert reverse("gates:executive") in client.get(reverse("portfolio:reports")).content.decode()
    answer = client.get(reverse("portfolio:report", args=["executive"]), {"unit": "x"})
    assert answer.headers["Location"] == f"{reverse('gates:executive')}?unit=x"
    OperatingPlan.objects.update_or_create(
        use_case=UseCaseFactory.create(name="Costly"), defaults={"cost_to_date": 50, "budget_poc": 200}
    )
    budget = client.get(reverse("portfolio:report", args=["budget"])).content.decode()
    assert "Costly" in budget
    assert "25" in budget


def test_it_asks_the_same_number_of_questions_however_large_the_portfolio() -> None:
    client = as_(executive())

    def more() -> None:
        alert = AlertFactory.create(level="act")
        use_case = alert.series.use_case
        measured(KpiFactory.create(use_case=use_case, is_primary=True), RECENT)
        decided(use_case)
        review_of(use_case)
        set_standing(use_case=use_case, by="system", assurance="at_risk")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("gates:executive")).status_code == 200
        return len(captured)

    more()
    queries()
    few = queries()
    for _ in range(5):
        more()
    assert queries() == few <= 30
