"""Two people review one output without knowing of each other: not on pages, not in the ledger, not by a figure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from kernel.canonical import digest
from ledger.models import Event
from ledger.verify import verify
from monitoring.models import Output, ReviewItem, Verdict
from monitoring.output_retention import forget_payloads
from monitoring.selectors.review_statistics import statistics_of
from monitoring.services import claim_next, claim_output, review_output, take_back_verdict
from portfolio.models import UseCase
from tests.factories.accounts import api_as, give, person_with
from tests.factories.monitoring import OutputFactory, ReviewItemFactory, SamplingPlanFactory

pytestmark = pytest.mark.django_db

REASON = "The claim is above the limit."
SAYING = ("disagree", "wrong_outcome", REASON)


def pair() -> tuple[ReviewItem, ReviewItem]:
    use_case = SamplingPlanFactory.create().use_case
    output = OutputFactory.create(use_case=use_case)
    return ReviewItemFactory.create(output=output), ReviewItemFactory.create(output=output, slot=2)


def reader(use_case: UseCase) -> User:
    """A reviewer who may also read the ledger: the one from whom most has to be kept."""
    person = person_with("human_reviewer", use_case)
    give(person, "auditor", use_case)
    return person


def against(item: ReviewItem, by: User) -> Verdict:
    claim_output(item=item, by=by)
    return review_output(item=item, answer="disagree", reason_code="wrong_outcome", reason=REASON, by=by)


def what_can_be_read(person: User, use_case: UseCase) -> str:
    """Everything that tells of events, as one text: pages, exports, REST."""
    client, api = Client(), api_as(person)
    client.force_login(person)
    about = Event.objects.filter(use_case_id=str(use_case.pk), action__startswith="output")
    newest = list(about.order_by("-index").values_list("index", flat=True)[:6])
    pages = [
        reverse("ledger:events"),
        reverse("ledger:events") + "?export=csv",
        *(reverse("ledger:event", args=[index]) for index in newest),
        reverse("portfolio:use_case", args=[use_case.key]),
        reverse("portfolio:use_case_panel", args=[use_case.key, "history"]),
        reverse("portfolio:home"),
        reverse("portfolio:search") + f"?q={REASON.split()[2]}",
        reverse("monitoring:output", args=[Output.objects.get(use_case=use_case).pk]),
    ]
    found = []
    for address in pages:
        answer = client.get(address)
        assert answer.status_code == 200, address
        found.append(
            b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
            if answer.streaming
            else answer.content.decode()
        )
    for address in ("/api/v1/audit-events/", *(f"/api/v1/audit-events/{index}/" for index in newest)):
        told = api.get(address)
        assert told.status_code == 200, address
        found.append(told.content.decode())
    return "\n".join(found)


def test_nothing_that_tells_of_events_says_what_the_first_reviewer_said() -> None:
    first_item, second_item = pair()
    use_case = first_item.output.use_case
    first, second = reader(use_case), reader(use_case)
    against(first_item, first)
    before = what_can_be_read(second, use_case)
    assert "output.reviewed" in before
    assert not [words for words in SAYING if words in before]
    claim_output(item=second_item, by=second)
    review_output(item=second_item, answer="agree", by=second)
    after = what_can_be_read(second, use_case)
    assert all(words in after for words in SAYING)


def test_what_is_told_later_is_what_the_first_digest_was_made_of() -> None:
    first_item, second_item = pair()
    output = first_item.output
    first, second = reader(output.use_case), reader(output.use_case)
    verdict = against(first_item, first)
    held = Event.objects.get(action="output.reviewed").changes
    assert held["sha256"]["after"] == verdict.sha256
    guess: dict[str, Any] = {"output": output.content_sha256, "external_id": output.external_id}
    for name in ("item", "kind", "reason_code", "reason", "corrected", "reviewer", "at", "seconds", "takes_back"):
        guess[name] = {"kind": "disagree", "reason_code": "wrong_outcome", "reason": REASON, "corrected": ""}.get(
            name, held.get(name, {}).get("after")
        )
    assert digest(guess) != verdict.sha256  # whoever guesses every word lacks the salt
    against(second_item, second)
    told = Event.objects.get(action="output.verdict_told")
    assert told.subject_id == str(verdict.pk)
    said = {name: pair["after"] for name, pair in told.changes.items()}
    content = {name: value for name, value in said.items() if name not in {"sha256", "output", "output_sha256"}}
    content |= {"output": said["output_sha256"], "external_id": output.external_id}
    assert digest(content) == said["sha256"] == held["sha256"]["after"]
    second_event = Event.objects.filter(action="output.reviewed").order_by("-index").first()
    assert second_event is not None
    assert second_event.changes["kind"]["after"] == "disagree"  # nobody is owed one any more: told at once
    assert verify().problems == []


def test_a_verdict_taken_back_stays_untold_until_both_are_given() -> None:
    first_item, second_item = pair()
    use_case = first_item.output.use_case
    first, second = reader(use_case), reader(use_case)
    take_back_verdict(verdict=against(first_item, first), by=first)
    review_output(item=first_item, answer="agree", by=first)
    assert not Event.objects.filter(action="output.verdict_told").exists()
    assert REASON not in what_can_be_read(second, use_case)
    claim_output(item=second_item, by=second)
    review_output(item=second_item, answer="agree", by=second)
    assert Event.objects.filter(action="output.verdict_told").count() == 2
    assert not Verdict.objects.filter(told_at__isnull=True).exists()


def test_a_second_review_that_nobody_gave_in_time_ends_the_secret() -> None:
    first_item, second_item = pair()
    use_case = first_item.output.use_case
    against(first_item, reader(use_case))
    now = timezone.now()
    Output.objects.filter(pk=first_item.output_id).update(payload_until=now + timedelta(days=1))
    assert forget_payloads(now + timedelta(days=2)) == 1
    second_item.refresh_from_db()
    assert second_item.state == "expired"
    assert Event.objects.get(action="output.verdict_told").actor_kind == "system"


def test_an_output_with_one_review_is_told_at_once() -> None:
    item = ReviewItemFactory.create()
    person = reader(item.output.use_case)
    assert claim_next(by=person) == item
    verdict = review_output(item=item, answer="agree", by=person)
    assert (verdict.salt, verdict.told_at) == ("", verdict.at)
    assert Event.objects.get(action="output.reviewed").changes["kind"]["after"] == "agree"


def test_figures_count_a_pair_once_neither_review_is_owed() -> None:
    first_item, second_item = pair()
    use_case = first_item.output.use_case
    against(first_item, reader(use_case))
    plan = use_case.sampling_plan
    assert statistics_of(plan, timezone.now()).by_reason == {}
    second = reader(use_case)
    claim_output(item=second_item, by=second)
    review_output(item=second_item, answer="agree", by=second)
    tally = statistics_of(plan, timezone.now()).by_reason["random"]
    assert (tally.n, tally.against) == (1, 1)
