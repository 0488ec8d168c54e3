"""The review queue: one output, one person at a time; who acted does not review; every verdict sealed and on record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from kernel.canonical import digest
from kernel.errors import Conflict, Invalid
from ledger import state
from ledger.models import Event
from monitoring.models import ReviewItem, Verdict
from monitoring.reviewing import kept_from, offered
from monitoring.services import claim_next, claim_output, review_output, skip_output, take_back_verdict
from monitoring.verdict_seals import SAID
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with
from tests.factories.monitoring import OutputFactory, ReviewItemFactory, SamplingPlanFactory
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


def reviewer(use_case: UseCase, role: str = "human_reviewer", **fields: Any) -> User:
    return person_with(role, use_case, **fields)


def owed(use_case: UseCase | None = None, **output: Any) -> ReviewItem:
    use_case = use_case or SamplingPlanFactory.create().use_case
    return ReviewItemFactory.create(output=OutputFactory.create(use_case=use_case, **output))


def against(item: ReviewItem, by: User, **more: Any) -> Verdict:
    said = {"answer": "disagree", "reason_code": "wrong_outcome", "reason": "The claim is above the limit.", **more}
    return review_output(item=item, by=by, **said)


# -- Claiming --------------------------------------------------------------------------------------------------------


def test_the_one_due_first_is_given_and_nobody_else_gets_it() -> None:
    use_case = UseCaseFactory.create()
    late = owed(use_case)
    soon = owed(use_case)
    ReviewItem.objects.filter(pk=soon.pk).update(due_at=timezone.now() - timedelta(hours=1))
    first, second, third = reviewer(use_case), reviewer(use_case), reviewer(use_case)
    assert claim_next(by=first) == soon
    assert claim_next(by=first) == soon  # what one has stays one's
    assert claim_next(by=second) == late
    assert claim_next(by=third) is None
    with pytest.raises(Conflict):
        claim_output(item=late, by=third)


def test_a_lease_that_ran_out_is_free_again() -> None:
    item = owed()
    first, second = reviewer(item.output.use_case), reviewer(item.output.use_case)
    claim_next(by=first)
    ReviewItem.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert claim_next(by=second) == item
    with pytest.raises(Conflict):
        review_output(item=item, answer="agree", by=first)


def test_two_who_read_the_same_row_do_not_both_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    item = owed()
    first, second = reviewer(item.output.use_case), reviewer(item.output.use_case)
    stale = list(offered(second, timezone.now()))
    claim_next(by=first)
    assert stale == [item]
    with pytest.raises(Conflict):
        claim_output(item=stale[0], by=second)


def test_reviewers_see_the_queue_of_their_use_cases_alone() -> None:
    item = owed()
    owed()
    person = reviewer(item.output.use_case)
    assert list(offered(person, timezone.now())) == [item]
    for role in ("auditor", "technical_lead", "business_owner"):
        other = reviewer(item.output.use_case, role)
        assert claim_next(by=other) is None
        with pytest.raises(PermissionDenied):
            claim_output(item=item, by=other)
    assert claim_next(by=PersonFactory.create()) is None


def test_machines_do_not_review() -> None:
    item = owed()
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", item.output.use_case)
    with pytest.raises(PermissionDenied):
        claim_next(by=machine)
    with pytest.raises(PermissionDenied):
        review_output(item=item, answer="agree", by=machine)


@pytest.mark.parametrize("named", ["account", "address", "name"])
def test_who_acted_on_an_output_is_refused_and_told_why(named: str) -> None:
    use_case = UseCaseFactory.create()
    person = reviewer(use_case, full_name="Ada Berg", email="ada@example.org")
    how: dict[str, dict[str, Any]] = {
        "account": {"acted_by": person},
        "address": {"actor": "ADA@example.org"},
        "name": {"actor": "ada berg"},
    }
    item = owed(use_case, **how[named])
    assert claim_next(by=person) is None
    assert list(kept_from(person)) == [item]
    with pytest.raises(PermissionDenied, match="SOD-14"):
        claim_output(item=item, by=person)
    ReviewItem.objects.update(claimed_by=person, claimed_at=timezone.now(), leased_until=timezone.now())
    with pytest.raises(PermissionDenied, match="you acted on it"):
        review_output(item=item, answer="agree", by=person)
    assert not Verdict.objects.exists()


def test_what_one_passes_on_goes_to_others() -> None:
    item = owed()
    first, second = reviewer(item.output.use_case), reviewer(item.output.use_case)
    claim_next(by=first)
    skip_output(item=item, by=first)
    assert claim_next(by=first) is None
    assert claim_next(by=second) == item
    assert Event.objects.filter(action="output.passed_on").count() == 1
    with pytest.raises(Conflict):
        skip_output(item=item, by=first)


# -- Answering -------------------------------------------------------------------------------------------------------


def test_a_verdict_is_recorded_and_sealed() -> None:
    item = owed()
    person = reviewer(item.output.use_case)
    claim_next(by=person)
    verdict = against(item, person)
    item.refresh_from_db()
    assert (item.state, item.answer, item.reviewer, item.claimed_by) == ("done", "disagree", person, None)
    content = state(verdict, SAID)
    sealed = {"output": item.output.content_sha256, "external_id": item.output.external_id, **content}
    assert verdict.sha256 == digest(sealed)
    event = Event.objects.get(action="output.reviewed")
    assert verdict.sha256 in event.body
    with pytest.raises(Conflict):
        against(item, person)


@pytest.mark.parametrize(
    "said",
    [
        {"answer": "maybe"},
        {"answer": "disagree"},
        {"answer": "disagree", "reason_code": "wrong_fact"},
        {"answer": "disagree", "reason_code": "nonsense", "reason": "It is wrong."},
        {"answer": "disagree", "reason_code": "wrong_fact", "reason": "   "},
        {"answer": "override", "reason_code": "wrong_fact", "reason": "It is wrong."},
        {"answer": "disagree", "reason_code": "other", "reason": "x" * 4001},
    ],
)
def test_against_takes_a_reason_and_an_override_what_it_should_have_been(said: dict[str, str]) -> None:
    item = owed()
    person = reviewer(item.output.use_case)
    claim_next(by=person)
    with pytest.raises(Invalid):
        review_output(item=item, by=person, **said)
    assert not Verdict.objects.exists()


def test_experts_judge_but_only_reviewers_override() -> None:
    item = owed()
    expert = reviewer(item.output.use_case, "domain_expert")
    claim_next(by=expert)
    with pytest.raises(PermissionDenied):
        against(item, expert, answer="override", corrected="To manual handling")
    assert against(item, expert).kind == "disagree"
    other = owed(item.output.use_case)
    person = reviewer(item.output.use_case)
    claim_output(item=other, by=person)
    assert against(other, person, answer="override", corrected="To manual handling").corrected == "To manual handling"


def test_what_is_not_claimed_cannot_be_answered() -> None:
    item = owed()
    with pytest.raises(Conflict):
        review_output(item=item, answer="agree", by=reviewer(item.output.use_case))


def test_nobody_reviews_an_output_twice() -> None:
    item = owed()
    second = ReviewItemFactory.create(output=item.output, slot=2)
    person, other = reviewer(item.output.use_case), reviewer(item.output.use_case)
    claim_next(by=person)
    assert claim_next(by=other) == second
    ReviewItem.objects.filter(pk=second.pk).update(claimed_by=None, leased_until=None)
    review_output(item=item, answer="agree", by=person)
    assert claim_next(by=person) is None
    with pytest.raises(PermissionDenied):
        claim_output(item=second, by=person)
    assert claim_next(by=other) == second


def test_a_verdict_is_taken_back_for_ten_minutes_by_another_verdict() -> None:
    item = owed()
    person = reviewer(item.output.use_case)
    claim_next(by=person)
    verdict = against(item, person)
    with pytest.raises(PermissionDenied):
        take_back_verdict(verdict=verdict, by=reviewer(item.output.use_case))
    back = take_back_verdict(verdict=verdict, by=person)
    assert (back.state, back.answer, back.claimed_by, back.reviewer) == ("waiting", "", person, None)
    assert [row.kind for row in Verdict.objects.order_by("at")] == ["disagree", "withdrawn"]
    with pytest.raises(Conflict):
        take_back_verdict(verdict=verdict, by=person)
    again = review_output(item=item, answer="agree", by=person)
    Verdict.objects.filter(pk=again.pk).update(at=timezone.now() - timedelta(minutes=11))
    again.refresh_from_db()
    with pytest.raises(Conflict):
        take_back_verdict(verdict=again, by=person)
    assert Event.objects.filter(action="output.verdict_taken_back").count() == 1


# -- REST ------------------------------------------------------------------------------------------------------------


def test_a_person_reviews_over_rest() -> None:
    item = owed()
    client = api_as(reviewer(item.output.use_case))
    taken = client.post("/api/v1/output-reviews/next/")
    assert taken.status_code == 200, taken.content
    address = f"/api/v1/output-reviews/{taken.json()['id']}/"
    assert client.post(f"{address}answer/", {"answer": "disagree"}, format="json").status_code == 422
    said = {"answer": "disagree", "reason_code": "unfair", "reason": "It asks women for more papers."}
    verdict = client.post(f"{address}answer/", said, format="json")
    assert verdict.status_code == 201, verdict.content
    assert client.post("/api/v1/output-reviews/next/").status_code == 204
    assert client.get("/api/v1/verdicts/").json()["results"][0]["id"] == verdict.json()["id"]
    assert client.post(f"/api/v1/verdicts/{verdict.json()['id']}/take-back/").status_code == 200
    assert client.post(f"{address}pass-on/").status_code == 204


def test_over_rest_too_who_acted_is_refused_and_strangers_see_nothing() -> None:
    use_case = UseCaseFactory.create()
    person = reviewer(use_case)
    item = owed(use_case, acted_by=person)
    address = f"/api/v1/output-reviews/{item.pk}/"
    refused = api_as(person).post(f"{address}claim/")
    assert (refused.status_code, "SOD-14" in refused.json()["detail"]) == (403, True)
    stranger = api_as(PersonFactory.create())
    assert stranger.get(address).status_code == 404
    assert stranger.post(f"{address}claim/").status_code == 404
    assert stranger.get("/api/v1/verdicts/").json()["results"] == []
    assert api_as(person_with("auditor", use_case)).post(f"{address}claim/").status_code == 403
    assert APIClient().get(address).status_code == 401


def test_the_second_reviewer_does_not_read_what_the_first_said() -> None:
    item = owed()
    ReviewItemFactory.create(output=item.output, slot=2)
    first, second = reviewer(item.output.use_case), reviewer(item.output.use_case)
    claim_next(by=first)
    against(item, first)
    assert len(api_as(first).get("/api/v1/verdicts/").json()["results"]) == 1
    blind = api_as(second)
    assert blind.get("/api/v1/verdicts/").json()["results"] == []
    assert [row["state"] for row in blind.get("/api/v1/output-reviews/").json()["results"]] == ["waiting"]
    auditor = api_as(person_with("auditor", item.output.use_case))
    assert len(auditor.get("/api/v1/verdicts/").json()["results"]) == 1


@pytest.mark.parametrize("address", ["/api/v1/output-reviews/", "/api/v1/verdicts/"])
def test_lists_ask_a_constant_number_of_questions(address: str) -> None:
    use_case = SamplingPlanFactory.create().use_case
    person = reviewer(use_case)
    client = api_as(person)

    def add() -> None:
        item = owed(use_case)
        claim_output(item=item, by=person)
        against(item, person)
        owed(use_case)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    add()
    queries()
    few = queries()
    for _n in range(4):
        add()
    assert queries() == few
