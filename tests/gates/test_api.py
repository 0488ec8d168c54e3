"""Gates over REST: read policies, findings and reviews; submit, sign, decide by verbs; no state can be written."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from gates.assessment import assess
from gates.models import Decision, Review, SignOff
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with, prove
from tests.factories.gates import Case, publish, ready_case, shipped_policies, small_text
from tests.factories.governance import IssueFactory
from tests.factories.portfolio import organisation

pytestmark = pytest.mark.django_db
API = "/api/v1/"


def signed_in(user: User) -> APIClient:
    """A browser's session, which is what people sign with."""
    client = APIClient()
    client.force_login(user)
    prove(client, user)
    return client


def reader(case: Case) -> APIClient:
    return api_as(person_with("auditor", case.use_case.unit))


def outsider() -> APIClient:
    return api_as(person_with("business_owner", ready_case(policy=False).use_case))


def post(client: APIClient, address: str, **body: Any) -> Any:
    return client.post(f"{API}{address}", body, format="json")


def test_without_a_token_nothing_is_told() -> None:
    case = ready_case()
    review = case.submit()
    lists = ("policies/", "findings/", "reviews/", "sign-offs/", "decisions/")
    for address in (
        *lists,
        f"reviews/{review.number}/",
        f"reviews/{review.number}/snapshot/",
        f"use-cases/{case.use_case.key}/gates/idea_to_poc/",
    ):
        assert APIClient().get(API + address).status_code == 401, address
    assert post(APIClient(), f"reviews/{review.number}/sign/").status_code == 401


def test_what_cannot_be_seen_is_not_there() -> None:
    case = ready_case()
    review = case.submit()
    client = outsider()
    for address in (f"reviews/{review.number}/", f"use-cases/{case.use_case.key}/gates/idea_to_poc/"):
        assert client.get(API + address).status_code == 404
    for verb in ("sign", "decide", "withdraw", "refresh"):
        body = {"role": "business_owner", "verdict": "approve", "digest": "0", "outcome": "go", "reason": "x"}
        accepts = {"sign": ("role", "verdict", "digest"), "decide": ("outcome", "digest"), "withdraw": ("reason",)}
        given = {name: body[name] for name in accepts.get(verb, ())}
        assert post(client, f"reviews/{review.number}/{verb}/", **given).status_code == 404, verb
    assess()
    for listed in ("reviews/", "findings/", "sign-offs/"):
        rows = client.get(API + listed).json()["results"]
        assert all(row["use_case"] != case.use_case.key for row in rows)


def test_anybody_with_a_token_reads_the_policies() -> None:
    shipped_policies()
    client = api_as(PersonFactory.create())
    rows = client.get(f"{API}policies/").json()["results"]
    assert [row["key"] for row in rows] == ["default", "us-federal-high-impact"]
    policy = client.get(f"{API}policies/default/").json()
    assert sum(len(gate["criteria"]) for gate in policy["gates"]) == 115
    assert policy["gates"][0]["matrix"][0] == {
        "tier": "minimal",
        "signers": ["business_owner", "technical_lead"],
        "decision_sla_days": 5,
    }
    assert client.get(f"{API}policies/nobodys/").status_code == 404


def test_an_older_version_of_a_policy_stays_readable() -> None:
    publish(small_text())
    publish(small_text(version="2.0.0"))
    client = api_as(PersonFactory.create())
    assert client.get(f"{API}policies/small/").json()["version"] == "2.0.0"
    assert client.get(f"{API}policies/small/?version=1.0.0").json()["state"] == "superseded"
    assert len(client.get(f"{API}policies/").json()["results"]) == 1


def test_findings_are_filtered() -> None:
    case = ready_case()
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    assess()
    client = reader(case)

    def criteria(query: str) -> list[str]:
        return sorted(row["criterion"] for row in client.get(f"{API}findings/?{query}").json()["results"])

    assert criteria("") == ["IP-01", "IP-02", "IP-03", "IP-09"]
    assert criteria(f"use_case={case.use_case.key}&policy=small&gate=idea_to_poc") == criteria("")
    assert criteria("outcome=not_met") == ["IP-03"]
    assert criteria("criterion=IP-01&mandatory=true") == ["IP-01"]
    assert criteria("use_case=UC-nil") == []
    assert client.get(f"{API}findings/?outcome=perfect").status_code in (400, 422)


def test_a_gate_is_judged_live_and_says_what_would_make_it_pass() -> None:
    case = ready_case(tier="high")
    found = reader(case).get(f"{API}use-cases/{case.use_case.key}/gates/idea_to_poc/").json()
    assert (found["ready"], found["met"], found["required"], found["blockers"]) == (False, 2, 3, [])
    first = found["findings"][0]
    assert (first["criterion"], first["outcome"], first["owner"]) == ("IP-02", "missing", "technical_lead")
    assert "0.9" in first["required"]
    assert first["reason"]
    assert "Measure" in first["todo"]
    assert found["findings"][-1]["criterion"] == "IP-09"
    assert found["policy"]["key"] == "small"


