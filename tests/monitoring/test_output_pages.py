"""The pages of output review: the queue, an output, a verdict, the statistics, the plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from governance.models import ValidationRun
from monitoring.models import ReviewItem, SamplingPlan, Verdict
from monitoring.services import claim_output, review_output
from monitoring.worklist.outputs import OutputsToReview
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.governance import AiModelFactory, ModelVersionFactory
from tests.factories.monitoring import OutputFactory, ReviewItemFactory, SamplingPlanFactory
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


def as_(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str, *args: Any) -> str:
    return reverse(f"monitoring:{name}", args=args)


def owed(use_case: UseCase, **output: Any) -> ReviewItem:
    return ReviewItemFactory.create(output=OutputFactory.create(use_case=use_case, **output))


def test_pages_ask_the_anonymous_to_sign_in_and_show_strangers_nothing() -> None:
    item = owed(UseCaseFactory.create())
    key = item.output.use_case.key
    for address in (url("output_queue"), url("outputs"), url("output", item.output_id), url("review_statistics", key)):
        assert Client().get(address).status_code == 302
    stranger = as_(PersonFactory.create())
    for address in (
        url("output", item.output_id),
        url("output_review", item.pk),
        url("review_statistics", key),
        url("sampling_plan", key),
    ):
        assert stranger.get(address).status_code == 404, address
    assert stranger.post(url("output_claim", item.pk)).status_code == 404
    assert item.output.summary not in stranger.get(url("outputs")).content.decode()
    assert "You review no outputs" in stranger.get(url("output_queue")).content.decode()


def test_who_sees_may_not_review_or_configure() -> None:
    item = owed(UseCaseFactory.create())
    key = item.output.use_case.key
    version = ModelVersionFactory.create(model=AiModelFactory.create(use_case=item.output.use_case))
    auditor = as_(person_with("auditor", item.output.use_case))
    assert auditor.get(url("output", item.output_id)).status_code == 200
    assert auditor.get(url("review_statistics", key)).status_code == 200
    assert auditor.get(url("sampling_plan", key)).status_code == 403
    assert auditor.post(url("output_claim", item.pk)).status_code == 403
    assert auditor.post(url("output_review", item.pk), {"answer": "agree"}).status_code == 403
    assert auditor.post(url("review_record", key, version.pk)).status_code == 403


def test_a_reviewer_goes_through_the_queue() -> None:
    use_case = UseCaseFactory.create()
    first, second = owed(use_case, summary="First output"), owed(use_case, summary="Second output")
    client = as_(person_with("human_reviewer", use_case))
    page = client.get(url("output_queue")).content.decode()
    assert "0 of 2 today" in page
    assert 'data-shortcut="n"' in page
    assert "style=" not in page
    answer = client.post(url("output_next"))
    assert answer.headers["Location"] == url("output_review", first.pk)
    page = client.get(url("output_review", first.pk)).content.decode()
    for words in ("First output", "Rear bumper, parked car", "Agree: it is right", "Override: say what"):
        assert words in page
    answer = client.post(url("output_review", first.pk), {"answer": "agree"})
    assert answer.headers["Location"] == url("output_review", second.pk)
    wrong = client.post(url("output_review", second.pk), {"answer": "disagree", "disagree-reason_code": "unfair"})
    assert wrong.status_code == 422
    assert '<details class="verdict" open>' in wrong.content.decode()
    said = {"answer": "override", "override-reason_code": "unfair", "override-reason": "It asks one group for more."}
    answer = client.post(url("output_review", second.pk), {**said, "override-corrected": "No more papers"})
    assert answer.headers["Location"] == url("output_queue")
    page = client.get(url("output_queue")).content.decode()
    assert "Nothing waits for you" in page
    back = client.post(url("verdict_take_back", Verdict.objects.get(kind="override").pk))
    assert back.headers["Location"] == url("output_review", second.pk)
    assert client.post(url("output_skip", second.pk)).headers["Location"] == url("output_queue")


def test_who_acted_is_told_why_it_is_not_for_them() -> None:
    use_case = UseCaseFactory.create()
    person = person_with("human_reviewer", use_case)
    item = owed(use_case, acted_by=person)
    client = as_(person)
    assert "you acted on it" in client.get(url("output_queue")).content.decode()
    page = client.get(url("output", item.output_id)).content.decode()
    assert "You cannot review this output: you acted on it (SOD-14)." in page
    assert url("output_claim", item.pk) not in page
    assert client.post(url("output_claim", item.pk)).status_code == 403


def test_what_somebody_else_holds_cannot_be_opened_for_review() -> None:
    item = owed(UseCaseFactory.create())
    use_case = item.output.use_case
    claim_output(item=item, by=person_with("human_reviewer", use_case))
    other = as_(person_with("human_reviewer", use_case))
    assert other.get(url("output_review", item.pk)).headers["Location"] == url("output", item.output_id)
    assert other.post(url("output_review", item.pk), {"answer": "agree"}).status_code == 409
    assert other.post(url("output_claim", item.pk)).status_code == 409


def test_the_second_reviewer_does_not_see_the_first_verdict() -> None:
    item = owed(UseCaseFactory.create())
    ReviewItemFactory.create(output=item.output, slot=2)
    first, second = (person_with("human_reviewer", item.output.use_case) for _n in range(2))
    claim_output(item=item, by=first)
    review_output(item=item, answer="disagree", reason_code="other", reason="Not like this at all.", by=first)
    assert "Not like this at all." in as_(first).get(url("output", item.output_id)).content.decode()
    page = as_(second).get(url("output", item.output_id)).content.decode()
    assert "Not like this at all." not in page
    assert "without knowing of each other" in page
    listed = as_(second).get(url("outputs"), {"answer": "disagree"}).content.decode()
    assert item.output.summary not in listed
    assert item.output.summary in as_(first).get(url("outputs"), {"answer": "disagree"}).content.decode()


def test_the_list_filters_searches_and_exports() -> None:
    use_case = UseCaseFactory.create()
    waiting = owed(use_case, summary="Waits", segment="motor")
    late = owed(use_case, summary="Is late")
    ReviewItem.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(hours=1))
    OutputFactory.create(use_case=use_case, summary="Was left out", sampled=False)
    client = as_(person_with("auditor", use_case))

    def found(**query: str) -> set[str]:
        page = client.get(url("outputs"), query).content.decode()
        return {words for words in ("Waits", "Is late", "Was left out") if f">{words}</a>" in page}

    assert found() == {"Waits", "Is late", "Was left out"}
    assert found(review="waiting") == {"Waits", "Is late"}
    assert found(review="overdue") == {"Is late"}
    assert found(review="none") == {"Was left out"}
    assert found(segment="motor") == found(q=waiting.output.external_id) == {"Waits"}
    assert found(why="confidence") == set()
    export = client.get(url("outputs"), {"export": "csv"})
    content = b"".join(export.streaming_content) if export.streaming else export.content  # type: ignore[attr-defined]  # either kind
    assert b"Was left out" in content


def test_lists_ask_the_same_number_of_questions_however_long_they_are() -> None:
    use_case = UseCaseFactory.create()
    person = person_with("human_reviewer", use_case)
    client = as_(person)

    def queries(name: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url(name)).status_code == 200
        return len(captured)

    def add() -> None:
        item = owed(use_case)
        claim_output(item=item, by=person)
        review_output(item=item, answer="agree", by=person)
        owed(use_case)

    for name in ("outputs", "output_queue"):
        add()
        queries(name)
        few = queries(name)
        for _n in range(4):
            add()
        assert queries(name) == few <= 32


def test_the_plan_is_set_on_its_page() -> None:
    use_case = UseCaseFactory.create()
    client = as_(person_with("technical_lead", use_case))
    assert "Set a sampling plan" in client.get(url("review_statistics", use_case.key)).content.decode()
    form = client.get(url("sampling_plan", use_case.key)).context["form"]
    values = {name: "" if value is None else value for name, value in form.initial.items() if name in form.fields}
    wrong = client.post(url("sampling_plan", use_case.key), {**values, "quotas": "motor"})
    assert wrong.status_code == 422
    assert "is not a segment, a colon and a number" in wrong.content.decode()
    right = client.post(url("sampling_plan", use_case.key), {**values, "quotas": "motor: 5", "random_percent": "0"})
    assert right.status_code == 302
    plan = SamplingPlan.objects.get()
    assert (plan.segment_quotas, plan.random_percent, plan.enabled) == ({"motor": 5}, 0, True)
    assert "Nothing is drawn at random" in client.get(url("review_statistics", use_case.key)).content.decode()


def test_the_statistics_say_what_they_can_and_are_put_on_record() -> None:
    plan = SamplingPlanFactory.create(min_sample=3, most_disagreement=10)
    version = ModelVersionFactory.create(model=AiModelFactory.create(use_case=plan.use_case), label="7.1")
    person = PersonFactory.create()
    for answer in ("agree", "disagree"):
        output = OutputFactory.create(use_case=plan.use_case, version=version, segment="motor")
        done = {"state": "done", "answer": answer, "reviewer": person, "answered_at": timezone.now()}
        ReviewItemFactory.create(output=output, **done)
    lead = as_(person_with("technical_lead", plan.use_case))
    address = url("review_statistics", plan.use_case.key)
    page = lead.get(address).content.decode()
    for words in ("2 of 3 needed", "50.0", "9.5 to 90.5", "7.1", "motor"):
        assert words in page
    assert lead.post(url("review_record", plan.use_case.key, version.pk)).status_code == 302
    assert ValidationRun.objects.get().verdict == "inconclusive"
    SamplingPlan.objects.update(min_sample=2)
    assert "Above 10 %" in lead.get(address).content.decode()
    other = ModelVersionFactory.create()
    assert lead.post(url("review_record", plan.use_case.key, other.pk)).status_code == 404


def test_the_work_list_says_how_many_wait() -> None:
    use_case = UseCaseFactory.create()
    person = person_with("human_reviewer", use_case)
    owed(use_case)
    late = owed(use_case)
    owed(use_case, acted_by=person)
    ReviewItem.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(hours=1))
    (item,) = OutputsToReview().items(person)
    assert (item.title, item.detail, item.tone) == ("2 outputs to review", "1 overdue", "attention")
    assert list(OutputsToReview().items(PersonFactory.create())) == []
