"""Outputs that systems hand over: read, stored once, sampled, forgotten in time; over REST by whoever may send."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from kernel.errors import Invalid
from ledger import SYSTEM
from ledger.models import Event
from monitoring import output_retention, sampling
from monitoring.models import Output, ReviewItem, SamplingPlan
from monitoring.services import push_outputs, set_sampling_plan
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with
from tests.factories.governance import AiModelFactory, ModelVersionFactory
from tests.factories.monitoring import OutputFactory, ReviewItemFactory, SamplingPlanFactory, moment
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db
BATCH = "/api/v1/outputs:batch"
NDJSON = "application/x-ndjson"


def output(key: str, number: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "use_case": key,
        "external_id": f"req-{number}",
        "at": moment().isoformat(),
        "summary": "Claim is routed to fast settlement",
        **more,
    }


def after(event: Event) -> dict[str, Any]:
    """What the event says came out: field -> value."""
    return {name: change["after"] for name, change in json.loads(event.body)["changes"].items()}


def machine_on(use_case: UseCase, **more: Any) -> APIClient:
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    return api_as(machine, **more)


def send(client: APIClient, rows: Any, kind: str = "application/json", **headers: str) -> Any:
    content = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    return client.post(BATCH, content, content_type=kind, **headers)  # type: ignore[arg-type]  # headers of the test client


# -- Taking in -------------------------------------------------------------------------------------------------------


def test_a_batch_is_stored_once_however_often_it_is_sent() -> None:
    plan = SamplingPlanFactory.create()
    client = machine_on(plan.use_case)
    rows = [output(plan.use_case.key, n) for n in range(3)]
    first, second = send(client, rows), send(client, rows)
    assert first.json() == {"received": 3, "stored": 3, "unchanged": 0, "sampled": 3}
    assert second.json() == {"received": 3, "stored": 0, "unchanged": 3, "sampled": 0}
    assert Output.objects.count() == ReviewItem.objects.count() == 3
    event = Event.objects.get(action="outputs.received")
    assert (after(event)["stored"], after(event)["sampled"]) == (3, 3)


def test_ndjson_and_gzip_are_taken_and_what_is_shared_is_said_once() -> None:
    use_case = UseCaseFactory.create()
    client = machine_on(use_case)
    lines = "\n".join(json.dumps(output(use_case.key, n)) for n in range(2))
    answer = send(client, gzip.compress(lines.encode()), NDJSON, HTTP_CONTENT_ENCODING="gzip")
    assert answer.json()["stored"] == 2, answer.content
    bare = {name: value for name, value in output("", 9).items() if name != "use_case"}
    assert send(client, {"use_case": use_case.key, "outputs": [bare]}).json()["stored"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 201}, "external_id"),
        ({"external_id": 7}, "external_id"),
        ({"summary": None}, "summary"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-01-01T10:00:00"}, "at"),
        ({"at": moment(-1440).isoformat()}, "at"),
        ({"at": "1999-12-31T23:59:59Z"}, "at"),
        ({"confidence": 1.2}, "confidence"),
        ({"confidence": "0.5"}, "confidence"),
        ({"confidence": True}, "confidence"),
        ({"payload_url": "javascript:alert(1)"}, "payload_url"),
        ({"payload_url": "https://me:secret@example.com/1"}, "payload_url"),
        ({"payload": "text"}, "payload"),
        ({"payload": {"a": 1}}, "payload"),
        ({"payload": {"a": "x" * 10_001}}, "payload.a"),
        ({"payload": {"name": "Ada"}, "redacted": ["name"]}, "payload.name"),
        ({"redacted": "name"}, "redacted"),
        ({"version": "9.9"}, "version"),
        ({"use_case": "nowhere"}, "use_case"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_one_bad_output_refuses_the_batch_and_its_line_is_named(change: dict[str, Any], field: str) -> None:
    use_case = UseCaseFactory.create()
    rows = [output(use_case.key, n) for n in range(5)]
    rows[3] |= change
    answer = send(machine_on(use_case), "\n".join(map(json.dumps, rows)).encode(), NDJSON)
    assert answer.status_code == 422, answer.content
    assert list(answer.json()["errors"]) == [f"line 4.{field}"]
    assert "Nothing of the batch was stored" in answer.json()["detail"]
    assert not Output.objects.exists()


def test_bodies_that_are_no_batch_are_refused() -> None:
    use_case = UseCaseFactory.create()
    client = machine_on(use_case)
    assert list(send(client, b'{"a": 1}\n{broken', NDJSON).json()["errors"]) == ["line 2"]
    for content in (b"", b"[]", b"{}", b"nope", b'{"outputs": [], "colour": 1}', b"[1]"):
        assert send(client, content).status_code == 422, content
    assert send(client, [output(use_case.key, n) for n in range(10_001)]).status_code == 413
    assert send(client, b"[]", "text/plain").status_code == 422
    assert send(client, b" " * (10 * 1024 * 1024 + 1)).status_code == 413


def test_an_identifier_cannot_be_sent_again_with_another_content() -> None:
    use_case = UseCaseFactory.create()
    client = machine_on(use_case)
    row = output(use_case.key)
    assert send(client, [row]).status_code == 200
    answer = send(client, [output(use_case.key, 1), {**row, "summary": "Something else"}])
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["outputs[1].external_id"]
    twice = send(client, [output(use_case.key, 2), output(use_case.key, 2, summary="Something else")])
    assert list(twice.json()["errors"]) == ["outputs[1].external_id"]
    assert Output.objects.count() == 1


def test_who_may_not_send_sends_nothing() -> None:
    use_case = UseCaseFactory.create()
    rows = [output(use_case.key)]
    assert send(APIClient(), rows).status_code == 401
    assert send(api_as(PersonFactory.create()), rows).status_code == 422
    assert send(api_as(person_with("auditor", use_case)), rows).status_code == 403
    assert send(machine_on(use_case, scopes=["validation.record"]), rows).status_code == 422
    assert not Output.objects.exists()
    with pytest.raises(PermissionDenied):
        push_outputs(batch=rows, by=person_with("technical_lead", use_case))


def test_a_large_batch_asks_a_few_more_questions_not_one_an_output() -> None:
    plan = SamplingPlanFactory.create(most_per_day=10_000)
    client = machine_on(plan.use_case)

    def queries(first: int, count: int) -> int:
        rows = [output(plan.use_case.key, first + n) for n in range(count)]
        with CaptureQueriesContext(connection) as captured:
            assert send(client, rows).status_code == 200
        return len(captured)

    queries(0, 2)
    few = queries(10, 2)
    assert queries(100, 300) <= few + 300 / 25  # SQLite takes an insert in parts


# -- Sampling --------------------------------------------------------------------------------------------------------


def push(plan: SamplingPlan, rows: list[dict[str, Any]]) -> None:
    push_outputs(batch=rows, by=SYSTEM)


def drawn(plan: SamplingPlan) -> dict[str, str]:
    rows = ReviewItem.objects.filter(output__use_case=plan.use_case, slot=1)
    return dict(rows.values_list("output__external_id", "why"))


def test_the_random_share_is_about_the_share_and_always_the_same() -> None:
    plan = SamplingPlanFactory.create(random_percent=20, most_per_day=1000)
    push(plan, [output(plan.use_case.key, n) for n in range(1000)])
    first = drawn(plan)
    assert 150 < len(first) < 250
    Output.objects.all().delete()
    push(plan, [output(plan.use_case.key, n, summary="Another day") for n in reversed(range(1000))])
    assert drawn(plan) == first
    other = SamplingPlanFactory.create(random_percent=20, most_per_day=1000, seed="other")
    push(other, [output(other.use_case.key, n) for n in range(1000)])
    assert drawn(other) != first


def test_low_confidence_and_quotas_are_drawn_beside_it_until_the_day_is_full() -> None:
    plan = SamplingPlanFactory.create(
        random_percent=0, below_confidence=0.6, segment_quotas={"motor": 2}, most_per_day=4
    )
    key = plan.use_case.key
    sure = [output(key, n, confidence=0.9, segment="motor") for n in range(5)]
    unsure = [output(key, 10 + n, confidence=0.1 * (n + 1), segment="home") for n in range(3)]
    push(plan, [*sure, *unsure, output(key, 20, confidence=0.6), output(key, 21, segment="home")])
    found = drawn(plan)
    assert sorted(found.values()) == ["confidence", "confidence", "confidence", "segment"]
    assert {name for name, why in found.items() if why == "confidence"} == {"req-10", "req-11", "req-12"}
    push(plan, [output(key, 30, confidence=0.1)])
    assert "req-30" not in drawn(plan)


def test_a_quota_counts_what_was_drawn_earlier_in_the_day() -> None:
    plan = SamplingPlanFactory.create(random_percent=0, segment_quotas={"motor": 3})
    for n in range(5):
        push(plan, [output(plan.use_case.key, n, segment="motor")])
    assert len(drawn(plan)) == 3


def test_a_share_of_the_sample_is_reviewed_by_two() -> None:
    plan = SamplingPlanFactory.create(double_percent=30, most_per_day=1000)
    push(plan, [output(plan.use_case.key, n) for n in range(300)])
    assert 60 < ReviewItem.objects.filter(slot=2).count() < 120


def test_a_lot_is_a_number_from_0_to_1_that_hangs_on_seed_and_purpose() -> None:
    lots = [sampling.lot("s", "random", str(n)) for n in range(500)]
    assert all(0 <= each < 1 for each in lots)
    assert 0.4 < sum(lots) / 500 < 0.6
    assert sampling.lot("s", "random", "1") == lots[1] != sampling.lot("s", "twice", "1")


def test_without_a_plan_or_with_one_that_is_off_nothing_is_drawn_and_no_payload_kept() -> None:
    use_case = UseCaseFactory.create()
    push_outputs(batch=[output(use_case.key, payload={"claim": "text"}, redacted=["name"])], by=SYSTEM)
    row = Output.objects.get()
    assert (row.sampled, row.payload, row.redacted) == (False, {}, ["name"])
    assert row.payload_deleted_at is not None
    plan = SamplingPlanFactory.create(enabled=False)
    push(plan, [output(plan.use_case.key)])
    assert not ReviewItem.objects.exists()


def test_the_person_who_acted_is_found_by_their_address() -> None:
    plan = SamplingPlanFactory.create()
    handler = PersonFactory.create(email="handler@example.org")
    push(
        plan,
        [output(plan.use_case.key, 1, acted_by="Handler@example.org"), output(plan.use_case.key, 2, acted_by="Bo")],
    )
    first, second = Output.objects.order_by("external_id")
    assert (first.acted_by, second.acted_by, second.actor) == (handler, None, "Bo")


def test_versions_are_named_by_their_label() -> None:
    version = ModelVersionFactory.create(model=AiModelFactory.create(), label="1.4")
    push_outputs(batch=[output(version.model.use_case.key, version="1.4")], by=SYSTEM)
    assert Output.objects.get().version == version


# -- The plan --------------------------------------------------------------------------------------------------------


def test_the_plan_is_set_by_whoever_configures_oversight() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(PermissionDenied):
        set_sampling_plan(use_case=use_case, plan={"random_percent": 5.0}, by=person_with("human_reviewer", use_case))
    lead = person_with("technical_lead", use_case)
    plan = set_sampling_plan(
        use_case=use_case, plan={"random_percent": 7.5, "segment_quotas": {"b": 1, "a": 2}}, by=lead
    )
    assert (plan.random_percent, plan.updated_by, bool(plan.seed)) == (7.5, lead, True)
    again = set_sampling_plan(use_case=use_case, plan={"random_percent": 8.0}, by=lead)
    assert (again.seed, again.segment_quotas) == (plan.seed, {"a": 2, "b": 1})
    assert Event.objects.filter(action="sampling.set").count() == 2


@pytest.mark.parametrize(
    "plan",
    [
        {"random_percent": 101.0},
        {"random_percent": float("nan")},
        {"below_confidence": 2.0},
        {"min_sample": 0},
        {"keep_days": 0},
        {"segment_quotas": {"a": -1}},
        {"segment_quotas": ["a"]},
        {"colour": "red"},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(plan: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        set_sampling_plan(use_case=UseCaseFactory.create(), plan=plan, by=SYSTEM)


def test_the_plan_over_rest() -> None:
    use_case = UseCaseFactory.create()
    lead = api_as(person_with("technical_lead", use_case))
    address = f"/api/v1/sampling-plans/{use_case.key}/"
    assert lead.get(address).status_code == 404
    answer = lead.patch(address, {"random_percent": 12, "segment_quotas": {"motor": 3}}, format="json")
    assert answer.status_code == 200, answer.content
    assert lead.get(address).json()["random_percent"] == 12
    assert lead.patch(address, {"random_percent": 120}, format="json").status_code in {400, 422}
    assert (
        api_as(person_with("auditor", use_case)).patch(address, {"random_percent": 1}, format="json").status_code == 403
    )
    assert api_as(PersonFactory.create()).get(address).status_code == 404
    assert APIClient().get(address).status_code == 401
    assert len(lead.get("/api/v1/sampling-plans/").json()["results"]) == 1


# -- Reading and forgetting ------------------------------------------------------------------------------------------


def test_what_an_output_held_is_read_by_reviewers_and_readers_of_logs_alone() -> None:
    item = ReviewItemFactory.create()
    use_case, address = item.output.use_case, f"/api/v1/outputs/{item.output.pk}/"
    for role in ("human_reviewer", "domain_expert", "auditor"):
        assert api_as(person_with(role, use_case)).get(address).json()["held"]["payload"] == {
            "claim": "Rear bumper, parked car"
        }
    sponsor = api_as(person_with("business_sponsor", use_case)).get(address).json()
    assert (sponsor["held"], sponsor["output"]["summary"]) == (None, item.output.summary)
    assert api_as(PersonFactory.create()).get(address).status_code == 404
    assert APIClient().get(address).status_code == 401


def test_the_list_of_outputs_filters_and_asks_a_constant_number_of_questions() -> None:
    use_case = UseCaseFactory.create()
    client = api_as(person_with("auditor", use_case))
    OutputFactory.create(use_case=use_case, segment="motor")
    OutputFactory.create()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/api/v1/outputs/").status_code == 200
        return len(captured)

    assert len(client.get("/api/v1/outputs/", {"segment": "motor"}).json()["results"]) == 1
    few = queries()
    OutputFactory.create_batch(5, use_case=use_case)
    assert queries() == few


def test_payloads_are_deleted_on_their_date_and_reviews_that_nobody_gave_are_over() -> None:
    now = timezone.now()
    old = ReviewItemFactory.create(output=OutputFactory.create(payload_until=now - timedelta(minutes=1)))
    new = ReviewItemFactory.create(output=OutputFactory.create(payload_until=now + timedelta(days=1)))
    assert output_retention.forget_payloads(now) == 1
    for item in (old, new):
        item.refresh_from_db()
        item.output.refresh_from_db()
    assert (old.output.payload, old.output.payload_deleted_at, old.state) == ({}, now, "expired")
    assert (bool(new.output.payload), new.state) == (True, "waiting")
    assert after(Event.objects.get(action="outputs.payloads_deleted")) == {"payloads": 1, "expired": 1}
    assert output_retention.forget_payloads(now) == 0