def test_a_gate_is_judged_for_a_past_moment() -> None:
    case = ready_case()
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    address = f"{API}use-cases/{case.use_case.key}/gates/idea_to_poc/"
    client = reader(case)
    assert client.get(address).json()["ready"] is False
    yesterday = (timezone.now() - timedelta(days=1)).date().isoformat()
    assert client.get(f"{address}?at={yesterday}").json()["ready"] is True
    wrong = client.get(f"{address}?at=soon")
    assert wrong.status_code == 422
    assert "at" in wrong.json()["errors"]


def test_a_gate_or_policy_that_is_not_there_is_404() -> None:
    case = ready_case()
    client = reader(case)
    assert client.get(f"{API}use-cases/{case.use_case.key}/gates/to_the_moon/").status_code == 404
    assert client.get(f"{API}use-cases/{case.use_case.key}/gates/idea_to_poc/?policy=other").status_code == 404


def test_a_lead_submits_by_token_and_reads_who_has_to_sign() -> None:
    case = ready_case()
    client = api_as(case.lead)
    made = post(client, "reviews/", use_case=case.use_case.key, gate="idea_to_poc", message="Please.")
    assert made.status_code == 201, made.json()
    review = made.json()
    assert made["Location"] == f"{API}reviews/{review['number']}/"
    assert [(slot["role"], slot["state"]) for slot in review["slots"]] == [
        ("business_owner", "waiting"),
        ("technical_lead", "waiting"),
    ]
    assert review["readiness"]["open"] is False
    assert client.get(made["Location"]).json() == review


def test_what_is_not_ready_is_409_with_the_list() -> None:
    case = ready_case(problem_statement="")
    refused = post(api_as(case.lead), "reviews/", use_case=case.use_case.key, gate="idea_to_poc")
    assert refused.status_code == 409
    assert refused["Content-Type"] == "application/problem+json"
    assert "IP-01" in refused.json()["errors"]["criteria"][0]


def test_submitting_without_the_right_is_403_and_of_an_unseen_use_case_404() -> None:
    case = ready_case()
    owner = api_as(case.signers["business_owner"])
    assert post(owner, "reviews/", use_case=case.use_case.key, gate="idea_to_poc").status_code == 403
    assert post(outsider(), "reviews/", use_case=case.use_case.key, gate="idea_to_poc").status_code == 404
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", case.use_case)
    assert post(api_as(machine), "reviews/", use_case=case.use_case.key, gate="idea_to_poc").status_code in (403, 404)
    assert not Review.objects.exists()


