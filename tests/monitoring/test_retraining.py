"""Retraining and rollback: asked for by a decision, a rule, the calendar or a person; answered, kept, watched."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from pytest_httpserver import HTTPServer

from accounts.models import User
from governance.models import Evidence, ModelVersion
from kernel.errors import Conflict, Invalid, NotReady
from ledger.models import Event
from monitoring import services, tasks
from monitoring.models import RetrainingRequest, RetrainingSetup
from monitoring.retraining import ask_automatically, chase_late, service_levels, times_for, undelivered
from monitoring.worklist.retraining import RetrainingOwed
from notify import webhooks
from notify.models import Notice, WebhookEndpoint, WebhookMessage
from portfolio.models import OperatingPlan, UseCase
from tests.factories.accounts import ServiceAccountFactory, give, person_with
from tests.factories.governance import AiModelFactory, ModelVersionFactory
from tests.factories.monitoring import AlertFactory, SeriesFactory
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db
URL = "https://training.example.com/hook"


def system(**fields: Any) -> tuple[UseCase, User]:
    """A use case in production with a model in use, and its technical lead."""
    use_case = UseCaseFactory.create(stage="production", **fields)
    UseCase.objects.filter(pk=use_case.pk).update(tier="limited")
    use_case.refresh_from_db()
    ModelVersionFactory.create(model=AiModelFactory.create(use_case=use_case), label="1.0", state="live", number=1)
    return use_case, person_with("technical_lead", use_case)


def asked(kind: str = "retrain", url: str = "") -> tuple[RetrainingRequest, User]:
    use_case, lead = system()
    if url:
        services.add_receiver(use_case=use_case, name="Training", url=url, kinds=[kind], by=lead)
    return services.request_retraining(use_case=use_case, kind=kind, reason="Inputs shifted.", by=lead), lead


def machine_on(use_case: UseCase) -> User:
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    return machine


# -- Set up ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"on_breach_of": ["f1"]}, "on_breach_of"),
        ({"accept_hours": 0}, "accept_hours"),
        ({"finish_hours": 10_000}, "finish_hours"),
        ({"accept_hours": 20, "finish_hours": 10}, "accept_hours"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said_at_its_field(given: dict[str, Any], field: str) -> None:
    use_case, lead = system()
    with pytest.raises(Invalid) as caught:
        services.set_up_retraining(use_case=use_case, by=lead, **given)
    assert field in caught.value.errors
    assert not RetrainingSetup.objects.exists()


def test_only_who_configures_monitoring_sets_it_up_and_asks() -> None:
    use_case, _lead = system()
    owner = person_with("business_owner", use_case)
    with pytest.raises(PermissionDenied):
        services.set_up_retraining(use_case=use_case, by=owner)
    with pytest.raises(PermissionDenied):
        services.request_retraining(use_case=use_case, kind="retrain", reason="x", by=owner)


# -- Asked for -------------------------------------------------------------------------------------------------------


def test_a_request_has_the_times_of_its_tier_and_goes_out_signed(
    settings: Settings, httpserver: HTTPServer, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
    httpserver.expect_request("/hook").respond_with_data("", status=202)
    row, lead = asked("roll_back", url=httpserver.url_for("/hook"))
    levels = service_levels()["roll_back"]
    assert row.accept_by - row.requested_at == timedelta(minutes=levels["accept"]["limited"])
    assert row.due_at - row.requested_at == timedelta(minutes=levels["finish"]["limited"])
    webhooks.send_due()
    sent = json.loads(httpserver.log[0][0].get_data(as_text=True))
    assert sent["type"] == "roll_back.requested"
    assert (sent["data"]["label"], sent["data"]["version"]["label"]) == (str(row), "1.0")
    assert sent["data"]["answer_url"].endswith(f"/api/v1/retraining-requests/{row.pk}/answer/")
    assert Notice.objects.filter(kind="retraining.requested", recipient=lead).exists()
    assert WebhookMessage.objects.get().subject == row.webhook_subject


def test_of_one_kind_there_is_one_open_request() -> None:
    row, lead = asked()
    with pytest.raises(Conflict):
        services.request_retraining(use_case=row.use_case, kind="retrain", reason="Again.", by=lead)
    services.request_retraining(use_case=row.use_case, kind="roll_back", reason="At once.", by=lead)
    with pytest.raises(IntegrityError), transaction.atomic():
        RetrainingRequest.objects.filter(kind="roll_back").update(kind="retrain")


def test_own_hours_replace_those_of_the_tier_for_retraining_alone() -> None:
    now = timezone.now()
    setup = RetrainingSetup(accept_hours=2, finish_hours=5)
    assert times_for("retrain", "high", setup, now) == (now + timedelta(hours=2), now + timedelta(hours=5))
    assert times_for("roll_back", "high", setup, now)[1] == now + timedelta(minutes=60)
    assert times_for("retrain", "", None, now) == times_for("retrain", "high", None, now)


def test_a_breach_of_a_named_metric_asks_by_itself_once() -> None:
    use_case, lead = system()
    series = SeriesFactory.create(use_case=use_case, metric="psi")
    services.set_up_retraining(use_case=use_case, by=lead, on_breach_of=["psi"])
    AlertFactory.create(rule__series=SeriesFactory.create(use_case=use_case, metric="f1"), level="act")
    AlertFactory.create(rule__series=series, level="warn")
    assert ask_automatically() == 0
    alert = AlertFactory.create(rule__series=series, level="act")
    assert tasks.watch_retraining() == 1
    assert tasks.watch_retraining() == 0
    row = RetrainingRequest.objects.get()
    assert (row.origin, row.alert, row.requested_by) == ("rule", alert, None)


def test_the_day_of_the_plan_asks_once_and_a_retraining_moves_it_on() -> None:
    use_case, lead = system()
    today = timezone.localdate()
    plan, _new = OperatingPlan.objects.update_or_create(
        use_case=use_case, defaults={"retrain_cadence_days": 90, "retrain_next_date": today + timedelta(days=1)}
    )
    services.set_up_retraining(use_case=use_case, by=lead, on_due_day=True)
    assert ask_automatically() == 0
    OperatingPlan.objects.update(retrain_next_date=today)
    assert ask_automatically() == 1
    assert ask_automatically() == 0
    row = RetrainingRequest.objects.get()
    assert row.origin == "schedule"
    services.answer_request(request=row, state_now="done", version="1.1", by=lead)
    plan.refresh_from_db()
    assert plan.retrain_next_date == today + timedelta(days=90)
    assert ask_automatically() == 0


# -- Answered --------------------------------------------------------------------------------------------------------


def test_a_machine_accepts_reports_and_is_done_with_a_new_version_as_evidence() -> None:
    row, _lead = asked()
    machine = machine_on(row.use_case)
    services.answer_request(request=row, state_now="accepted", by=machine)
    services.answer_request(request=row, state_now="in_progress", message="Epoch 3 of 10", by=machine)
    services.answer_request(request=row, state_now="in_progress", message="Epoch 9 of 10", by=machine)
    done = services.answer_request(
        request=row,
        state_now="done",
        version="1.1",
        message="Better on May.",
        reference="https://runs.example.com/77",
        metrics={"f1": "0.91"},
        by=machine,
    )
    version = ModelVersion.objects.get(label="1.1")
    assert (version.state, version.author, version.metrics) == ("candidate", machine, {"f1": "0.91"})
    evidence = Evidence.objects.get()
    assert (done.new_version, done.evidence) == (version, evidence)
    assert (evidence.kind, evidence.version, evidence.added_by, evidence.url) == (
        "run",
        version,
        machine,
        "https://runs.example.com/77",
    )
    assert len(evidence.sha256) == 64
    told = [event.action for event in Event.objects.filter(action__startswith="retraining.").order_by("index")]
    assert told == [
        "retraining.requested",
        "retraining.accepted",
        "retraining.in_progress",
        "retraining.in_progress",
        "retraining.done",
    ]
    with pytest.raises(Conflict):
        services.answer_request(request=row, state_now="failed", message="No.", by=machine)


def test_a_new_version_is_a_significant_change_unless_the_answer_says_it_is_not() -> None:
    row, lead = asked()
    bundle = {"code": "git:1", "data": "sha256:2", "environment": "sha256:3"}
    services.answer_request(request=row, state_now="done", version="1.1", bundle=bundle, by=lead)
    assert ModelVersion.objects.get(label="1.1").significant
    assert ModelVersion.objects.get(label="1.1").bundle == bundle
    again = services.request_retraining(use_case=row.use_case, kind="retrain", reason="Again.", by=lead)
    services.answer_request(request=again, state_now="done", version="1.2", significant=False, by=lead)
    assert not ModelVersion.objects.get(label="1.2").significant


def test_a_rollback_names_a_version_that_is_there() -> None:
    row, lead = asked("roll_back")
    with pytest.raises(Invalid) as caught:
        services.answer_request(request=row, state_now="done", version="0.9", by=lead)
    assert "version" in caught.value.errors
    model = ModelVersion.objects.get().model
    ModelVersionFactory.create(model=model, label="0.9", state="retired", number=2)
    done = services.answer_request(request=row, state_now="done", version="0.9", by=lead)
    assert done.new_version is not None
    assert ModelVersion.objects.filter(label="0.9").count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"state_now": "overdue"}, "state"),
        ({"state_now": "failed"}, "message"),
        ({"state_now": "refused", "message": " "}, "message"),
        ({"state_now": "done"}, "version"),
        ({"state_now": "accepted", "reference": "javascript:alert(1)"}, "reference"),
        ({"state_now": "accepted", "message": "x" * 4001}, "message"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said_at_its_field(given: dict[str, Any], field: str) -> None:
    row, lead = asked()
    with pytest.raises(Invalid) as caught:
        services.answer_request(request=row, by=lead, **given)
    assert field in caught.value.errors
    row.refresh_from_db()
    assert row.state == "requested"


def test_strangers_and_owners_do_not_answer() -> None:
    row, _lead = asked()
    for who in (person_with("business_owner", row.use_case), machine_on(UseCaseFactory.create())):
        with pytest.raises(PermissionDenied):
            services.answer_request(request=row, state_now="accepted", by=who)


def test_a_failed_answer_is_told_and_kept() -> None:
    row, lead = asked()
    owner = person_with("business_owner", row.use_case)
    services.answer_request(request=row, state_now="failed", message="Out of memory.", by=machine_on(row.use_case))
    assert Notice.objects.filter(kind="retraining.failed", recipient__in=[owner, lead]).count() == 2
    assert Evidence.objects.get().statement == "Out of memory."


# -- Watched ---------------------------------------------------------------------------------------------------------


def test_late_requests_are_told_once_and_go_up_at_twice_the_time() -> None:
    row, lead = asked()
    sponsor = person_with("business_sponsor", row.use_case)
    assert chase_late() == 0
    assert chase_late(at=row.accept_by) == 1
    assert chase_late(at=row.accept_by) == 0
    assert Notice.objects.filter(kind="retraining.late", recipient=lead).count() == 1
    twice = row.due_at + (row.due_at - row.requested_at)
    assert chase_late(at=twice) == 1
    assert chase_late(at=twice) == 0
    assert Notice.objects.filter(kind="retraining.escalated", recipient=sponsor).count() == 1


def test_the_work_list_holds_what_reached_nobody_and_what_is_late() -> None:
    row, lead = asked()
    (item,) = RetrainingOwed().items(lead)
    assert "reached nobody" in item.title
    services.answer_request(request=row, state_now="accepted", by=lead)
    assert list(RetrainingOwed().items(lead)) == []
    RetrainingRequest.objects.update(due_at=timezone.now())
    (item,) = RetrainingOwed().items(lead)
    assert (item.tone, "is late" in item.title) == ("blocked", True)


def test_what_is_never_delivered_is_told_and_may_be_sent_again() -> None:
    row, lead = asked(url=URL)
    undelivered(row.pk)
    assert Notice.objects.filter(kind="retraining.undelivered", recipient=lead).exists()
    services.send_again(request=row, by=lead)
    assert WebhookMessage.objects.count() == 2
    WebhookEndpoint.objects.update(enabled=False)
    with pytest.raises(NotReady):
        services.send_again(request=row, by=lead)
    services.answer_request(request=row, state_now="refused", message="No data.", by=lead)
    with pytest.raises(Conflict):
        services.send_again(request=row, by=lead)
