"""The page of a decision: what it offers to whom, what it keeps when something is wrong, who has to prove it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from gates.models import Condition, Decision, Review
from portfolio.models import UseCase
from tests.factories.accounts import PASSWORD, give, person_with, prove
from tests.factories.conditions import in_days
from tests.factories.gates import Case, ready_case

pytestmark = pytest.mark.django_db


def as_(user: User, *, fresh: bool = True) -> Client:
    client = Client()
    client.force_login(user)
    prove(client, user, seconds_ago=0 if fresh else 600)
    return client


def address(review: Review) -> str:
    return f"/gates/reviews/{review.number}/decide/"


def ready() -> tuple[Case, Review]:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    return case, review


def conditional(review: Review, owner: User, number: int = 1, **fields: Any) -> dict[str, Any]:
    given = {
        "text": "Measure again with real letters.",
        "scope": "First unit",
        "owner": str(owner.pk),
        "due_on": in_days(30).isoformat(),
        "evidence_wanted": "A run",
        **fields,
    }
    row = {f"condition_{number}_{key}": value for key, value in given.items()}
    return {"outcome": "go_with_conditions", "digest": review.digest, **row}


def offered(client: Client, review: Review, query: str = "") -> dict[str, bool]:
    form = client.get(address(review) + query).context["form"]
    return {choice.key: not choice.why_not for choice in form.choices}


def test_a_manager_is_offered_what_managers_decide_and_told_why_not_the_rest() -> None:
    case, review = ready()
    client = as_(case.manager)
    assert [key for key, yes in offered(client, review).items() if yes] == ["go", "go_with_conditions", "return"]
    shown = client.get(address(review)).content.decode()
    for words in (
        "This is for: Business sponsor, AI governance board member.",
        "There is no earlier stage to go back to.",
        "All signatures are in, on this snapshot.",
    ):
        assert words in shown
    assert 'value="stop"' not in shown


def test_a_sponsor_is_offered_the_end_alone() -> None:
    case, review = ready()
    client = as_(person_with("business_sponsor", case.use_case))
    assert [key for key, yes in offered(client, review).items() if yes] == ["stop"]
    UseCase.objects.update(stage="operations")
    assert [key for key, yes in offered(client, review).items() if yes] == ["stop", "retire"]


def test_without_signatures_it_says_what_stands_against_a_go() -> None:
    case = ready_case()
    review = case.submit()
    client = as_(case.manager)
    assert [key for key, yes in offered(client, review).items() if yes] == ["return"]
    shown = client.get(address(review)).content.decode()
    assert "Waiting for Technical lead." in shown
    refused = client.post(address(review), {"outcome": "go", "digest": review.digest})
    assert refused.status_code == 422
    assert "Waiting for Technical lead." in refused.content.decode()


def test_where_somebody_asks_for_conditions_a_plain_go_is_not_offered() -> None:
    case = ready_case()
    review = case.submit()
    case.sign(review, "business_owner")
    case.sign(review, "technical_lead", "approve_with_conditions", reason="Only the first unit.")
    client = as_(case.manager)
    assert offered(client, review)["go_with_conditions"]
    assert not offered(client, review)["go"]
    assert "Only the first unit." in client.get(address(review)).content.decode()
    refused = client.post(address(review), {"outcome": "go", "digest": review.digest})
    assert refused.status_code == 422
    assert not Decision.objects.exists()


def test_the_address_chooses_an_outcome_that_is_open() -> None:
    case, review = ready()
    client = as_(case.manager)
    for wanted, chosen in (("return", "return"), ("stop", "go"), ("", "go"), ("moon", "go")):
        form = client.get(f"{address(review)}?outcome={wanted}").context["form"]
        assert form["outcome"].value() == chosen


def test_a_go_with_conditions_is_decided_on_the_page_without_javascript() -> None:
    case, review = ready()
    owner = case.signers["technical_lead"]
    body = conditional(review, owner) | conditional(review, case.lead, 4, text="Tell the users.")
    answer = as_(case.manager).post(address(review), body)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    rows = list(Condition.objects.order_by("position"))
    assert [(r.position, r.text, r.owner) for r in rows] == [
        (1, "Measure again with real letters.", owner),
        (2, "Tell the users.", case.lead),
    ]


def test_there_are_rows_for_five_conditions() -> None:
    case, review = ready()
    shown = as_(case.manager).get(address(review)).content.decode()
    for number in range(1, 6):
        assert f'name="condition_{number}_text"' in shown
    assert "condition_6_text" not in shown


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays() -> None:
    case, review = ready()
    body = conditional(review, case.lead) | conditional(
        review, case.lead, 3, text="Tell the users.", scope="", due_on="2020-01-01"
    )
    answer = as_(case.manager).post(address(review), body)
    assert answer.status_code == 422
    form = answer.context["form"]
    assert set(form.errors) == {"condition_3_scope", "condition_3_due_on"}
    assert form["condition_3_text"].value() == "Tell the users."
    assert form["condition_1_text"].value() == "Measure again with real letters."
    assert [row.open for row in form.rows] == [True, False, True, False, False]
    assert not Decision.objects.exists()


def test_a_conditional_go_without_any_condition_is_refused_at_the_first_row() -> None:
    case, review = ready()
    answer = as_(case.manager).post(address(review), {"outcome": "go_with_conditions", "digest": review.digest})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["condition_1_text"]


def test_conditions_that_were_typed_are_not_lost_with_a_plain_go() -> None:
    case, review = ready()
    answer = as_(case.manager).post(address(review), conditional(review, case.lead) | {"outcome": "go"})
    assert answer.status_code == 422
    assert not Decision.objects.exists()


def test_an_owner_from_elsewhere_cannot_be_chosen() -> None:
    case, review = ready()
    other = person_with("business_owner", ready_case(policy=False).use_case)
    answer = as_(case.manager).post(address(review), conditional(review, other))
    assert list(answer.context["form"].errors) == ["condition_1_owner"]


def test_a_stop_asks_for_its_plan_and_for_the_key_of_the_use_case() -> None:
    case, review = ready()
    client = as_(person_with("business_sponsor", case.use_case))
    body = {"outcome": "stop", "digest": review.digest, "reason": "No value."}
    asked = client.post(address(review), {**body, "typed_key": case.use_case.key})
    assert set(asked.context["form"].errors) == {"reason_code", "stop_lessons", "stop_disposal"}
    whole = {**body, "reason_code": "no_value", "stop_lessons": "Too few.", "stop_disposal": "Deleted."}
    unsure = client.post(address(review), {**whole, "typed_key": "UC-9999"})
    assert list(unsure.context["form"].errors) == ["typed_key"]
    assert not Decision.objects.exists()
    done = client.post(address(review), {**whole, "typed_key": case.use_case.key.lower()})
    assert done.status_code == 302
    assert Decision.objects.get().plan == {"lessons": "Too few.", "disposal": "Deleted."}


def test_a_retirement_is_decided_with_its_plan() -> None:
    case, review = ready()
    UseCase.objects.update(stage="operations")
    client = as_(person_with("business_sponsor", case.use_case))
    body = {
        "outcome": "retire",
        "digest": review.digest,
        "reason": "Replaced.",
        "typed_key": case.use_case.key,
        "retire_steps": "Off.",
        "retire_notice_to": "All.",
        "retire_notice_on": in_days(5).isoformat(),
        "retire_logs": "Archive.",
        "retire_logs_until": in_days(200).isoformat(),
        "retire_access": "Keys.",
    }
    assert list(client.post(address(review), {**body, "retire_access": ""}).context["form"].errors) == ["retire_access"]
    assert client.post(address(review), body).status_code == 302
    assert date.fromisoformat(Decision.objects.get().plan["logs_until"]) == in_days(200)


def test_a_pivot_offers_earlier_stages_alone() -> None:
    case = ready_case()
    case.pass_gate()
    review = case.submit("poc_to_pilot")
    client = as_(case.manager)
    form = client.get(address(review)).context["form"]
    assert [key for key, _label in form.fields["to_stage"].choices] == ["", "idea"]
    body = {"outcome": "pivot", "digest": review.digest, "reason": "Other users."}
    assert list(client.post(address(review), body).context["form"].errors) == ["to_stage"]
    assert client.post(address(review), {**body, "to_stage": "idea"}).status_code == 302


def test_a_decision_asks_for_the_password_once_five_minutes_have_gone_by() -> None:
    case, review = ready()
    client = as_(case.manager, fresh=False)
    body = {"outcome": "go", "digest": review.digest}
    assert client.post(address(review), body).status_code == 422
    assert client.post(address(review), {**body, "password": "wrong"}).status_code == 422
    assert not Decision.objects.exists()
    assert client.post(address(review), {**body, "password": PASSWORD}).status_code == 302


def test_who_submitted_it_is_told_so_at_once() -> None:
    case, review = ready()
    give(case.lead, "ai_governance_board", case.use_case)
    answer = as_(case.lead).get(address(review))
    assert answer.status_code == 403
    assert "SOD-01" in answer.content.decode()


def test_the_page_takes_as_many_queries_with_many_people(django_assert_max_num_queries: Any) -> None:
    case, review = ready()
    for _ in range(4):
        person_with("data_scientist", case.use_case)
    client = as_(case.manager)
    client.get(address(review))
    with django_assert_max_num_queries(42):
        assert client.get(address(review)).status_code == 200


def test_what_was_learned_stands_on_the_page_of_the_review() -> None:
    case, review = ready()
    case.manager = person_with("business_sponsor", case.use_case)
    plan = {"lessons": "The letters are too few.", "disposal": "Models deleted by IT."}
    case.decide(review, "stop", reason="No value.", reason_code="no_value", plan=plan)
    shown = as_(case.manager).get(f"/gates/reviews/{review.number}/").content.decode()
    for words in ("No value", "The letters are too few.", "Models deleted by IT.", "Lessons learned"):
        assert words in shown
