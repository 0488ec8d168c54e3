"""What fails is stopped whatever is open: a review that asks for an end needs no readiness and leads to no go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from accounts.models import User
from gates.models import Review
from gates.selectors import review_or_none
from gates.services.decisions import decide
from gates.services.reviews import refresh_review, submit_review
from gates.services.sign_offs import sign
from gates.standing import judge_now
from gates.worklist.decisions import Decisions
from kernel.errors import Conflict, Invalid, NotReady
from notify.models import Notice
from portfolio.models import UseCase
from portfolio.services import hold
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with
from tests.factories.gates import Case, ready_case

pytestmark = pytest.mark.django_db
PLAN = {"lessons": "Ask the clerks first.", "disposal": "Operations deletes the data in March."}


def failing() -> tuple[Case, User]:
    """A case whose first criterion is open, and its sponsor."""
    case = ready_case(problem_statement="")
    return case, person_with("business_sponsor", case.use_case)


def ask(case: Case, by: User | None = None, message: str = "It does not work.") -> Review:
    return submit_review(
        use_case=case.use_case, gate="idea_to_poc", by=by or case.lead, message=message, asks_to_end=True
    )


def stop(review: Review, by: User) -> None:
    why: dict[str, Any] = {"reason": "No value.", "reason_code": "no_value", "plan": PLAN}
    decide(review=review, outcome="stop", by=by, digest=review.digest, **why)


def test_what_is_not_ready_can_be_stopped() -> None:
    case, sponsor = failing()
    with pytest.raises(NotReady):
        case.submit()
    review = ask(case)
    assert [item.title for item in Decisions().items(sponsor)] == [f"Decide whether it ends: {review}"]
    assert Notice.objects.filter(recipient=sponsor, kind="review.submitted").count() == 1
    stop(review, sponsor)
    case.use_case.refresh_from_db()
    assert case.use_case.stage == "stopped"


def test_what_is_on_hold_can_be_stopped_too() -> None:
    case, sponsor = failing()
    hold(use_case=case.use_case, by=case.manager, reason="Suspended.")
    stop(ask(case), sponsor)
    case.use_case.refresh_from_db()
    assert case.use_case.stage == "stopped"


def test_no_go_comes_of_it_even_when_everything_is_met() -> None:
    case = ready_case()
    review = ask(case)
    conditional: dict[str, Any] = {"conditions": [_condition(case)]}
    for outcome, more in (("go", {}), ("go_with_conditions", conditional)):
        with pytest.raises(NotReady, match="cannot be decided"):
            decide(review=review, outcome=outcome, by=case.manager, digest=review.digest, reason="Yes.", **more)
    case.use_case.refresh_from_db()
    assert case.use_case.stage == "idea"


def test_nobody_signs_it_and_a_changed_fact_asks_for_no_signatures() -> None:
    case, _sponsor = failing()
    review = ask(case)
    owner = case.signers["business_owner"]
    with pytest.raises(PermissionDenied, match="does not ask"):
        sign(review=review, role="business_owner", verdict="approve", digest=review.digest, by=owner)
    UseCase.objects.filter(pk=case.use_case.pk).update(target_users="Deputies")
    fresh, changed = refresh_review(review=review, by=case.lead)
    assert changed
    assert fresh.slots == []


def test_it_counts_as_no_approval_of_the_gate() -> None:
    case = ready_case()
    ask(case)
    found = {j.criterion.id: j.finding.outcome for j in judge_now(case.use_case)[0].judged}
    assert found["IP-09"] == "missing"


def test_who_asks_does_not_decide_and_says_why() -> None:
    case, sponsor = failing()
    with pytest.raises(Invalid) as refused:
        ask(case, message=" ")
    assert "message" in refused.value.errors
    review = ask(case, by=sponsor)
    with pytest.raises(PermissionDenied, match="SOD-01"):
        stop(review, sponsor)
    with pytest.raises(Conflict, match="already open"):
        ask(case)


def test_who_has_no_part_in_it_does_not_ask() -> None:
    case, _sponsor = failing()
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", case.use_case)
    for person in (case.signers["technical_lead"], PersonFactory.create(), machine):
        with pytest.raises(PermissionDenied):
            ask(case, by=person)
    assert not Review.objects.exists()


def test_asking_in_the_browser_and_over_rest() -> None:
    case, sponsor = failing()
    client = Client()
    client.force_login(case.lead)
    gate = client.get(f"/use-cases/{case.use_case.key}/gate/").content.decode()
    assert f"/gates/end/{case.use_case.key}/" in gate
    address = f"/gates/end/{case.use_case.key}/"
    assert client.post(address, {"message": ""}).status_code == 422
    answer = client.post(address, {"message": "It does not work."})
    assert answer.status_code == 302
    review = review_or_none(sponsor, int(answer["Location"].rstrip("/").rsplit("/", 1)[1]))
    assert review is not None
    assert "not for passing the gate" in client.get(answer["Location"]).content.decode()
    listed = api_as(case.lead).get(f"/api/v1/reviews/{review.number}/").json()
    assert listed["asks_to_end"] is True
    body = {"use_case": case.use_case.key, "gate": "idea_to_poc", "message": "Again.", "asks_to_end": True}
    assert api_as(case.lead).post("/api/v1/reviews/", body, format="json").status_code == 409


def _condition(case: Case) -> dict[str, object]:
    return {
        "text": "Train the deputies",
        "scope": "All branches",
        "owner": case.signers["technical_lead"],
        "due_on": timezone.localdate() + timedelta(days=5),
        "evidence_wanted": "A list of names",
    }
