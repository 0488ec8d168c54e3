"""What a signer reads beside the findings, what changed since the round before, and what people say."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from gates.differences import Difference, fact_differences
from gates.dossier import costs_of, kpis_of, risks_of
from gates.models import ReviewComment
from gates.services.comments import comment_on_review
from kernel.errors import Invalid
from ledger.models import Event
from notify.models import Notice
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, api_as, person_with
from tests.factories.gates import Case, publish, ready_case, small_text
from tests.factories.governance import EvidenceFactory

pytestmark = pytest.mark.django_db
ATTESTED = """\
    - id: IP-01
      title: Owner accepts
      type: attestation
      params: {by: [business_owner]}
      applies: {minimal: mandatory, limited: mandatory, high: mandatory}
      owner: business_owner
    - id: IP-05
      title: Users named
      type: field_present
      params: {fields: [target_users]}
      applies: {minimal: advisory, limited: advisory, high: mandatory}
      owner: business_owner
    - id: IP-09
      title: Approved
      type: approval
      params: {matrix: tier}
      applies: {minimal: mandatory, limited: mandatory, high: mandatory}
      owner: business_owner
"""


def body(**facts: Any) -> dict[str, Any]:
    tier = facts.pop("tier", "limited")
    return {"tier": tier, "facts": {"profile": {}, **facts}, "findings": []}


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: User, case: Case, number: int) -> str:
    answer = as_(user).get(f"/gates/reviews/{number}/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_facts_that_differ_are_named_by_what_they_are_about() -> None:
    old = body(risks={"register": [{"id": "1", "title": "Wrong letter", "residual": "high"}]}, profile={"name": "A"})
    new = body(
        risks={
            "register": [
                {"id": "1", "title": "Wrong letter", "residual": "low"},
                {"id": "2", "title": "Leak", "residual": "medium"},
            ]
        },
        profile={"name": "A"},
    )
    assert fact_differences(old, new) == [
        Difference("Risk", "Register: Wrong letter: Residual", "high", "low"),
        Difference("Risk", "Register: Leak", None, "Title: Leak, Residual: medium"),
    ]


def test_what_is_gone_and_what_is_emptied_is_told_apart_from_what_stays() -> None:
    old = body(evidence=[{"id": "1", "title": "Contract"}, {"id": "2", "title": "Note"}], profile={"plan": {"x": "1"}})
    new = body(evidence=[{"id": "2", "title": "Note"}], profile={"plan": {"x": None}})
    assert [(d.group, d.name, d.before, d.after) for d in fact_differences(old, new)] == [
        ("Use case", "Plan: X", "1", None),
        ("Evidence", "Contract", "Title: Contract", None),
    ]


def test_a_changed_tier_comes_first_and_moving_metrics_are_left_out() -> None:
    old, new = body(metrics={"f1": {"value": "0.9"}}), body(tier="high", metrics={"f1": {"value": "0.8"}})
    assert fact_differences(old, new) == [Difference("Use case", "Risk tier", "limited", "high")]


def test_rows_without_an_id_are_not_lost() -> None:
    old, new = body(risks={"rows": [{"kind": "a"}, {"kind": "a"}]}), body(risks={"rows": [{"kind": "a"}]})
    assert len(fact_differences(old, new)) == 1


def test_the_way_from_baseline_to_target_is_measured_in_either_direction() -> None:
    def share(baseline: str, target: str, measured: str | None) -> int | None:
        kpi = {"baseline": baseline, "target": target}
        rows = [{"value": measured, "window_end": "2026-11-01"}] if measured else []
        found = kpis_of(body(kpis=[{**kpi, "measurements": rows}]))[0]["share"]
        return found if found is None else int(found)

    assert share("0", "400", "264") == 66
    assert share("20", "10", "15") == 50
    assert share("20", "10", "22") == -20
    assert share("10", "10", "12") is None
    assert share("0", "400", None) is None


def test_cost_is_set_against_the_budget() -> None:
    def costs(**plan: str) -> dict[str, Any] | None:
        return costs_of(body(profile={"plan": plan}))

    assert costs() is None
    over = costs(budget_poc="100", budget_build="100", cost_to_date="250")
    assert over is not None
    assert (over["share"], over["over"]) == (125, True)
    unknown = costs(cost_to_date="50")
    assert unknown is not None
    assert (unknown["budget"], unknown["share"]) == (None, None)


def test_open_risks_come_gravest_first_and_closed_ones_not_at_all() -> None:
    rows = [
        {"title": "A", "inherent": "high", "residual": "low", "state": "treated"},
        {"title": "B", "inherent": "critical", "residual": "", "state": "open"},
        {"title": "C", "inherent": "high", "residual": "high", "state": "closed"},
    ]
    assert [row["title"] for row in risks_of(body(risks={"register": rows}))] == ["B", "A"]


def attested() -> Case:
    publish(small_text(criteria=ATTESTED))
    case = ready_case(policy=False)
    owner = case.signers["business_owner"]
    EvidenceFactory.create(
        use_case=case.use_case,
        kind="attestation",
        criterion="IP-01",
        role="business_owner",
        title="Acceptance by the owner",
        statement="I accept this use case.",
        added_by=owner,
    )
    return case


def test_the_review_shows_evidence_in_place_and_findings_in_groups() -> None:
    case = attested()
    UseCase.objects.filter(pk=case.use_case.pk).update(target_users="")
    review = case.submit()
    text = page(case.signers["technical_lead"], case, review.number)
    assert "I accept this use case." in text
    assert "Advice that is not met" in text
    assert "Stands against passing" not in text


def test_a_resubmission_shows_what_changed_since_the_round_before() -> None:
    case = ready_case()
    first = case.submit()
    case.decide(first, "return", reason="Say which letters.")
    UseCase.objects.filter(pk=case.use_case.pk).update(problem_statement="Complaint letters take two weeks.")
    second = case.submit()
    text = page(case.signers["technical_lead"], case, second.number)
    assert "Changed since the round before" in text
    assert "<del>Letters take two weeks.</del>" in text
    assert "<ins>Complaint letters take two weeks.</ins>" in text
    assert "Say which letters." in text
    assert f"R-{first.number}" in text


def test_a_first_review_shows_no_changes() -> None:
    case = ready_case()
    assert "Changed since the round before" not in page(case.lead, case, case.submit().number)


def test_a_comment_reaches_whoever_takes_part_and_stays() -> None:
    case = ready_case()
    review = case.submit()
    case.sign(review, "technical_lead")
    owner = case.signers["business_owner"]
    said = comment_on_review(review=review, by=owner, text=" Which letters? ", criterion="IP-01")
    assert said.text == "Which letters?"
    told = set(Notice.objects.filter(kind="review.commented").values_list("recipient__email", flat=True))
    assert told == {case.lead.email, case.signers["technical_lead"].email}
    assert Event.objects.filter(action="review.commented", use_case_id=case.use_case.pk).count() == 1
    assert "Which letters?" in page(case.lead, case, review.number)
    assert review.digest == type(review).objects.get(pk=review.pk).digest


def test_what_is_no_comment_is_refused_and_nothing_is_kept() -> None:
    case = ready_case()
    review = case.submit()
    for text, criterion, field in (("  ", "", "text"), ("x" * 5001, "", "text"), ("Why?", "ZZ-01", "criterion")):
        with pytest.raises(Invalid) as refused:
            comment_on_review(review=review, by=case.lead, text=text, criterion=criterion)
        assert field in refused.value.errors
    with pytest.raises(PermissionDenied):
        comment_on_review(review=review, by=PersonFactory.create(), text="Hello")
    assert not ReviewComment.objects.exists()


def test_commenting_on_the_page_keeps_what_was_typed() -> None:
    case = ready_case()
    review = case.submit()
    address = f"/gates/reviews/{review.number}/comment/"
    assert "csrfmiddlewaretoken" in page(case.lead, case, review.number).split('id="comments"')[1]
    answer = as_(case.lead).post(address, {"text": "", "criterion": "IP-01"})
    assert answer.status_code == 422
    assert as_(case.lead).post(address, {"text": "Why **now**?"}).status_code == 302
    assert "Why <strong>now</strong>?" in page(case.lead, case, review.number)
    assert as_(PersonFactory.create()).post(address, {"text": "Hi"}).status_code == 404
    hostile = "<script>alert(1)</script>"
    as_(case.lead).post(address, {"text": hostile})
    assert hostile not in page(case.lead, case, review.number)


def test_comments_over_rest() -> None:
    case = ready_case()
    review = case.submit()
    lead = api_as(case.lead)
    answer = lead.post("/api/v1/review-comments/", {"review": review.number, "text": "Ready."}, format="json")
    assert answer.status_code == 201
    assert answer.json()["author"] == case.lead.email
    assert lead.get(f"/api/v1/review-comments/?review={review.number}").json()["results"][0]["text"] == "Ready."
    stranger, address = api_as(PersonFactory.create()), "/api/v1/review-comments/"
    assert stranger.get(address).json()["results"] == []
    assert stranger.post(address, {"review": review.number, "text": "x"}, format="json").status_code in (403, 404)
    assert lead.patch(f"{address}{answer.json()['id']}/", {"text": "x"}, format="json").status_code == 405


def test_the_page_takes_no_more_queries_for_more_comments_and_evidence() -> None:
    case = attested()
    review = case.submit()
    reader = person_with("auditor", case.use_case.unit)

    def queries() -> int:
        client = as_(reader)
        client.get(f"/gates/reviews/{review.number}/")
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/gates/reviews/{review.number}/")
        return len(captured)

    before = queries()
    for count in range(4):
        comment_on_review(review=review, by=case.lead, text=f"Remark {count}")
    assert queries() == before <= 34
