"""Emergency releases and review calls as pages and over REST: who sees them, who may press what, how they refuse."""

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
from gates.models import EmergencyRelease, GateAssurance, ReviewCall
from gates.services.emergencies import confirm_emergency, request_emergency
from gates.worklist.emergencies import Emergencies
from gates.worklist.review_calls import ReviewCalls
from tests.factories.accounts import PASSWORD, PersonFactory, api_as, person_with
from tests.factories.gates import Case, ready_case
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db

GATE = "idea_to_poc"
REASON = "The old service is down and patients wait for their letters."


class Scene:
    def __init__(self) -> None:
        self.case: Case = ready_case()
        self.sponsor = person_with("business_sponsor", self.case.use_case)
        self.operations = person_with("it_operations", self.case.use_case)
        self.key = self.case.use_case.key

    def ask(self) -> EmergencyRelease:
        return request_emergency(use_case=self.case.use_case, gate=GATE, reason=REASON, by=self.operations)


def signed_in(user: User, *, fresh: bool = False) -> Client:
    client = Client()
    if fresh:  # through the door, so that the session knows when the password was entered
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    else:
        client.force_login(user)
    return client


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


# Emergency releases as pages


def test_two_people_release_and_end_it_on_pages() -> None:
    scene = Scene()
    client = signed_in(scene.operations)
    assert "Ask for the release" in page(client, f"/gates/emergencies/ask/{scene.key}/")
    answer = client.post(f"/gates/emergencies/ask/{scene.key}/", {"reason": REASON, "hours": 5})
    release = EmergencyRelease.objects.get()
    assert answer["Location"] == f"/gates/emergencies/{release.pk}/"
    assert "Read and confirm" not in page(client, f"/gates/emergencies/{release.pk}/")
    second = signed_in(scene.sponsor)
    assert "Read and confirm" in page(second, f"/gates/emergencies/{release.pk}/")
    sent = second.post(f"/gates/emergencies/{release.pk}/confirm/", {"password": PASSWORD})
    assert sent.status_code == 302
    release.refresh_from_db()
    assert (release.state, release.hours) == ("active", 5)
    assert "Released without its review" in page(signed_in(scene.case.lead), f"/use-cases/{scene.key}/")
    assert client.post(f"/gates/emergencies/{release.pk}/end/").status_code == 302
    release.refresh_from_db()
    assert release.state == "ended"


def test_confirming_asks_for_the_password_and_a_wrong_one_releases_nothing() -> None:
    scene = Scene()
    release = scene.ask()
    client = signed_in(scene.sponsor)
    address = f"/gates/emergencies/{release.pk}/confirm/"
    assert 'name="password"' in page(client, address)
    for sent in ({}, {"password": "wrong"}):
        answer = client.post(address, sent)
        assert answer.status_code == 422
    release.refresh_from_db()
    assert release.state == "requested"


def test_the_one_who_asked_does_not_reach_the_confirmation() -> None:
    scene = Scene()
    release = scene.ask()
    assert signed_in(scene.operations).get(f"/gates/emergencies/{release.pk}/confirm/").status_code == 403


def test_a_form_that_is_wrong_says_where() -> None:
    scene = Scene()
    answer = signed_in(scene.operations).post(f"/gates/emergencies/ask/{scene.key}/", {"reason": "now", "hours": 30})
    assert answer.status_code == 422
    assert not EmergencyRelease.objects.exists()
    answer = signed_in(scene.operations).post(f"/gates/emergencies/ask/{scene.key}/", {"reason": "now", "hours": 3})
    assert "20 characters or more" in answer.content.decode()


def test_what_cannot_be_released_says_so_before_anybody_types() -> None:
    scene = Scene()
    scene.ask()
    said = page(signed_in(scene.sponsor), f"/gates/emergencies/ask/{scene.key}/")
    assert "There is an emergency release of this use case already" in said
    assert "Ask for the release" not in said


def test_a_refusal_needs_its_reason() -> None:
    scene = Scene()
    release = scene.ask()
    client = signed_in(scene.sponsor)
    assert client.post(f"/gates/emergencies/{release.pk}/refuse/", {"reason": ""}).status_code == 422
    assert client.post(f"/gates/emergencies/{release.pk}/refuse/", {"reason": "Use paper."}).status_code == 302
    release.refresh_from_db()
    assert release.state == "refused"


def test_strangers_find_no_release_and_others_press_nothing() -> None:
    scene = Scene()
    release = scene.ask()
    stranger = signed_in(PersonFactory.create())
    for step in ("", "confirm/", "refuse/"):
        assert stranger.get(f"/gates/emergencies/{release.pk}/{step}").status_code == 404
    assert stranger.post(f"/gates/emergencies/{release.pk}/end/").status_code == 404
    assert scene.case.use_case.name not in page(stranger, "/gates/emergencies/")
    lead = signed_in(scene.case.lead)
    assert scene.case.use_case.name in page(lead, "/gates/emergencies/")
    assert lead.post(f"/gates/emergencies/{release.pk}/end/").status_code == 403
    assert lead.get(f"/gates/emergencies/ask/{scene.key}/").status_code == 403
    assert Client().get("/gates/emergencies/").status_code == 302


