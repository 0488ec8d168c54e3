"""Pages and REST of conditions: who finds what, what each step does, and that no state is written but by verbs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from gates.models import Condition
from gates.services.conditions import report_condition
from tests.factories.accounts import api_as, person_with, prove
from tests.factories.conditions import go_with, in_days, let_pass, owing, term
from tests.factories.gates import ready_case
from tests.factories.governance import EvidenceFactory
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db
API = "/api/v1/conditions/"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def signed_in(user: User) -> APIClient:
    client = APIClient()
    client.force_login(user)
    prove(client, user)
    return client


def page(user: User, address: str) -> str:
    answer = as_(user).get(address)
    assert answer.status_code == 200, answer.content[:400]
    return str(answer.content.decode())


def stranger() -> User:
    return person_with("business_owner", UseCaseFactory.create())


def test_nobody_reads_without_signing_in_and_strangers_find_nothing() -> None:
    _case, row, _closer = owing()
    one = f"/gates/conditions/{row.pk}/"
    for address in ("/gates/conditions/", one, f"{one}report/", f"{one}close/", f"{one}send-back/", f"{one}move/"):
        assert Client().get(address).status_code == 302
    other = stranger()
    assert as_(other).get(one).status_code == 404
    assert as_(other).post(f"{one}report/", {"report": "x"}).status_code == 404
    assert row.text not in page(other, "/gates/conditions/")
    assert APIClient().get(API).status_code == 401
    assert api_as(other).get(f"{API}{row.pk}/").status_code == 404
    assert api_as(other).get(API).json()["results"] == []


def test_the_list_filters_searches_and_exports() -> None:
    case, row, _closer = owing()
    reader = person_with("auditor", case.use_case.unit)
    for query in ("", "?q=real+letters", "?q=R-1", "?state=owed", "?gate=idea_to_poc", f"?q={case.use_case.key}"):
        assert str(row.pk) in page(reader, f"/gates/conditions/{query}"), query
    for query in ("?q=unicorn", "?state=overdue", "?state=closed", "?gate=poc_to_pilot", "?mine=on", "?q=R-99"):
        assert str(row.pk) not in page(reader, f"/gates/conditions/{query}"), query
    assert str(row.pk) in page(row.owner, "/gates/conditions/?mine=on")
    let_pass(row)
    shown = page(reader, "/gates/conditions/?state=overdue")
    assert str(row.pk) in shown
    assert "Overdue" in shown
    exported = b"".join(as_(reader).get("/gates/conditions/?export=csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert row.text in exported
    assert row.owner.full_name in exported


def test_the_list_takes_as_many_queries_for_one_as_for_five() -> None:
    case = ready_case()
    go_with(case, *[term(case.lead)] * 5)
    client = as_(person_with("auditor", case.use_case.unit))
    counts = []
    for address in ("/gates/conditions/?q=nothing-like-it", "/gates/conditions/"):
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        counts.append(len(captured))
    assert counts[1] <= counts[0] + 1


def test_the_page_offers_each_person_their_steps() -> None:
    case, row, closer = owing()
    one = f"/gates/conditions/{row.pk}/"
    assert f"{one}report/" in page(row.owner, one)
    assert f"{one}report/" not in page(case.lead, one)
    assert f"{one}move/" in page(case.manager, one)
    assert f"{one}close/" not in page(closer, one)
    report_condition(condition=row, by=row.owner, report="Measured again.")
    assert f"{one}close/" in page(closer, one)
    assert "Measured again." in page(case.lead, one)
    assert f"{one}close/" not in page(row.owner, one)


def test_report_send_back_report_and_close_on_pages() -> None:
    case, row, closer = owing()
    proof = EvidenceFactory.create(use_case=case.use_case)
    one = f"/gates/conditions/{row.pk}/"
    owner, judge = as_(row.owner), as_(closer)
    assert owner.post(f"{one}report/", {"report": " "}).status_code == 422
    assert owner.post(f"{one}report/", {"report": "Done.", "evidence": str(proof.pk)}).status_code == 302
    assert owner.post(f"{one}close/", {}).status_code == 403
    assert judge.post(f"{one}send-back/", {"reason": ""}).status_code == 422
    assert judge.post(f"{one}send-back/", {"reason": "Half of it."}).status_code == 302
    assert "Half of it." in page(row.owner, one)
    assert owner.post(f"{one}report/", {"report": "All of it."}).status_code == 302
    assert judge.post(f"{one}close/", {"note": "Seen."}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.closed_by) == ("closed", closer)
    assert judge.get(f"{one}close/").status_code == 403


def test_moving_keeps_what_was_typed_and_names_the_field() -> None:
    case, row, _closer = owing()
    address = f"/gates/conditions/{row.pk}/move/"
    client = as_(case.manager)
    body = {"due_on": "2020-01-01", "owner": str(row.owner_id), "reason": "The supplier is late."}
    wrong = client.post(address, body)
    assert wrong.status_code == 422
    assert list(wrong.context["form"].errors) == ["due_on"]
    assert wrong.context["form"]["reason"].value() == "The supplier is late."
    assert client.post(address, {**body, "due_on": in_days(60).isoformat()}).status_code == 302
    assert as_(row.owner).get(address).status_code == 403


def test_evidence_of_another_use_case_cannot_be_chosen() -> None:
    _case, row, _closer = owing()
    other = EvidenceFactory.create(use_case=UseCaseFactory.create())
    address = f"/gates/conditions/{row.pk}/report/"
    assert as_(row.owner).post(address, {"report": "Done.", "evidence": str(other.pk)}).status_code == 422
    over_rest = signed_in(row.owner).post(f"{API}{row.pk}/report/", {"report": "Done.", "evidence": str(other.pk)})
    assert over_rest.status_code == 422
    row.refresh_from_db()
    assert row.state == "open"


def test_the_gate_tab_shows_what_is_owed() -> None:
    case, row, _closer = owing()
    shown = page(case.lead, f"/use-cases/{case.use_case.key}/gate/")
    assert row.text in shown
    assert f"/gates/conditions/{row.pk}/" in shown
    let_pass(row)
    assert "Condition overdue: Measure again" in page(case.lead, f"/use-cases/{case.use_case.key}/gate/")


# -- REST ------------------------------------------------------------------------------------------------------------


def test_the_verbs_over_rest() -> None:
    case, row, closer = owing()
    one = f"{API}{row.pk}/"
    shown = api_as(case.lead).get(one).json()
    assert (shown["state"], shown["overdue"], shown["review"]) == ("open", False, 1)
    owner, judge = signed_in(row.owner), signed_in(closer)
    assert owner.post(f"{one}report/", {"report": "Done."}).json()["state"] == "reported"
    assert judge.post(f"{one}send-back/", {"reason": "Half."}).json()["sent_back_because"] == "Half."
    moved = signed_in(case.manager).post(
        f"{one}reschedule/", {"due_on": in_days(50).isoformat(), "reason": "Late.", "owner": str(case.lead.pk)}
    )
    assert moved.json()["owner"]["id"] == str(case.lead.pk)
    assert owner.post(f"{one}report/", {"report": "Done."}).status_code == 403
    assert signed_in(case.lead).post(f"{one}report/", {"report": "Done."}).status_code == 200
    closed = judge.post(f"{one}close/", {})
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    assert judge.post(f"{one}close/", {}).status_code == 409


def test_no_state_can_be_written_and_no_token_acts() -> None:
    _case, row, closer = owing()
    one = f"{API}{row.pk}/"
    for method in ("put", "patch", "delete"):
        assert getattr(signed_in(closer), method)(one, {"state": "closed"}, format="json").status_code == 405
    assert signed_in(closer).post(API, {"state": "closed"}, format="json").status_code == 405
    assert signed_in(row.owner).post(f"{one}report/", {"report": "x", "state": "closed"}).status_code == 422
    assert api_as(row.owner).post(f"{one}report/", {"report": "Done."}).status_code == 403
    assert Condition.objects.get().state == "open"


def test_the_filters_over_rest() -> None:
    case, row, _closer = owing()
    reader = api_as(person_with("auditor", case.use_case.unit))

    def found(query: str) -> int:
        return len(reader.get(f"{API}?{query}").json()["results"])

    assert found(f"use_case={case.use_case.key}&review=1&gate=idea_to_poc&state=owed&owner={row.owner_id}") == 1
    assert found("state=overdue") == 0
    assert found("q=letters") == 1
    let_pass(row)
    assert found("state=overdue") == 1


def test_a_conditional_go_over_rest_names_what_is_wrong_by_field() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    client = signed_in(case.manager)
    address = f"/api/v1/reviews/{review.number}/decide/"
    owed: dict[str, Any] = {**term(case.lead), "owner": str(case.lead.pk), "due_on": in_days(30).isoformat()}
    body = {"outcome": "go_with_conditions", "digest": review.digest, "conditions": [owed, {**owed, "scope": ""}]}
    wrong = client.post(address, body, format="json")
    assert wrong.status_code == 422
    assert list(wrong.json()["errors"]) == ["conditions.1.scope"]
    decided = client.post(address, {**body, "conditions": [owed]}, format="json")
    assert decided.status_code == 201, decided.json()
    assert Condition.objects.get().owner == case.lead


def test_deciding_over_rest_takes_a_fresh_authentication() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    client = APIClient()
    client.force_login(case.manager)
    prove(client, case.manager, seconds_ago=600)
    address = f"/api/v1/reviews/{review.number}/decide/"
    refused = client.post(address, {"outcome": "go", "digest": review.digest}, format="json")
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("reauthentication_required")
    prove(client, case.manager)
    assert client.post(address, {"outcome": "go", "digest": review.digest}, format="json").status_code == 201


def test_a_stop_over_rest_carries_its_plan() -> None:
    case = ready_case()
    review = case.submit()
    sponsor = person_with("business_sponsor", case.use_case)
    address = f"/api/v1/reviews/{review.number}/decide/"
    body = {"outcome": "stop", "digest": review.digest, "reason": "No value.", "reason_code": "no_value"}
    wrong = signed_in(sponsor).post(address, body, format="json")
    assert set(wrong.json()["errors"]) == {"plan.lessons", "plan.disposal"}
    plan = {"lessons": "Too few.", "disposal": "Deleted."}
    decided = signed_in(sponsor).post(address, {**body, "plan": plan}, format="json")
    assert (decided.status_code, decided.json()["plan"]) == (201, plan)