def test_a_repeated_submission_with_one_key_happens_once() -> None:
    case = ready_case()
    client = api_as(case.lead)
    body = {"use_case": case.use_case.key, "gate": "idea_to_poc"}
    answers = [client.post(f"{API}reviews/", body, format="json", headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Review.objects.count() == 1


def test_people_sign_and_decide_over_a_session() -> None:
    case = ready_case()
    review = case.submit()
    for role, person in case.signers.items():
        answer = post(
            signed_in(person), f"reviews/{review.number}/sign/", role=role, verdict="approve", digest=review.digest
        )
        assert answer.status_code == 201, answer.json()
        assert answer.json()["method"] == "password"
    decided = post(signed_in(case.manager), f"reviews/{review.number}/decide/", outcome="go", digest=review.digest)
    assert decided.status_code == 201, decided.json()
    assert hashlib.sha256(decided.json()["body"].encode()).hexdigest() == decided.json()["body_digest"]
    shown = reader(case).get(f"{API}reviews/{review.number}/").json()
    assert shown["state"] == "decided"
    assert shown["decision"]["outcome"] == "go"
    assert len(shown["sign_offs"]) == 2


def test_no_token_signs_or_decides() -> None:
    case = ready_case()
    review = case.submit()
    signer = api_as(case.signers["business_owner"])
    body = {"role": "business_owner", "verdict": "approve", "digest": review.digest}
    assert post(signer, f"reviews/{review.number}/sign/", **body).status_code == 403
    manager = api_as(case.manager)
    refused = post(manager, f"reviews/{review.number}/decide/", outcome="return", digest=review.digest, reason="No.")
    assert refused.status_code == 403
    assert not SignOff.objects.exists()
    assert not Decision.objects.exists()


def test_signing_is_refused_as_the_rules_say() -> None:
    case = ready_case()
    review = case.submit()
    owner = signed_in(case.signers["business_owner"])
    address = f"reviews/{review.number}/sign/"
    body = {"role": "business_owner", "verdict": "approve", "digest": review.digest}
    assert post(owner, address, **{**body, "digest": "0" * 64}).status_code == 409
    assert post(owner, address, **{**body, "verdict": "reject"}).status_code == 422
    assert post(owner, address, **{**body, "verdict": "maybe"}).status_code == 422
    assert post(owner, address, **{**body, "role": "technical_lead"}).status_code == 403
    assert post(signed_in(case.lead), address, **body).status_code == 403
    assert post(owner, address, **body).status_code == 201
    assert post(owner, address, **body).status_code == 403
    assert SignOff.objects.count() == 1


@pytest.mark.parametrize("key", ["", "k1"])
def test_signing_on_changed_facts_is_409_and_the_new_snapshot_stays(key: str) -> None:
    case = ready_case()
    review = case.submit()
    UseCase.objects.update(target_users="Everybody")
    body = {"role": "business_owner", "verdict": "approve", "digest": review.digest}
    client = signed_in(case.signers["business_owner"])
    headers = {"Idempotency-Key": key} if key else {}
    refused = client.post(f"{API}reviews/{review.number}/sign/", body, format="json", headers=headers)
    assert refused.status_code == 409
    assert "profile" in refused.json()["detail"]
    review.refresh_from_db()
    assert review.digest != body["digest"]
    assert review.snapshots.count() == 2


def test_nothing_about_the_state_of_a_review_can_be_written() -> None:
    case = ready_case()
    review = case.submit()
    client = signed_in(case.manager)
    for method in ("put", "patch", "delete"):
        for address in (f"reviews/{review.number}/", f"findings/{1}/", "policies/small/"):
            assert getattr(client, method)(API + address, {"state": "decided"}, format="json").status_code == 405
    asked = post(api_as(case.lead), "reviews/", use_case=case.use_case.key, gate="idea_to_poc", state="decided")
    assert asked.status_code == 422
    assert "state" in asked.json()["errors"]


def test_a_snapshot_is_served_exactly_as_hashed() -> None:
    case = ready_case()
    review = case.submit()
    answer = reader(case).get(f"{API}reviews/{review.number}/snapshot/")
    assert answer["Content-Type"] == "application/json"
    assert hashlib.sha256(answer.content).hexdigest() == review.digest
    assert answer["ETag"] == f'"{review.digest}"'
    assert reader(case).get(f"{API}reviews/{review.number}/snapshot/?digest=00").status_code == 404


def test_withdraw_and_refresh_are_verbs_of_the_submitter() -> None:
    case = ready_case()
    review = case.submit()
    lead, owner = api_as(case.lead), api_as(case.signers["business_owner"])
    assert post(owner, f"reviews/{review.number}/refresh/").status_code == 403
    assert post(lead, f"reviews/{review.number}/refresh/").json()["changed"] == []
    assert post(owner, f"reviews/{review.number}/withdraw/", reason="No.").status_code == 403
    assert post(lead, f"reviews/{review.number}/withdraw/").status_code == 422
    assert post(lead, f"reviews/{review.number}/withdraw/", reason="Scope changed.").json()["state"] == "withdrawn"
    assert post(lead, f"reviews/{review.number}/withdraw/", reason="Again.").status_code == 409


def test_reviews_votes_and_decisions_are_filtered() -> None:
    case = ready_case()
    review = case.pass_gate()
    client = reader(case)
    for query, count in (
        ("state=decided", 1),
        ("state=open", 0),
        (f"use_case={case.use_case.key}&gate=idea_to_poc", 1),
    ):
        assert len(client.get(f"{API}reviews/?{query}").json()["results"]) == count, query
    assert len(client.get(f"{API}sign-offs/?review={review.number}&counts=true").json()["results"]) == 2
    assert client.get(f"{API}sign-offs/?counts=false").json()["results"] == []
    [decision] = client.get(f"{API}decisions/?outcome=go&gate=idea_to_poc").json()["results"]
    assert client.get(f"{API}decisions/{decision['id']}/").json() == decision


@pytest.mark.parametrize("address", ["reviews/", "findings/", "sign-offs/", "decisions/"])
def test_a_list_costs_the_same_number_of_queries_for_few_rows_and_for_many(address: str) -> None:
    case = ready_case()
    case.pass_gate()
    client = api_as(person_with("auditor", organisation()))
    counts = []
    for _ in range(2):
        assess()
        client.get(API + address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(API + address).json()["results"]
        counts.append(len(captured))
        for _more in range(2):
            ready_case(policy=False).pass_gate()
    assert counts[0] == counts[1] <= 6


def test_one_review_costs_few_queries_however_many_signed() -> None:
    case = ready_case()
    review = case.submit()
    client = reader(case)
    counts = []
    for role in case.signers:
        client.get(f"{API}reviews/{review.number}/")
        with CaptureQueriesContext(connection) as captured:
            client.get(f"{API}reviews/{review.number}/")
        counts.append(len(captured))
        case.sign(review, role)
    assert counts[0] == counts[1] <= 15