def test_the_gate_tab_offers_it_to_those_who_may_and_a_command_to_all() -> None:
    scene = Scene()
    said = page(signed_in(scene.case.lead), f"/use-cases/{scene.key}/gate/")
    assert f"tollgate verdict {scene.key} {GATE}" in said
    assert "Emergency release…" not in said
    assert "Emergency release…" in page(signed_in(scene.sponsor), f"/use-cases/{scene.key}/gate/")


def test_a_request_waits_on_the_work_list_of_others_who_may() -> None:
    scene = Scene()
    scene.ask()
    assert [item.use_case_key for item in Emergencies().items(scene.sponsor)] == [scene.key]
    assert list(Emergencies().items(scene.operations)) == []
    assert list(Emergencies().items(scene.case.lead)) == []


# Emergency releases over REST


def rest(user: User, *, fresh: bool = False) -> APIClient:
    client = APIClient()
    if fresh:
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD}, format="multipart")
    else:
        client.force_login(user)
    return client


def test_the_verbs_of_a_release_over_rest() -> None:
    scene = Scene()
    body = {"use_case": scene.key, "gate": GATE, "reason": REASON, "hours": 3}
    made = rest(scene.operations).post("/api/v1/emergency-releases/", body)
    assert (made.status_code, made.json()["state"]) == (201, "requested")
    address = made["Location"]
    stale = rest(scene.sponsor).post(f"{address}confirm/")
    assert (stale.status_code, stale.json()["type"].rsplit(":", 1)[-1]) == (403, "reauthentication_required")
    answer = rest(scene.sponsor, fresh=True).post(f"{address}confirm/")
    assert (answer.status_code, answer.json()["state"]) == (200, "active")
    assert answer.json()["review_due_at"]
    assert rest(scene.sponsor, fresh=True).post(f"{address}confirm/").status_code == 409
    assert rest(scene.operations).post(f"{address}end/").json()["state"] == "ended"
    assert rest(scene.case.lead).get("/api/v1/emergency-releases/?state=ended").json()["results"][0]["gate"] == GATE


def test_a_token_asks_for_nothing_and_confirms_nothing() -> None:
    scene = Scene()
    body = {"use_case": scene.key, "gate": GATE, "reason": REASON}
    assert api_as(scene.operations).post("/api/v1/emergency-releases/", body).status_code == 403
    release = scene.ask()
    for verb in ("confirm", "end"):
        assert api_as(scene.sponsor).post(f"/api/v1/emergency-releases/{release.pk}/{verb}/").status_code == 403


@pytest.mark.parametrize(
    ("change", "status"),
    [({"hours": 25}, 422), ({"gate": "poc_to_pilot"}, 409), ({"reason": "x"}, 422), ({"state": "active"}, 422)],
)
def test_no_state_can_be_written_and_no_rule_gone_around(change: dict[str, Any], status: int) -> None:
    scene = Scene()
    body = {"use_case": scene.key, "gate": GATE, "reason": REASON, **change}
    assert rest(scene.operations).post("/api/v1/emergency-releases/", body).status_code == status
    assert not EmergencyRelease.objects.exists()
    release = scene.ask()
    for method in ("put", "patch", "delete"):
        answer = getattr(rest(scene.sponsor), method)(f"/api/v1/emergency-releases/{release.pk}/", {"state": "active"})
        assert answer.status_code == 405
    assert api_as(PersonFactory.create()).get(f"/api/v1/emergency-releases/{release.pk}/").status_code == 404


# Review calls


def owed(case: Case, **fields: Any) -> ReviewCall:
    now = timezone.now()
    values = {"cause": "scope", "text": "Also for appeals.", "due_at": now + timedelta(days=9), **fields}
    values.setdefault("reference", f"change:{ReviewCall.objects.count()}")
    return ReviewCall.objects.create(use_case=case.use_case, gate=GATE, **values)


def test_what_is_owed_is_listed_with_who_sees_to_it() -> None:
    case = ready_case()
    owed(case)
    owed(case, text="Long ago.", due_at=timezone.now() - timedelta(days=2))
    owed(case, text="All done.", settled_at=timezone.now())
    client = signed_in(case.manager)
    said = page(client, "/gates/review-calls/")
    assert "Also for appeals." in said
    assert case.lead.full_name in said
    assert "All done." not in said
    assert "Also for appeals." not in page(client, "/gates/review-calls/?state=late")
    assert "All done." in page(client, "/gates/review-calls/?state=settled")
    assert "Long ago." not in page(client, "/gates/review-calls/?q=appeals")
    assert "Also for appeals." not in page(client, "/gates/review-calls/?cause=law")
    file = client.get("/gates/review-calls/?export=csv")
    assert case.lead.full_name in b"".join(file).decode()
    assert "Also for appeals." not in page(signed_in(PersonFactory.create()), "/gates/review-calls/")


