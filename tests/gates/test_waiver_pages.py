"""Waivers in the browser and over REST: who sees what, what each step does, and how many queries it takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from gates.models import Waiver
from gates.searching.waivers import WaiversFound
from gates.services.waivers import vote_on_waiver
from tests.factories.accounts import PASSWORD, api_as, person_with, prove
from tests.factories.gates import ready_case
from tests.factories.portfolio import UseCaseFactory
from tests.factories.waivers import WaiverFactory, ask_for, board_member, grant, in_days, risk_officer
from tests.gates.test_waivers import failing

pytestmark = pytest.mark.django_db
API = "/api/v1/waivers/"


def as_(user: User, *, proved: bool = False) -> Client:
    client = Client()
    client.force_login(user)
    if proved:
        prove(client, user)
    return client


def page(user: User, address: str) -> str:
    answer = as_(user).get(address)
    assert answer.status_code == 200, answer.content[:400]
    return str(answer.content.decode())


def words() -> dict[str, str]:
    day = (timezone.now() + timedelta(days=30)).date().isoformat()
    return {"reason": "The supplier is late.", "compensating_control": "Four eyes.", "expires_at": day}


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_every_page_asks_people_to_sign_in() -> None:
    waiver = WaiverFactory.create(use_case=UseCaseFactory.create())
    one = f"/gates/waivers/{waiver.number}/"
    for address in ("/gates/waivers/", one, f"{one}decide/", f"{one}withdraw/", f"{one}revoke/"):
        assert Client().get(address).status_code == 302, address


def test_a_stranger_finds_nothing() -> None:
    case = failing()
    waiver = ask_for(case)
    stranger = person_with("use_case_lead", UseCaseFactory.create())
    assert "W-1" not in page(stranger, "/gates/waivers/")
    for part in ("", "decide/", "withdraw/", "revoke/"):
        assert as_(stranger).get(f"/gates/waivers/{waiver.number}/{part}").status_code == 404
    assert as_(stranger).get(f"/gates/waivers/ask/{case.use_case.key}/idea_to_poc/IP-03/").status_code == 404


def test_the_gate_offers_a_waiver_to_who_may_ask_and_for_what_can_be_waived() -> None:
    case = failing()
    gate = f"/use-cases/{case.use_case.key}/gate/"
    offer = f"/gates/waivers/ask/{case.use_case.key}/idea_to_poc/IP-03/"
    shown = page(case.lead, gate)
    assert offer in shown
    assert "IP-09/" not in shown  # an approval
    assert "IP-02/" not in shown  # advisory at this tier
    assert "IP-01/" not in shown  # it passes
    assert offer not in page(case.signers["business_owner"], gate)


def test_asking_walks_from_the_form_to_the_waiver() -> None:
    case = failing()
    offer = f"/gates/waivers/ask/{case.use_case.key}/idea_to_poc/IP-03/"
    assert "At most 365 days" in page(case.lead, offer)
    answer = as_(case.lead).post(offer, words())
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    assert answer["Location"] == "/gates/waivers/1/"
    shown = page(case.lead, "/gates/waivers/1/")
    assert "not granted: the criterion still blocks" in shown
    assert "It needs one approval." in shown
    assert "Withdraw" in shown
    assert "/decide/" not in shown
    again = as_(case.lead).get(offer)
    assert (again.status_code, again["Location"]) == (302, "/gates/waivers/1/")


def test_what_is_wrong_stands_at_its_field_and_nothing_is_asked() -> None:
    case = failing()
    offer = f"/gates/waivers/ask/{case.use_case.key}/idea_to_poc/IP-03/"
    late = (timezone.now() + timedelta(days=500)).date().isoformat()
    for body, said in (
        ({**words(), "expires_at": "soon"}, "Enter a valid date"),
        ({**words(), "expires_at": late}, "At most 365 days on the limited tier"),
        ({**words(), "expires_at": "2020-01-01"}, "The end is in the past."),
        ({**words(), "reason": " "}, "This field is required."),
        ({}, "This field is required."),
    ):
        answer = as_(case.lead).post(offer, body)
        assert answer.status_code == 422
        assert said in answer.content.decode()
    assert not Waiver.objects.exists()


def test_who_may_not_ask_is_told_so() -> None:
    case = failing()
    offer = f"/gates/waivers/ask/{case.use_case.key}/idea_to_poc/IP-03/"
    assert as_(case.signers["business_owner"]).post(offer, words()).status_code == 403
    assert as_(case.lead).get(offer.replace("IP-03", "IP-09")).status_code == 422
    assert as_(case.lead).get(offer.replace("IP-03", "IP-01")).status_code == 409


def test_deciding_asks_for_the_password_once_more() -> None:
    waiver = ask_for(failing())
    officer = risk_officer()
    address = f"/gates/waivers/{waiver.number}/decide/"
    body = {"verdict": "approve", "role": "risk_compliance", "reason": ""}
    answer = as_(officer).post(address, body)
    assert answer.status_code in (302, 422)
    waiver.refresh_from_db()
    assert waiver.state == "requested"
    answer = as_(officer).post(address, {**body, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    waiver.refresh_from_db()
    assert waiver.state == "approved"
    shown = page(officer, f"/gates/waivers/{waiver.number}/")
    assert "The criterion is excused until" in shown
    assert "Revoke" in shown


def test_a_refusal_without_a_reason_stands_at_its_field() -> None:
    waiver = ask_for(failing())
    client = as_(risk_officer(), proved=True)
    address = f"/gates/waivers/{waiver.number}/decide/"
    answer = client.post(address, {"verdict": "refuse", "role": "risk_compliance"})
    assert answer.status_code == 422
    assert "A refusal needs its reason." in answer.content.decode()
    answer = client.post(address, {"verdict": "refuse", "role": "risk_compliance", "reason": "Too long."})
    assert answer.status_code == 302
    waiver.refresh_from_db()
    assert waiver.state == "refused"


def test_who_may_not_decide_reads_why() -> None:
    case = failing()
    waiver = ask_for(case)
    assert as_(case.lead).get(f"/gates/waivers/{waiver.number}/decide/").status_code == 403
    member = board_member()
    officer = risk_officer()
    vote_on_waiver(waiver=waiver, verdict="refuse", by=officer, reason="No.")
    answer = as_(member).get(f"/gates/waivers/{waiver.number}/decide/")
    assert answer.status_code == 403


def test_withdrawing_and_revoking_ask_first() -> None:
    case = failing()
    waiver = ask_for(case)
    address = f"/gates/waivers/{waiver.number}/"
    assert "You can ask again" in page(case.lead, f"{address}withdraw/")
    assert as_(case.lead).post(f"{address}withdraw/", {"reason": ""}).status_code == 302
    waiver.refresh_from_db()
    assert waiver.state == "withdrawn"
    granted = grant(case)
    client = as_(risk_officer(), proved=True)
    address = f"/gates/waivers/{granted.number}/revoke/"
    assert client.post(address, {}).status_code == 422
    assert client.post(address, {"reason": "The control is not kept."}).status_code == 302
    granted.refresh_from_db()
    assert granted.state == "revoked"
    assert as_(case.lead).get(address).status_code == 403


def test_renewing_starts_from_the_waiver() -> None:
    case = failing()
    waiver = grant(case)
    address = f"/gates/waivers/ask/{case.use_case.key}/idea_to_poc/IP-03/?renews={waiver.number}"
    assert address in page(case.lead, f"/gates/waivers/{waiver.number}/")
    assert "renewal of W-1" in page(case.lead, address)
    assert as_(case.lead).get(address.replace("renews=1", "renews=99")).status_code == 404
    assert as_(case.lead).post(address, words()).status_code == 302
    assert Waiver.objects.get(renews=waiver).number == 2


def test_the_list_filters_searches_and_exports() -> None:
    case = failing()
    auditor = person_with("auditor", case.use_case.unit)
    WaiverFactory.create(use_case=case.use_case, number=7, expires_at=in_days(10))
    WaiverFactory.create(use_case=case.use_case, number=8, expires_at=in_days(-1))
    WaiverFactory.create(use_case=case.use_case, number=9, state="requested", expires_at=in_days(200))

    def shown(query: str) -> set[int]:
        found = page(auditor, f"/gates/waivers/?{query}")
        return {n for n in (7, 8, 9) if f"W-{n}<" in found}

    assert shown("") == {7, 8, 9}
    assert shown("state=in_force") == {7}
    assert shown("state=ending") == {7}
    assert shown("state=expired") == {8}
    assert shown("state=requested") == {9}
    assert shown("q=w-8") == {8}
    assert shown("q=IP-03") == {7, 8, 9}
    assert shown("tier=high") == set()
    exported: Any = as_(auditor).get("/gates/waivers/?export=csv&state=expired")
    text = b"".join(exported.streaming_content).decode() if exported.streaming else exported.content.decode()
    assert "W-8" in text
    assert "expired" in text
    assert as_(auditor).get("/gates/waivers/?export=xlsx").status_code == 200


def test_pages_take_the_same_number_of_queries_however_many_there_are() -> None:
    case = failing()
    auditor = person_with("auditor", case.use_case.unit)
    waiver = WaiverFactory.create(use_case=case.use_case)
    client = as_(auditor)
    addresses = ("/gates/waivers/", f"/gates/waivers/{waiver.number}/")
    before = [queries(client, address) for address in addresses]
    for _ in range(4):
        WaiverFactory.create(use_case=case.use_case)
    assert [queries(client, address) for address in addresses] == before


def test_the_review_shows_what_it_rests_on() -> None:
    case = failing()
    grant(case)
    review = case.submit()
    shown = page(case.signers["business_owner"], f"/gates/reviews/{review.number}/")
    assert "Waived until" in shown
    assert "/gates/waivers/1/" in shown


# --- REST


def post(client: APIClient, address: str, **body: Any) -> Any:
    return client.post(f"{API}{address}", body, format="json")


def rest(user: User, *, proved: bool = False) -> APIClient:
    client = APIClient()
    client.force_login(user)
    if proved:
        prove(client, user)
    return client


def body_of(case: Any, **more: Any) -> dict[str, Any]:
    return {
        "use_case": case.use_case.key,
        "gate": "idea_to_poc",
        "criterion": "IP-03",
        "reason": "Late.",
        "compensating_control": "Four eyes.",
        "expires_at": in_days(30).isoformat(),
        **more,
    }


def test_without_a_token_nothing_is_told_and_a_stranger_sees_none() -> None:
    case = failing()
    waiver = ask_for(case)
    assert APIClient().get(API).status_code == 401
    client = api_as(person_with("business_owner", ready_case(policy=False).use_case))
    assert client.get(API).json()["results"] == []
    assert client.get(f"{API}{waiver.number}/").status_code == 404
    for verb in ("approve", "refuse", "withdraw", "revoke"):
        assert post(client, f"{waiver.number}/{verb}/", reason="x").status_code == 404, verb
    assert post(client, "", **body_of(case)).status_code == 404


def test_a_waiver_is_asked_for_approved_and_renewed_by_verbs() -> None:
    case = failing()
    made = post(api_as(case.lead), "", **body_of(case))
    assert made.status_code == 201, made.json()
    assert (made.json()["number"], made.json()["state"], made.json()["in_force"]) == (1, "requested", False)
    approved = post(rest(risk_officer(), proved=True), "1/approve/")
    assert approved.status_code == 200, approved.json()
    assert (approved.json()["state"], approved.json()["in_force"]) == ("approved", True)
    assert [v["verdict"] for v in approved.json()["votes"]] == ["approve"]
    more = {name: body_of(case)[name] for name in ("reason", "compensating_control", "expires_at")}
    renewed = post(api_as(case.lead), "1/renew/", **more)
    assert renewed.status_code == 201, renewed.json()
    assert renewed.json()["renews"] == 1
    assert post(api_as(case.lead), "2/withdraw/").json()["state"] == "withdrawn"
    revoked = post(rest(risk_officer(), proved=True), "1/revoke/", reason="Not kept.")
    assert revoked.json()["state"] == "revoked"


def test_tokens_never_approve_and_people_only_when_fresh() -> None:
    case = failing()
    waiver = ask_for(case)
    officer = risk_officer()
    by_token = post(api_as(officer), f"{waiver.number}/approve/")
    assert by_token.status_code == 403
    assert "SOD-12" in by_token.json()["detail"]
    stale = post(rest(officer), f"{waiver.number}/approve/")
    assert stale.status_code == 403
    assert stale.json()["type"].endswith("reauthentication_required")
    assert Waiver.objects.get().state == "requested"


def test_bad_input_is_422_by_field_and_no_state_can_be_written() -> None:
    case = failing()
    client = api_as(case.lead)
    for change, field in (
        ({"expires_at": "soon"}, "expires_at"),
        ({"expires_at": in_days(-1).isoformat()}, "expires_at"),
        ({"expires_at": in_days(400).isoformat()}, "expires_at"),
        ({"criterion": "IP-09"}, "criterion"),
        ({"gate": "nowhere"}, "gate"),
        ({"renews": 44}, "renews"),
        ({"state": "approved"}, "state"),
    ):
        answer = post(client, "", **body_of(case, **change))
        assert answer.status_code == 422, (change, answer.json())
        assert field in answer.json()["errors"], answer.json()
    assert not Waiver.objects.exists()
    waiver = ask_for(case)
    for method in (client.patch, client.put, client.delete):
        assert method(f"{API}{waiver.number}/", {"state": "approved"}, format="json").status_code == 405


def test_a_retried_request_is_made_once() -> None:
    case = failing()
    client = api_as(case.lead)
    body = body_of(case)
    answers = [
        client.post(API, body, format="json", HTTP_IDEMPOTENCY_KEY="3f0f8a52-7b1f-4c8e-8a63-55c0ffee0001") for _ in "ab"
    ]
    assert [a.status_code for a in answers] == [201, 201]
    assert Waiver.objects.count() == 1


def test_the_list_filters_and_takes_a_constant_number_of_queries() -> None:
    case = failing()
    WaiverFactory.create(use_case=case.use_case, expires_at=in_days(-1))
    WaiverFactory.create(use_case=case.use_case)
    client = api_as(person_with("auditor", case.use_case.unit))
    assert len(client.get(f"{API}?state=in_force").json()["results"]) == 1
    assert len(client.get(f"{API}?state=expired&use_case={case.use_case.key}").json()["results"]) == 1
    assert client.get(f"{API}?tier=high").json()["results"] == []
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(API).status_code == 200
        counts.append(len(captured))
        for _more in range(3):
            WaiverFactory.create(use_case=case.use_case)
    assert counts[0] == counts[1]


def test_the_search_finds_one_by_its_number() -> None:
    case = failing()
    WaiverFactory.create(use_case=case.use_case, number=7)
    stranger = person_with("use_case_lead", UseCaseFactory.create())

    def found(user: User, text: str) -> list[str]:
        return [hit.url for hit in WaiversFound().find(User.objects.get(pk=user.pk), text, 5)]

    assert found(case.lead, "W-7") == found(case.lead, "7") == ["/gates/waivers/7/"]
    assert found(case.lead, "W-8") == found(case.lead, "letters") == found(case.lead, "9" * 30) == []
    assert found(stranger, "W-7") == []
