"""Pages and REST of decisions after breaches: who finds what, and that what is decided is read everywhere."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from gates.breaching import open_owed
from gates.models import BreachDecision
from tests.factories.accounts import ServiceAccountFactory, api_as, give, person_with, prove
from tests.factories.breaches import breach_of, owed, system
from tests.factories.conditions import in_days
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db
API = "/api/v1/breach-decisions/"


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


def test_nobody_reads_without_signing_in_and_strangers_find_nothing() -> None:
    row = owed(system())
    one, form = f"/gates/breaches/{row.number}/", f"/gates/breaches/of/{row.alert_id}/"
    for address in ("/gates/breaches/", one, form, f"{one}confirm/", f"{one}refuse/"):
        assert Client().get(address).status_code == 302
    other = person_with("business_owner", UseCaseFactory.create())
    for address in (one, form, f"{one}confirm/", f"{one}refuse/"):
        assert as_(other).get(address).status_code == 404
    assert row.alert.message not in page(other, "/gates/breaches/")
    assert APIClient().get(API).status_code == 401
    assert api_as(other).get(f"{API}{row.number}/").status_code == 404
    assert api_as(other).get(API).json()["results"] == []


def test_the_list_filters_searches_and_exports() -> None:
    case = system()
    row = owed(case)
    owner = case.signers["business_owner"]
    reader = person_with("auditor", case.use_case.unit)
    link = f"/gates/breaches/{row.number}/"
    for query in ("", "?q=F1", f"?q=B-{row.number}", "?state=owed", "?tier=limited", f"?q={case.use_case.key}"):
        assert link in page(reader, f"/gates/breaches/{query}"), query
    for query in ("?q=unicorn", "?state=late", "?state=decided", "?outcome=retrain", "?tier=high", "?mine=on"):
        assert link not in page(reader, f"/gates/breaches/{query}"), query
    assert link in page(owner, "/gates/breaches/?mine=on")
    exported = b"".join(as_(reader).get("/gates/breaches/?export=csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert row.alert.message in exported


def test_the_list_and_rest_take_as_many_queries_for_one_as_for_five() -> None:
    case = system()
    owed(case)
    reader = person_with("auditor", case.use_case.unit)
    client, machine = as_(reader), api_as(reader)
    counts: list[list[int]] = []
    for _round in range(2):
        counts.append([])
        for ask in (lambda: client.get("/gates/breaches/"), lambda: machine.get(API)):
            ask()
            with CaptureQueriesContext(connection) as captured:
                assert ask().status_code == 200
            counts[-1].append(len(captured))
        for _more in range(4):
            breach_of(case)
        open_owed()
    assert counts[0] == counts[1]


def test_the_owner_decides_on_the_form_and_it_is_read_everywhere() -> None:
    case = system()
    row = owed(case)
    owner = case.signers["business_owner"]
    one, form = f"/gates/breaches/{row.number}/", f"/gates/breaches/of/{row.alert_id}/"
    assert form in page(owner, one)
    assert form not in page(case.signers["technical_lead"], one)
    assert as_(case.signers["technical_lead"]).get(form).status_code == 403
    client = as_(owner)
    wrong = client.post(form, {"outcome": "accept", "reason": "The season."})
    assert wrong.status_code == 422
    assert list(wrong.context["form"].errors) == ["accepted_until"]
    assert "The season." in wrong.content.decode()
    assert client.post(form, {"outcome": "retrain", "reason": "Inputs shifted in May."}).status_code == 302
    for address in (one, f"/use-cases/{case.use_case.key}/gate/", f"/monitoring/alerts/{row.alert_id}/"):
        assert "Inputs shifted in May." in page(owner, address), address
    assert client.get(form).status_code == 302
    row.refresh_from_db()
    assert row.digest[:16] in page(owner, one)
    assert "Breach decided" in page(owner, f"/use-cases/{case.use_case.key}/history/")


def test_a_second_person_confirms_or_refuses_on_the_page() -> None:
    case = system(tier="high")
    row = owed(case)
    owner, officer = case.signers["business_owner"], person_with("risk_compliance", organisation())
    one = f"/gates/breaches/{row.number}/"
    given = {"outcome": "accept", "reason": "Known.", "accepted_until": in_days(20).isoformat()}
    assert as_(owner).post(f"/gates/breaches/of/{row.alert_id}/", given).status_code == 302
    assert f"{one}confirm/" not in page(owner, one)
    assert as_(owner).post(f"{one}confirm/").status_code == 403
    assert f"{one}confirm/" in page(officer, one)
    judge = as_(officer)
    assert judge.get(f"{one}refuse/").status_code == 200
    assert judge.post(f"{one}refuse/", {"reason": " "}).status_code == 422
    assert judge.post(f"{one}refuse/", {"reason": "Not known to me."}).status_code == 302
    assert "Not known to me." in page(owner, one)
    assert judge.post(f"{one}confirm/").status_code == 409
    as_(owner).post(f"/gates/breaches/of/{row.alert_id}/", given)
    assert judge.post(f"{one}confirm/").status_code == 302
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("decided", officer)


def test_the_card_beside_every_tab_says_what_is_owed() -> None:
    case = system()
    row = owed(case)
    assert f"/gates/breaches/{row.number}/" in page(case.lead, f"/use-cases/{case.use_case.key}/")
    assert "Decision owed" in page(case.lead, f"/use-cases/{case.use_case.key}/")


def test_rest_reads_for_machines_and_decides_for_people_who_are_signed_in() -> None:
    case = system()
    row = owed(case)
    owner = case.signers["business_owner"]
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", case.use_case)
    body = {"alert": str(row.alert_id), "outcome": "roll_back", "reason": "The one before did better."}
    assert api_as(machine).post(API, body).status_code in (403, 422)
    assert api_as(owner).post(API, body).status_code == 403
    client = signed_in(owner)
    assert client.post(API, {**body, "outcome": "shrug"}, format="json").status_code == 422
    assert client.post(API, {**body, "alert": str(case.use_case.pk)}, format="json").status_code == 422
    made = client.post(API, body, format="json")
    assert made.status_code == 201, made.content
    assert (made.json()["reference"], made.json()["outcome"]) == (str(row), "roll_back")
    assert client.post(API, body, format="json").status_code == 409
    found = client.get(API, {"state": "decided", "use_case": case.use_case.key}).json()["results"]
    assert [one["number"] for one in found] == [row.number]


def test_rest_confirms_and_refuses() -> None:
    case = system(tier="high")
    row = owed(case)
    owner, officer = case.signers["business_owner"], person_with("risk_compliance", organisation())
    body = {"alert": str(row.alert_id), "outcome": "accept", "reason": "x", "accepted_until": in_days(5).isoformat()}
    one = f"{API}{row.number}/"
    assert signed_in(owner).post(API, body, format="json").json()["state"] == "proposed"
    assert signed_in(owner).post(f"{one}confirm/").status_code == 403
    assert signed_in(officer).post(f"{one}refuse/", {"reason": "No."}, format="json").json()["state"] == "owed"
    signed_in(owner).post(API, body, format="json")
    assert signed_in(officer).post(f"{one}confirm/").json()["state"] == "decided"
    assert BreachDecision.objects.get().decided_by == officer
