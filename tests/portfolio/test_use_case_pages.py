"""The use case page with its tabs and forms, home, units and search."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import RoleAssignment, User
from ledger import SYSTEM
from portfolio import services
from portfolio.models import BusinessUnit, Kpi, Phase, UseCase
from portfolio.panel import panels
from tests.factories.accounts import PersonFactory, give, person_with
from tests.factories.portfolio import KpiFactory, UnitFactory, UseCaseFactory, measure, organisation

pytestmark = pytest.mark.django_db
OWN_PANELS = ("overview", "kpis", "people", "roadmap", "history")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def page_of(use_case: UseCase, panel: str = "") -> str:
    return f"/use-cases/{use_case.key}/{f'{panel}/' if panel else ''}"


@pytest.mark.parametrize("panel", ["", *OWN_PANELS])
def test_an_insider_opens_every_tab_and_an_outsider_none(panel: str) -> None:
    use_case = UseCaseFactory.create(name="Claims triage")
    measure(KpiFactory.create(use_case=use_case), 10)
    shown = client_of(person_with("technical_lead", use_case)).get(page_of(use_case, panel))
    assert shown.status_code == 200
    assert "Claims triage" in text(shown)
    assert client_of(PersonFactory.create()).get(page_of(use_case, panel)).status_code == 404
    assert Client().get(page_of(use_case, panel)).status_code == 302


def test_an_unknown_tab_is_not_found() -> None:
    use_case = UseCaseFactory.create()
    assert client_of(person_with("technical_lead", use_case)).get(page_of(use_case, "nothing")).status_code == 404


@pytest.mark.parametrize("panel", OWN_PANELS)
def test_a_tab_costs_the_same_few_queries_whatever_is_in_it(panel: str) -> None:
    use_case = UseCaseFactory.create()
    client = client_of(person_with("technical_lead", use_case))
    counts = []
    for _ in range(2):
        for number in range(6):
            measure(KpiFactory.create(use_case=use_case), 9 - number)
            services.save_phase(use_case=use_case, by=SYSTEM, changes={"name": "Phase"})
            person_with("data_scientist", use_case)
        client.get(page_of(use_case, panel))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page_of(use_case, panel)).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 32


def test_no_tab_is_called_like_an_address_of_the_page() -> None:
    assert not set(panels.keys()) & {"edit", "plan", "status", "new"}


def test_imported_columns_are_shown_in_full() -> None:
    use_case = UseCaseFactory.create(
        source_profile="p", source_key="k", source_row=7, source_data={"Topic area": "Health & <safety>"}
    )
    page = text(client_of(person_with("technical_lead", use_case)).get(page_of(use_case)))
    assert "Topic area" in page
    assert "Health &amp; &lt;safety&gt;" in page
    assert "row 7" in page


def test_the_history_shows_before_and_after_to_whoever_sees_the_use_case() -> None:
    use_case = UseCaseFactory.create(vendor="Acme")
    services.edit_use_case(use_case=use_case, changes={"vendor": "OpenVendor"}, by=SYSTEM)
    page = text(client_of(person_with("human_reviewer", use_case)).get(page_of(use_case, "history")))
    assert "Use case edited" in page
    assert "Acme" in page
    assert "OpenVendor" in page


def test_a_use_case_is_opened_and_the_opener_sees_it() -> None:
    unit = UnitFactory.create()
    client = client_of(person_with("business_sponsor", unit))
    response = client.post("/use-cases/new/", {"name": "Claims triage", "unit": unit.code, "third_party": "false"})
    use_case = UseCase.objects.get()
    assert response.headers["Location"] == page_of(use_case)
    assert (use_case.third_party, use_case.personal_data) == (False, None)
    assert client.get(page_of(use_case)).status_code == 200


def test_a_wrong_form_keeps_everything_that_was_typed() -> None:
    unit = UnitFactory.create()
    client = client_of(person_with("business_sponsor", unit))
    typed = {"name": "", "unit": unit.code, "summary": "A long thought", "personal_data": "true", "regulations": "GDPR"}
    response = client.post("/use-cases/new/", typed)
    assert response.status_code == 422
    page = text(response)
    assert "A long thought" in page
    assert 'value="GDPR"' in page
    assert "Nothing was saved" in page
    assert not UseCase.objects.exists()


def test_a_taken_key_is_said_at_its_field() -> None:
    unit = UnitFactory.create()
    UseCaseFactory.create(key="triage")
    client = client_of(person_with("business_sponsor", unit))
    response = client.post("/use-cases/new/", {"name": "A", "unit": unit.code, "key": "triage"})
    assert response.status_code == 422
    assert "key" in response.context["form"].errors


def test_who_may_open_none_is_told_so() -> None:
    assert client_of(person_with("auditor", organisation())).get("/use-cases/new/").status_code == 403


def edited(use_case: UseCase, **changes: str) -> dict[str, str]:
    return {"name": use_case.name, "unit": use_case.unit.code, "seen": use_case.updated_at.isoformat(), **changes}


def test_an_edit_changes_only_what_was_changed() -> None:
    use_case = UseCaseFactory.create(regulations=["GDPR"], personal_data=True, vendor="Acme")
    client = client_of(person_with("use_case_lead", use_case))
    shown = client.get(f"{page_of(use_case)}edit/").context["form"]
    initial = {bound.html_name: bound.value() or "" for bound in shown}
    response = client.post(f"{page_of(use_case)}edit/", {**initial, "vendor": "OpenVendor"})
    assert response.status_code == 302, response.context["form"].errors
    use_case.refresh_from_db()
    assert (use_case.vendor, use_case.regulations, use_case.personal_data) == ("OpenVendor", ["GDPR"], True)
    from ledger.models import Event

    assert set(Event.objects.latest("index").changes) == {"vendor"}


def test_an_edit_over_somebody_elses_is_asked_about_once() -> None:
    use_case = UseCaseFactory.create()
    client = client_of(person_with("use_case_lead", use_case))
    typed = edited(use_case, vendor="Mine")
    services.edit_use_case(use_case=use_case, changes={"vendor": "Theirs"}, by=SYSTEM)
    refused = client.post(f"{page_of(use_case)}edit/", typed)
    assert refused.status_code == 422
    assert "Somebody else" in text(refused)
    assert 'value="Mine"' in text(refused)
    again = {**typed, "seen": refused.context["form"]["seen"].value()}
    assert client.post(f"{page_of(use_case)}edit/", again).status_code == 302
    use_case.refresh_from_db()
    assert use_case.vendor == "Mine"


def test_a_reader_may_not_edit() -> None:
    use_case = UseCaseFactory.create()
    client = client_of(person_with("technical_lead", use_case))
    for address in ("edit/", "plan/edit/", "status/", "kpis/new/", "people/assign/"):
        assert client.get(page_of(use_case) + address).status_code == 403
    assert client_of(PersonFactory.create()).get(f"{page_of(use_case)}edit/").status_code == 404


def test_a_use_case_is_held_and_resumed() -> None:
    use_case = UseCaseFactory.create()
    client = client_of(person_with("use_case_lead", use_case))
    assert client.post(f"{page_of(use_case)}status/", {"reason": ""}).status_code == 422
    client.post(f"{page_of(use_case)}status/", {"reason": "Budget"})
    use_case.refresh_from_db()
    assert use_case.status == "on_hold"
    client.post(f"{page_of(use_case)}status/", {})
    use_case.refresh_from_db()
    assert use_case.status == "active"


def test_a_plan_is_edited() -> None:
    use_case = UseCaseFactory.create()
    client = client_of(person_with("use_case_lead", use_case))
    assert client.post(f"{page_of(use_case)}plan/edit/", {"currency": "eur", "budget_poc": "-5"}).status_code == 422
    assert client.post(f"{page_of(use_case)}plan/edit/", {"currency": "eur", "budget_poc": "12000"}).status_code == 302
    assert "12\u202f000.00 EUR" in text(client.get(page_of(use_case)))


def test_a_kpi_is_defined_measured_and_locked_in_the_browser() -> None:
    use_case = UseCaseFactory.create()
    owner = client_of(person_with("business_owner", use_case))
    sponsor = client_of(person_with("business_sponsor", use_case))
    kpi_form = {"name": "Handling time", "unit": "min", "direction": "lower", "baseline": "12", "target": "8"}
    assert owner.post(f"{page_of(use_case)}kpis/new/", {**kpi_form, "target": "20"}).status_code == 422
    assert owner.post(f"{page_of(use_case)}kpis/new/", kpi_form).status_code == 302
    kpi = Kpi.objects.get()
    assert kpi.key == "handling-time"
    day = timezone.localdate() - timedelta(days=1)
    value = {"value": "9.5", "window_start": str(day), "window_end": str(day), "source": "warehouse"}
    tomorrow = {**value, "window_end": str(timezone.localdate() + timedelta(days=1))}
    assert owner.post(f"{page_of(use_case)}kpis/{kpi.key}/measure/", tomorrow).status_code == 422
    assert owner.post(f"{page_of(use_case)}kpis/{kpi.key}/measure/", {**value, "value": "NaN"}).status_code == 422
    assert owner.post(f"{page_of(use_case)}kpis/{kpi.key}/measure/", value).status_code == 302
    assert owner.post(f"{page_of(use_case)}kpis/{kpi.key}/lock/").status_code == 403
    assert sponsor.post(f"{page_of(use_case)}kpis/{kpi.key}/lock/").status_code == 302
    assert sponsor.post(f"{page_of(use_case)}kpis/{kpi.key}/lock/").status_code == 409
    assert owner.post(f"{page_of(use_case)}kpis/{kpi.key}/edit/", {**kpi_form, "target": "7"}).status_code == 302
    assert sorted(Kpi.objects.values_list("version", "is_current")) == [(1, False), (2, True)]
    page = text(owner.get(page_of(use_case, "kpis")))
    assert "9.5" in page
    chart = owner.get(f"{page_of(use_case)}kpis/{kpi.key}/chart.json").json()
    assert chart["series"][0]["points"] == [[str(day), 9.5]]
    assert [line["value"] for line in chart["thresholds"]] == [12.0, 7.0]


def test_a_role_is_given_and_ended_by_a_portfolio_manager() -> None:
    use_case, person = UseCaseFactory.create(), PersonFactory.create(full_name="Mei-Ling Zhou")
    manager = client_of(person_with("portfolio_manager", organisation()))
    assert (
        manager.post(f"{page_of(use_case)}people/assign/", {"role": "technical_lead", "person": "No"}).status_code
        == 422
    )
    given = {"role": "technical_lead", "person": person.email.upper()}
    assert manager.post(f"{page_of(use_case)}people/assign/", given).status_code == 302
    assert "Mei-Ling Zhou" in text(manager.get(page_of(use_case, "people")))
    held = RoleAssignment.objects.get(user=person)
    other = UseCaseFactory.create()
    assert manager.post(f"{page_of(other)}people/{held.pk}/end/", {}).status_code == 404
    assert manager.post(f"{page_of(use_case)}people/{held.pk}/end/", {"reason": "Moved on"}).status_code == 302
    held.refresh_from_db()
    assert held.ended_at is not None
    assert "Before" in text(manager.get(page_of(use_case, "people")))


def test_a_phase_is_planned_by_the_lead_and_moved_on_by_those_who_do_the_work() -> None:
    use_case = UseCaseFactory.create()
    lead = client_of(person_with("use_case_lead", use_case))
    phase = {"name": "Collect data", "kind": "phase", "state": "not_started", "starts_on": "2026-03-01"}
    assert lead.post(f"{page_of(use_case)}roadmap/new/", {**phase, "ends_on": "2026-01-01"}).status_code == 422
    assert lead.post(f"{page_of(use_case)}roadmap/new/", {**phase, "ends_on": "2026-04-01"}).status_code == 302
    found = Phase.objects.get()
    scientist = client_of(person_with("data_scientist", use_case))
    assert scientist.get(f"{page_of(use_case)}roadmap/{found.pk}/edit/").status_code == 403
    assert scientist.post(f"{page_of(use_case)}roadmap/{found.pk}/state/", {"state": "in_progress"}).status_code == 302
    assert scientist.post(f"{page_of(use_case)}roadmap/{found.pk}/state/", {"state": "soon"}).status_code == 422
    found.refresh_from_db()
    assert found.state == "in_progress"
    auditor = client_of(person_with("auditor", organisation()))
    assert auditor.post(f"{page_of(use_case)}roadmap/{found.pk}/state/", {"state": "completed"}).status_code == 403
    assert "Collect data" in text(lead.get(page_of(use_case, "roadmap")))


def test_home_shows_what_is_mine_and_what_others_did_since() -> None:
    use_case = UseCaseFactory.create(name="Claims triage", next_gate="idea_to_poc", gate_met=3, gate_required=9)
    lead = person_with("use_case_lead", use_case)
    client = client_of(lead)
    first = text(client.get("/"))
    assert "Claims triage" in first
    assert "6 of 9 missing" in first
    assert "What happened lately" in first
    assert "Claims triage: created" in first
    services.edit_use_case(use_case=use_case, changes={"vendor": "Acme"}, by=SYSTEM)
    services.edit_use_case(use_case=use_case, changes={"vendor": "Mine"}, by=lead)
    next_visit = text(client_of(lead).get("/"))
    assert "Claims triage: edited" in next_visit
    assert "2 times" not in next_visit


def test_the_news_say_where_a_use_case_stands_now() -> None:
    use_case = UseCaseFactory.create(name="Claims triage")
    client = client_of(person_with("use_case_lead", use_case))
    services.move_stage(use_case=use_case, to_stage="poc", decision_id=uuid4(), by=SYSTEM, reason="")
    services.set_standing(use_case=use_case, assurance="at_risk", assurance_reason="F1 fell", by=SYSTEM)
    home, history = text(client.get("/")), text(client.get(page_of(use_case, "history")))
    assert "Claims triage: moved to PoC" in home
    assert "Claims triage: assurance is now: At risk" in home
    assert "Moved to PoC" in history


def test_home_tells_no_news_of_what_one_may_not_see() -> None:
    person = person_with("use_case_lead", UseCaseFactory.create())
    client_of(person).get("/")
    UseCaseFactory.create(name="Secret plan")
    assert "Secret plan" not in text(client_of(person).get("/"))


def test_home_costs_the_same_number_of_queries_for_many_use_cases() -> None:
    unit = UnitFactory.create()
    client = client_of(person_with("business_owner", unit))
    counts = []
    for more in (2, 10):
        for _ in range(more):
            UseCaseFactory.create(unit=unit)
        client.get("/")
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/").status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 42


def test_units_are_listed_with_counts_and_added_by_who_may() -> None:
    parent = UnitFactory.create(name="Retail")
    UseCaseFactory.create(unit=UnitFactory.create(parent=parent), stage="production", assurance="at_risk")
    manager = client_of(person_with("portfolio_manager", organisation()))
    rows = {row["unit"].name: row for row in manager.get("/units/").context["rows"]}
    assert (rows["Retail"]["total"], rows["Retail"]["own"], rows["Retail"]["at_risk"]) == (1, 0, 1)
    new = {"name": "Cards", "code": "cards", "parent": parent.code}
    assert manager.post("/units/new/", new).status_code == 302
    assert manager.post("/units/new/", new).status_code == 422
    assert BusinessUnit.objects.get(code="cards").path == f"{parent.path}cards/"
    assert manager.post("/units/cards/edit/", {"name": "Card business"}).status_code == 302
    auditor = client_of(person_with("auditor", organisation()))
    assert auditor.get("/units/new/").status_code == 403
    assert auditor.post("/units/cards/edit/", {"name": "X"}).status_code == 403


def test_search_finds_use_cases_people_and_units_but_not_what_is_hidden() -> None:
    use_case = UseCaseFactory.create(name="Triage of claims")
    UseCaseFactory.create(name="Triage of letters")
    PersonFactory.create(full_name="Triana Ortega")
    client = client_of(person_with("technical_lead", use_case))
    page = text(client.get("/search/", {"q": "tria"}))
    assert "Triage of claims" in page
    assert "Triana Ortega" in page
    assert "Triage of letters" not in page
    results = client.get("/palette/", {"q": "triage claims"}).json()["results"]
    assert [(hit["title"], hit["url"]) for hit in results] == [("Triage of claims", page_of(use_case))]
    assert client.get("/palette/", {"q": ""}).json() == {"results": []}


def test_a_key_that_is_typed_in_full_comes_first() -> None:
    UseCaseFactory.create(name="Alpha UC-9001 follow-up", key="other")
    UseCaseFactory.create(name="Zeta", key="UC-9001")
    client = client_of(person_with("auditor", organisation()))
    assert client.get("/palette/", {"q": "uc-9001"}).json()["results"][0]["title"] == "Zeta"


def test_ended_roles_no_longer_open_the_page() -> None:
    use_case = UseCaseFactory.create()
    person = PersonFactory.create()
    assignment = give(person, "technical_lead", use_case)
    client = client_of(person)
    assert client.get(page_of(use_case)).status_code == 200
    from accounts.services import end_role

    end_role(assignment=assignment, by=SYSTEM)
    assert client.get(page_of(use_case)).status_code == 404
    assert reverse("portfolio:use_case", args=[use_case.key]) == page_of(use_case)
