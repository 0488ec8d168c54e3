"""The pages of the gates: who sees what, what each step does, how many queries it takes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from gates.assurance import reassess
from gates.models import Decision, Review, SignOff
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, person_with, prove
from tests.factories.gates import BOARD, Case, ready_case, shipped_policies
from tests.factories.monitoring import SeriesFactory, points
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    prove(client, user)
    return client


def page(user: User, address: str) -> str:
    answer = as_(user).get(address)
    assert answer.status_code == 200, answer.content[:400]
    return str(answer.content.decode())


def step(user: User, address: str, **body: Any) -> Any:
    return as_(user).post(address, body)


def queries(user: User, address: str) -> int:
    client = as_(user)
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_every_page_asks_people_to_sign_in() -> None:
    case = ready_case()
    review = case.submit()
    one = f"/gates/reviews/{review.number}/"
    submit = f"/gates/submit/{case.use_case.key}/"
    for address in ("/gates/", one, f"{one}sign/", f"{one}decide/", f"{one}withdraw/", submit, "/gates/policies/"):
        answer = Client().get(address)
        assert answer.status_code == 302
        assert "login" in answer["Location"]


def test_a_stranger_finds_no_review() -> None:
    case = ready_case()
    review = case.submit()
    stranger = person_with("business_owner", UseCaseFactory.create())
    for part in ("", "sign/", "decide/", "withdraw/"):
        assert as_(stranger).get(f"/gates/reviews/{review.number}/{part}").status_code == 404
    assert as_(stranger).get(f"/gates/submit/{case.use_case.key}/").status_code == 404
    assert f"R-{review.number}" not in page(stranger, "/gates/")


def test_the_list_shows_and_filters_reviews() -> None:
    case = ready_case()
    case.submit()
    auditor = person_with("auditor", case.use_case.unit)
    assert "R-1" in page(auditor, "/gates/")
    assert "R-1" in page(auditor, "/gates/?q=r-1&state=open&gate=idea_to_poc&tier=limited")
    assert "R-1" not in page(auditor, "/gates/?state=decided")
    exported = as_(auditor).get("/gates/?export=csv")
    assert exported.status_code == 200


def test_a_review_shows_findings_slots_and_why_it_cannot_be_decided() -> None:
    case = ready_case()
    review = case.submit()
    case.sign(review, "business_owner")
    shown = page(case.signers["technical_lead"], f"/gates/reviews/{review.number}/")
    assert "IP-01 Problem stated" in shown
    assert "Read and sign" in shown
    assert "Waiting for Technical lead." in shown
    assert case.signers["business_owner"].full_name in shown


def test_a_lead_submits_and_is_led_to_the_review() -> None:
    case = ready_case()
    address = f"/gates/submit/{case.use_case.key}/"
    assert "Freeze the facts and submit" in page(case.lead, address)
    answer = step(case.lead, address, message="Please look at the scope.")
    assert answer.status_code == 302
    assert answer["Location"] == "/gates/reviews/1/"


def test_what_is_missing_is_listed_instead_of_the_button() -> None:
    case = ready_case(problem_statement="")
    address = f"/gates/submit/{case.use_case.key}/"
    shown = page(case.lead, address)
    assert "IP-01" in shown
    assert "Freeze the facts and submit" not in shown
    answer = step(case.lead, address)
    assert answer.status_code == 422
    assert not Review.objects.exists()


def test_submitting_needs_the_right() -> None:
    case = ready_case()
    assert as_(case.signers["business_owner"]).get(f"/gates/submit/{case.use_case.key}/").status_code == 403


def test_signing_shows_name_time_digest_and_meaning_and_puts_the_vote_on_record() -> None:
    case = ready_case()
    review = case.submit()
    owner = case.signers["business_owner"]
    address = f"/gates/reviews/{review.number}/sign/"
    shown = page(owner, address)
    for words in (owner.full_name, review.digest, "I approve passing this gate", "UTC"):
        assert words in shown
    answer = step(owner, address, role="business_owner", verdict="approve", digest=review.digest)
    assert answer.status_code == 302
    assert SignOff.objects.get().person == owner
    assert as_(owner).get(address).status_code == 403


def test_signing_an_older_snapshot_leads_back_with_an_explanation() -> None:
    case = ready_case()
    review = case.submit()
    UseCase.objects.update(target_users="Everybody")
    address = f"/gates/reviews/{review.number}/sign/"
    client = as_(case.signers["business_owner"])
    answer = client.post(
        address, {"role": "business_owner", "verdict": "approve", "digest": review.digest}, follow=True
    )
    assert "The facts changed" in answer.content.decode()
    assert not SignOff.objects.exists()


def test_a_refusal_without_a_reason_is_422_at_its_field() -> None:
    case = ready_case()
    review = case.submit()
    answer = step(
        case.signers["business_owner"],
        f"/gates/reviews/{review.number}/sign/",
        role="business_owner",
        verdict="reject",
        digest=review.digest,
    )
    assert answer.status_code == 422
    assert "needs its reason" in answer.content.decode()


def test_the_submitter_has_no_page_to_sign() -> None:
    case = ready_case()
    review = case.submit()
    assert as_(case.lead).get(f"/gates/reviews/{review.number}/sign/").status_code == 403


def test_a_decision_is_made_on_its_page() -> None:
    case = ready_case()
    review = case.submit()
    address = f"/gates/reviews/{review.number}/decide/"
    assert as_(case.lead).get(address).status_code == 403
    refused = step(case.manager, address, outcome="go", digest=review.digest)
    assert refused.status_code == 422
    assert "Waiting for" in refused.content.decode()
    case.sign_all(review)
    answer = step(case.manager, address, outcome="go", digest=review.digest)
    assert answer.status_code == 302
    case.use_case.refresh_from_db()
    assert case.use_case.stage == "poc"
    assert "Go" in page(case.manager, f"/gates/reviews/{review.number}/")


def test_a_second_decision_is_told_that_the_review_is_closed() -> None:
    case = ready_case()
    review = case.pass_gate()
    answer = step(
        case.manager, f"/gates/reviews/{review.number}/decide/", outcome="return", digest=review.digest, reason="x"
    )
    assert answer.status_code == 422
    assert "closed" in answer.content.decode()
    assert Decision.objects.count() == 1


def test_a_review_is_withdrawn_and_refreshed_by_its_lead() -> None:
    case = ready_case()
    review = case.submit()
    one = f"/gates/reviews/{review.number}/"
    assert as_(case.manager).get(f"{one}withdraw/").status_code == 403
    assert step(case.manager, f"{one}refresh/").status_code == 403
    assert step(case.lead, f"{one}refresh/").status_code == 302
    assert step(case.lead, f"{one}withdraw/").status_code == 422
    assert step(case.lead, f"{one}withdraw/", reason="Scope changed.").status_code == 302
    review.refresh_from_db()
    assert review.state == "withdrawn"


def test_the_second_round_shows_what_turned_since_the_first() -> None:
    case = ready_case()
    first = case.submit()
    case.decide(first, "return", reason="Measure it.")
    points(SeriesFactory.create(use_case=case.use_case), [0.9])
    second = case.submit()
    shown = page(case.lead, f"/gates/reviews/{second.number}/")
    assert "Changed since the round before" in shown
    assert "IP-02" in shown


def test_anybody_signed_in_reads_the_policies() -> None:
    shipped_policies()
    somebody = PersonFactory.create()
    assert "115 criteria" in page(somebody, "/gates/policies/")
    shown = page(somebody, "/gates/policies/default/")
    for words in ("IP-01", "SOD-14", "Business owner", "valid 365 days"):
        assert words in shown
    assert as_(somebody).get("/gates/policies/nobodys/").status_code == 404
    assert as_(somebody).get("/gates/policies/default/?version=0.0.0").status_code == 404


def test_the_gate_tab_shows_findings_and_the_next_step() -> None:
    case = ready_case()
    shown = page(case.lead, f"/use-cases/{case.use_case.key}/gate/")
    assert "IP-01 Problem stated" in shown
    assert "Submit for review" in shown
    case.submit()
    assert "Open the review" in page(case.lead, f"/use-cases/{case.use_case.key}/gate/")
    shown = page(case.signers["business_owner"], f"/use-cases/{case.use_case.key}/gate/")
    assert "Submit for review" not in shown


def test_an_approval_that_is_owed_again_can_be_submitted_from_the_gate_tab() -> None:
    case = ready_case(tier="minimal")
    person_with("business_sponsor", case.use_case)
    case.pass_gate()
    tab = f"/use-cases/{case.use_case.key}/gate/"
    assert "Submit for a new approval" not in page(case.lead, tab)
    UseCase.objects.update(tier="limited")
    reassess()
    assert "Submit for a new approval" in page(case.lead, tab)
    address = f"/gates/submit/{case.use_case.key}/?gate=idea_to_poc"
    assert "Idea to PoC" in page(case.lead, address)
    assert step(case.lead, address, message="").status_code == 302
    assert Review.objects.get(state="open").gate == "idea_to_poc"


def test_an_ended_use_case_has_no_gate_ahead() -> None:
    case = ready_case()
    UseCase.objects.update(stage="stopped", status="closed")
    assert "No gate ahead" in page(case.lead, f"/use-cases/{case.use_case.key}/gate/")


def whole_board(tier: str = "high") -> tuple[Case, Review]:
    """An open review of the default policy's size is not needed to count: a board and all signatures are."""
    case = ready_case(tier=tier)
    points(SeriesFactory.create(use_case=case.use_case), [0.95])
    for n in range(5):
        case.signers[f"member {n}"] = person_with(BOARD, organisation())
    return case, case.submit()


def test_the_review_page_takes_at_most_thirty_queries_however_many_signed() -> None:
    case, review = whole_board()
    address = f"/gates/reviews/{review.number}/"
    member = case.signers["member 0"]
    before = queries(member, address)
    case.sign(review, "business_owner")
    case.sign(review, "technical_lead")
    assert queries(member, address) == before <= 30
    assert queries(member, f"{address}sign/") <= 30
    assert queries(case.manager, f"{address}decide/") <= 34


def test_the_list_takes_as_many_queries_for_one_review_as_for_four() -> None:
    case = ready_case()
    case.submit()
    manager = case.manager
    before = queries(manager, "/gates/")
    for _ in range(3):
        ready_case(policy=False).submit()
    assert queries(manager, "/gates/") == before <= 30


def test_the_use_case_page_and_its_gate_tab_take_at_most_thirty_queries() -> None:
    shipped_policies()
    case = ready_case(policy=False)
    for address in (f"/use-cases/{case.use_case.key}/", f"/use-cases/{case.use_case.key}/gate/"):
        assert queries(case.lead, address) <= 30, address
