"""Policies over REST: drafts by verbs, their text by PUT, simulations; nobody writes a state."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from gates.models import Policy, PolicyVersion
from gates.tasks import simulate_policy
from tests.factories.accounts import PersonFactory, api_as, person_with
from tests.factories.gates import publish, ready_case, small_policy, small_text
from tests.factories.portfolio import UnitFactory, organisation

pytestmark = pytest.mark.django_db
API = "/api/v1/"
DRAFTS = f"{API}policy-drafts/"


def session(user: User) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


def author() -> User:
    return person_with("portfolio_manager", organisation())


def board() -> User:
    return person_with("ai_governance_board", organisation())


def post(client: APIClient, address: str, **body: Any) -> Any:
    return client.post(address, body, format="json")


def started(client: APIClient) -> dict[str, Any]:
    if not PolicyVersion.objects.exists():
        small_policy()
    made = post(client, DRAFTS, policy="small", version="1.1.0")
    assert made.status_code == 201, made.content
    assert made["Location"] == f"{DRAFTS}{made.json()['id']}/"
    found: dict[str, Any] = made.json()
    return found


def saved(client: APIClient, draft: dict[str, Any], old: str, new: str) -> Any:
    assert old in draft["text"]
    body = {"text": draft["text"].replace(old, new, 1), "seen": draft["text_digest"]}
    return client.put(f"{DRAFTS}{draft['id']}/text/", body, format="json")


def test_without_a_token_and_for_strangers_there_are_no_drafts() -> None:
    draft = started(api_as(author()))
    one = f"{DRAFTS}{draft['id']}/"
    assert APIClient().get(DRAFTS).status_code == 401
    stranger = api_as(PersonFactory.create())
    assert stranger.get(DRAFTS).json()["results"] == []
    for rest in ("", "diff/", "simulation/"):
        assert stranger.get(one + rest).status_code == 404
    for verb in ("propose", "publish", "send-back", "discard", "simulate", "rebase"):
        assert post(stranger, f"{one}{verb}/", reason="x").status_code == 404, verb
    assert stranger.put(f"{one}text/", {"text": "x", "seen": "y"}, format="json").status_code == 404
    assert post(stranger, DRAFTS, policy="small", version="1.2.0").status_code == 403
    assert stranger.get(f"{API}policies/small/?version=1.1.0").status_code == 404


def test_from_draft_to_publication() -> None:
    by = api_as(author())
    draft = started(by)
    one = f"{DRAFTS}{draft['id']}/"
    answer = saved(by, draft, "high: 0.9, unit", "high: 0.95, unit")
    assert answer.status_code == 200
    assert answer.json()["state"] == "draft"
    [change] = by.get(f"{one}diff/").json()["changes"]
    assert (change["rule"], change["effect"], change["after"]) == ("IP-02", "tightened", ">= 0.95")
    assert post(by, f"{one}propose/", note="Why").json()["state"] == "proposed"
    assert post(by, f"{one}publish/").status_code == 403
    other = board()
    assert post(api_as(other), f"{one}publish/").status_code == 403  # a token never publishes
    published = post(session(other), f"{one}publish/")
    assert published.json()["state"] == "published"
    assert by.get(f"{API}policies/small/").json()["version"] == "1.1.0"
    [again] = by.get(f"{API}policies/small/diff/?from=1.0.0").json()["changes"]
    assert again == change
    assert by.get(f"{API}policies/small/diff/?from=7").status_code == 404
    assert by.get(one).status_code == 404


def test_a_wrong_text_is_422_with_line_and_column_and_nothing_changes() -> None:
    by = api_as(author())
    draft = started(by)
    refused = saved(by, draft, "owner: technical_lead", "owner: janitor")
    assert refused.status_code == 422
    [line] = refused.json()["errors"]["text"]
    assert "line " in line
    assert "column " in line
    huge = by.put(
        f"{DRAFTS}{draft['id']}/text/",
        {"text": draft["text"] + "#" * 5_000_000, "seen": draft["text_digest"]},
        format="json",
    )
    assert huge.status_code == 422
    assert "column" in huge.json()["detail"]
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    assert saved(by, draft, "gates:\n", f"{bomb}gates:\n").status_code == 422
    assert by.get(f"{DRAFTS}{draft['id']}/").json() == draft


def test_a_text_that_somebody_saved_since_is_409() -> None:
    first, second = api_as(author()), api_as(author())
    draft = started(first)
    assert saved(first, draft, "high: 90}", "high: 80}").status_code == 200
    late = saved(second, draft, "high: 90}", "high: 70}")
    assert late.status_code == 409
    assert "saved this draft" in late.json()["detail"]
    assert "high: 80}" in first.get(f"{DRAFTS}{draft['id']}/").json()["text"]


def test_a_state_cannot_be_written() -> None:
    by = api_as(author())
    draft = started(by)
    one = f"{DRAFTS}{draft['id']}/"
    body = {"text": draft["text"], "seen": draft["text_digest"], "state": "published"}
    assert by.put(f"{one}text/", body, format="json").status_code == 422
    for method in (by.put, by.patch, by.delete):
        assert method(one, {"state": "published"}, format="json").status_code == 405
    assert PolicyVersion.objects.get(pk=draft["id"]).state == "draft"


def test_a_draft_is_started_for_a_policy_or_for_a_unit() -> None:
    small_policy()
    retail = UnitFactory.create(code="retail")
    by = api_as(person_with("portfolio_manager", retail))
    made = post(by, DRAFTS, unit="retail", version="1.0.0")
    assert made.status_code == 201
    assert made.json()["text"].startswith("policy: retail\nextends: small\n")
    assert made.json()["unit"] == "retail"
    assert post(by, DRAFTS, policy="small", version="1.1.0").status_code == 403
    for body in ({}, {"unit": "retail", "policy": "small"}, {"policy": "none"}, {"unit": "none"}):
        assert post(by, DRAFTS, version="1.1.0", **body).status_code == 422, body
    refused = saved(by, made.json(), "# least_tier: limited", "sign_off_validity_days: 99")
    assert refused.status_code == 422
    assert "would loosen" in refused.json()["errors"]["text"][0]


def test_it_is_sent_back_discarded_and_rebased() -> None:
    by = author()
    client, other = api_as(by), api_as(board())
    draft = started(client)
    one = f"{DRAFTS}{draft['id']}/"
    assert post(client, f"{one}propose/").status_code == 409
    saved(client, draft, "high: 90}", "high: 80}")
    post(client, f"{one}propose/")
    assert post(other, f"{one}send-back/").status_code == 422
    assert post(other, f"{one}send-back/", reason="Later.").json()["state"] == "draft"
    assert post(client, f"{one}rebase/").json()["base"] == "1.0.0"
    assert post(client, f"{one}discard/").json()["state"] == "discarded"
    assert post(client, f"{one}propose/").status_code == 409


def test_a_draft_is_simulated_and_the_result_read() -> None:
    case = ready_case(tier="minimal")
    by = api_as(author())
    draft = started(by)
    one = f"{DRAFTS}{draft['id']}/"
    assert by.get(f"{one}simulation/").status_code == 409
    saved(by, draft, "[problem_statement]", "[problem_statement, objective]")
    asked = post(by, f"{one}simulate/")
    assert asked.status_code == 202
    assert asked.json()["state"] == "queued"
    assert post(by, f"{one}simulate/").status_code == 409
    simulate_policy(asked.json()["id"])
    found = by.get(asked["Location"]).json()
    assert (found["state"], found["done"], found["total"], found["outdated"]) == ("done", 1, 1, False)
    assert found["counts"]["blocks"] == 1
    assert [(t["key"], t["criteria"][0]["id"]) for t in found["turns"]] == [(case.use_case.key, "IP-01")]
    assert by.get(f"{one}simulation/?direction=releases").json()["turns"] == []
    assert post(by, f"{one}simulation/stop/").status_code == 409


def test_a_review_is_read_under_another_version() -> None:
    case = ready_case(tier="minimal")
    review = case.submit()
    reader = api_as(person_with("auditor", organisation()))
    where = f"{API}reviews/{review.number}/under/"
    assert reader.get(where).status_code == 409
    publish(small_text(version="1.1.0").replace("[problem_statement]", "[problem_statement, objective]", 1))
    found = reader.get(where).json()
    assert (found["pinned_version"], found["other_version"]) == ("1.0.0", "1.1.0")
    assert (found["pinned_ready"], found["other_ready"]) == (True, False)
    assert [row["criterion"] for row in found["findings"] if row["turn"] == "closes"] == ["IP-01"]
    assert reader.get(f"{where}?version=1.1.0").status_code == 200
    assert reader.get(f"{where}?version=3").status_code == 404
    assert api_as(PersonFactory.create()).get(where).status_code == 404
    review.refresh_from_db()
    assert review.policy_version.label == "1.0.0"


def test_a_policy_is_withdrawn_unless_something_holds_it() -> None:
    case = ready_case()
    publish(small_text(key="aside", primary=False))
    client = api_as(board())
    assert post(client, f"{API}policies/small/withdraw/", reason="x").status_code == 409
    review = case.submit()
    Policy.objects.update(is_primary=False)
    held = post(client, f"{API}policies/small/withdraw/", reason="x")
    assert held.status_code == 409
    assert f"R-{review.number}" in held.json()["detail"]
    assert client.delete(f"{API}policies/small/").status_code == 405
    assert post(api_as(author()), f"{API}policies/aside/withdraw/", reason="x").status_code == 403
    assert post(client, f"{API}policies/aside/withdraw/", reason="Over.").status_code == 204
    assert post(client, f"{API}policies/none/withdraw/", reason="x").status_code == 404