def test_the_list_costs_the_same_for_many() -> None:
    case = ready_case()
    owed(case)
    client = signed_in(case.manager)
    client.get("/gates/review-calls/")
    with CaptureQueriesContext(connection) as one:
        client.get("/gates/review-calls/")
    for _n in range(4):
        other = UseCaseFactory.create()
        ReviewCall.objects.create(
            use_case=other, gate=GATE, cause="law", text="x", reference="r", due_at=timezone.now()
        )
    with CaptureQueriesContext(connection) as five:
        client.get("/gates/review-calls/")
    assert len(five) == len(one)


def test_whoever_has_to_see_to_it_finds_it_on_the_work_list_until_it_is_under_review() -> None:
    case = ready_case()
    owed(case)
    owed(case, cause="owner")
    for person in (case.lead, *case.signers.values()):
        assert [item.use_case_key for item in ReviewCalls().items(person)] == [case.use_case.key] * 2
    assert list(ReviewCalls().items(case.manager)) == []
    case.submit()
    assert list(ReviewCalls().items(case.lead)) == []


def test_reviews_are_called_on_a_page_for_those_ticked_or_for_all_that_fit() -> None:
    cases = [ready_case(jurisdictions=["EU"]), *(ready_case(policy=False, jurisdictions=[p]) for p in ("EU", "US"))]
    for case in cases:
        GateAssurance.objects.create(use_case=case.use_case, gate=GATE)
        type(case.use_case).objects.filter(pk=case.use_case.pk).update(stage="poc")
    legal = signed_in(person_with("legal_privacy", organisation()))
    said = page(legal, "/gates/review-calls/call/?jurisdiction=EU")
    assert cases[0].use_case.key in said
    assert cases[2].use_case.key not in said
    sent = {"text": "The act applies.", "cause": "law", "use_case": [cases[0].use_case.key]}
    assert legal.post("/gates/review-calls/call/?jurisdiction=EU", sent).status_code == 302
    assert ReviewCall.objects.get().use_case == cases[0].use_case
    everything = {"text": "Another act.", "cause": "law", "everything": "on"}
    assert legal.post("/gates/review-calls/call/?jurisdiction=EU", everything).status_code == 302
    assert ReviewCall.objects.filter(text="Another act.").count() == 2
    nothing = legal.post("/gates/review-calls/call/", {"text": "x", "cause": "law"})
    assert nothing.status_code == 422
    assert "Choose at least one use case" in nothing.content.decode()
    assert signed_in(cases[0].lead).get("/gates/review-calls/call/").status_code == 403


def test_reviews_are_called_over_rest_all_or_none() -> None:
    case = ready_case()
    case.pass_gate()
    legal = api_as(person_with("legal_privacy", organisation()))
    body = {"use_cases": [case.use_case.key, "UC-NONE"], "text": "The act applies."}
    refused = legal.post("/api/v1/review-calls/", body)
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["use_cases"])
    made = legal.post("/api/v1/review-calls/", {**body, "use_cases": [case.use_case.key]})
    assert (made.status_code, made.json()[0]["cause"]) == (201, "law")
    rows = legal.get("/api/v1/review-calls/?open=true").json()["results"]
    assert [row["gate"] for row in rows] == [GATE]
    assert api_as(case.lead).post("/api/v1/review-calls/", body).status_code in (403, 422)
    assert api_as(case.lead).patch(f"/api/v1/review-calls/{rows[0]['id']}/", {}).status_code == 405
    assert api_as(PersonFactory.create()).get(f"/api/v1/review-calls/{rows[0]['id']}/").status_code == 404
    assert ReviewCall.objects.count() == 1


def test_late_reviews_are_found_and_say_how_late() -> None:
    case = ready_case()
    review = case.submit()
    client = signed_in(case.manager)
    assert f">{review}<" not in page(client, "/gates/?state=late")
    review.due_at = timezone.now() - timedelta(days=3, hours=1)
    review.escalated_at = timezone.now()
    review.save(update_fields=["due_at", "escalated_at"])
    said = page(client, "/gates/?state=late")
    assert f">{review}<" in said
    assert "3 days late, escalated on" in said
    assert "3 days late" in page(client, f"/gates/reviews/{review.number}/")


def test_a_release_that_is_confirmed_stays_in_the_list_of_compliance() -> None:
    scene = Scene()
    confirm_emergency(release=scene.ask(), by=scene.sponsor)
    risk = signed_in(person_with("risk_compliance", organisation()))
    assert scene.case.use_case.name in page(risk, "/gates/emergencies/?state=active")
    assert scene.case.use_case.name not in page(risk, "/gates/emergencies/?state=refused")
    file = risk.get("/gates/emergencies/?export=csv")
    assert scene.case.use_case.name in b"".join(file).decode()
