"""Simulations of a draft and a review under a newer version, in the browser."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from gates.models import PolicyVersion, Simulation
from gates.services.policies import save_draft, start_extension, text_digest
from gates.services.simulations import simulate_draft
from gates.tasks import simulate_policy
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.gates import publish, ready_case, small_text
from tests.factories.portfolio import UseCaseFactory
from tests.gates.test_policy_pages import address, as_, author, draft, page

pytestmark = pytest.mark.django_db


def simulated(by: User) -> tuple[PolicyVersion, Simulation]:
    version = draft(by)
    text = version.text.replace("params: {fields: [problem_statement]}", "params: {fields: [objective]}", 1)
    version = save_draft(version=version, text=text, by=by, seen=text_digest(version))
    simulation = simulate_draft(version=version, by=by)
    simulate_policy(str(simulation.pk))
    return version, simulation


def test_a_simulation_is_asked_for_followed_and_read() -> None:
    case = ready_case(tier="minimal")
    by = author()
    version = draft(by)
    where = address(version, "simulation/")
    assert "Not simulated yet" in page(by, where)
    assert as_(by).post(address(version, "simulate/"))["Location"] == where
    waiting = page(by, where)
    assert "Waiting for a worker" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    assert "Reload to see how far it is" in waiting
    Simulation.objects.update(state="running", done=3, total=9)
    assert "3 of 9" in page(by, where)
    as_(by).post(address(version, "simulation/stop/"))
    assert "The simulation was stopped." in page(by, where)
    Simulation.objects.update(state="failed", error="It could not be carried out.")
    assert "It could not be carried out." in page(by, where)
    assert case.use_case.name not in page(by, where)


def test_the_result_names_use_cases_and_criteria_and_can_be_filtered_and_exported() -> None:
    case = ready_case(tier="minimal")
    by = author()
    version, _simulation = simulated(by)
    where = address(version, "simulation/")
    text = page(by, where)
    assert "Blocks <strong>1</strong> use case that passes today" in text
    assert case.use_case.name in text
    assert "IP-01" in text
    assert 'hx-trigger="every 1s"' not in text
    for query in ("?direction=blocks", "?tier=minimal", f"?unit={case.use_case.unit.name}", "?q=IP-01"):
        assert case.use_case.name in page(by, where + query), query
    for query in ("?tier=high", "?q=nothing", "?direction=releases"):
        assert case.use_case.name not in page(by, where + query), query
    exported = as_(by).get(f"{where}?export=csv")
    assert case.use_case.key in b"".join(exported).decode()
    assert "is about an older text" not in text
    newer = version.text.replace("high: 90}", "high: 80}")
    save_draft(version=version, text=newer, by=by, seen=text_digest(version))
    assert "about an older text" in page(by, where)


def test_who_may_draft_for_a_unit_alone_sees_its_use_cases_alone() -> None:
    case = ready_case(tier="minimal")
    by = person_with("portfolio_manager", case.use_case.unit)
    version = start_extension(unit=case.use_case.unit, by=by)
    more = "gates: {idea_to_poc: {change: {IP-02: {applies: {minimal: mandatory}}}}}\n"
    version = save_draft(version=version, text=version.source + more, by=by, seen=version.digest)
    simulation = simulate_draft(version=version, by=by)
    simulate_policy(str(simulation.pk))
    assert case.use_case.name in page(by, address(version, "simulation/"))
    simulation.refresh_from_db()
    simulation.result["turns"].append({**simulation.result["turns"][0], "use_case": "x", "name": "Secret"})
    simulation.save(update_fields=["result"])
    text = page(by, address(version, "simulation/"))
    assert "Secret" not in text
    assert "not yours to see" in text


# a review under another version


def test_a_review_is_shown_under_the_newer_version() -> None:
    case = ready_case(tier="minimal")
    review = case.submit()
    lead = case.lead
    where = f"/gates/reviews/{review.number}/under/"
    assert "on the version in force" in page(lead, where)
    publish(small_text(version="1.1.0").replace("[problem_statement]", "[problem_statement, objective]", 1))
    text = page(lead, where)
    assert "What would version 1.1.0 say?" in text
    assert "would stand against it" in text
    assert where in page(lead, f"/gates/reviews/{review.number}/")
    page(lead, f"{where}?version=9.9", 404)
    page(PersonFactory.create(), where, 404)
    assert case.use_case.key in page(lead, f"/gates/reviews/{review.number}/")


# cost


def queries(user: User, where: str) -> int:
    client = as_(user)
    client.get(where)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(where).status_code == 200
    return len(captured)


def test_pages_take_the_same_number_of_queries_whatever_there_is() -> None:
    by = author()
    for _ in range(2):
        UseCaseFactory.create(problem_statement="x")
    version, _simulation = simulated(by)
    places = [
        "/gates/policies/",
        "/gates/policies/small/versions/",
        address(version),
        address(version, "form/"),
        address(version, "simulation/"),
    ]
    before = [queries(by, where) for where in places]
    for _ in range(3):
        case = UseCaseFactory.create(problem_statement="x")
        extension = start_extension(unit=case.unit, by=by)
        save_draft(
            version=extension, text=extension.source + "sign_off_validity_days: 20\n", by=by, seen=extension.digest
        )
    simulation = simulate_draft(version=version, by=by)
    simulate_policy(str(simulation.pk))
    publish(small_text(key="aside", primary=False))
    after = [queries(by, where) for where in places]
    assert after == before
    assert max(before) <= 25
