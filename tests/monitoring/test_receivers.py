"""Receivers of requests for retraining: several a use case, each with its secret and what it gets."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from rest_framework.test import APIClient

from accounts.models import User
from kernel.errors import Conflict, Invalid, NotReady
from ledger import SYSTEM
from ledger.models import Event
from monitoring import services
from monitoring.models import RetrainingReceiver, RetrainingRequest
from monitoring.retraining import undelivered
from notify import webhooks
from notify.models import Notice, WebhookEndpoint, WebhookMessage
from portfolio.models import UseCase
from tests.factories.accounts import api_as, person_with
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db

URL = "https://training.example.com/hook"
API = "/api/v1/retraining-receivers/"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"monitoring:receiver{name}", args=args)


def system() -> tuple[UseCase, User]:
    use_case = UseCaseFactory.create(stage="production")
    return use_case, person_with("technical_lead", use_case)


def receiver(use_case: UseCase, name: str = "Training", **more: Any) -> RetrainingReceiver:
    given = {"url": URL, "kinds": ["retrain", "recalibrate", "roll_back"], **more}
    return services.add_receiver(use_case=use_case, name=name, by=SYSTEM, **given)[0]


def asked(use_case: UseCase, kind: str = "retrain") -> RetrainingRequest:
    return services.request_retraining(use_case=use_case, kind=kind, reason="Inputs shifted.", by=SYSTEM)


# -- What they get ---------------------------------------------------------------------------------------------------


def test_a_request_goes_to_every_receiver_of_its_kind_signed_with_the_secret_of_each(
    settings: Settings, httpserver: HTTPServer
) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
    use_case, lead = system()
    secrets: dict[str, str] = {}
    for name, kinds in (("training", ["retrain"]), ("release", ["roll_back"]), ("log", ["retrain", "roll_back"])):
        httpserver.expect_request(f"/{name}").respond_with_data("", status=202)
        _row, secrets[name] = services.add_receiver(
            use_case=use_case, name=name, url=httpserver.url_for(f"/{name}"), kinds=kinds, by=lead
        )
    receiver(use_case, "Off", enabled=False)
    asked(use_case)
    assert webhooks.send_due() == 2
    assert {request.path for request, _answer in httpserver.log} == {"/training", "/log"}
    for request, _answer in httpserver.log:
        name, message = request.path.strip("/"), WebhookMessage.objects.get(pk=request.headers["webhook-id"])
        at = message.tried_at
        assert at is not None
        signed = webhooks.signature(secrets[name], str(message.pk), at, request.get_data(as_text=True))
        stamp = int(request.headers["webhook-timestamp"])
        assert abs(stamp - int(at.timestamp())) <= 1
        if stamp == int(at.timestamp()):
            assert request.headers["webhook-signature"] == signed
    asked(use_case, "roll_back")
    webhooks.send_due()
    sent = [(request.path, json.loads(request.get_data(as_text=True))["type"]) for request, _a in httpserver.log[2:]]
    assert sorted(sent) == [("/log", "roll_back.requested"), ("/release", "roll_back.requested")]


def test_without_a_receiver_for_the_kind_a_request_waits_for_a_person() -> None:
    use_case, lead = system()
    receiver(use_case, kinds=["roll_back"])
    row = asked(use_case)
    assert not WebhookMessage.objects.exists()
    with pytest.raises(NotReady, match="gets this kind"):
        services.send_again(request=row, by=lead)


# -- Set up ----------------------------------------------------------------------------------------------------------


def test_a_secret_is_made_shown_once_kept_sealed_and_renewed() -> None:
    use_case, lead = system()
    row, made = services.add_receiver(use_case=use_case, name="Training", url=URL, kinds=["retrain"], by=lead)
    assert made.startswith("whsec_")
    assert made not in row.endpoint.secret
    before = row.endpoint.secret
    services.change_receiver(receiver=row, name="Training 2", url=f"{URL}/2", kinds=["retrain"], enabled=True, by=lead)
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.url, endpoint.secret) == (f"{URL}/2", before)
    renewed = services.renew_secret(receiver=row, by=lead)
    assert renewed not in {made, ""}
    for secret in (made, renewed):
        assert not Event.objects.filter(body__contains=secret).exists()
    told = Event.objects.get(action="retraining.receiver_changed").changes
    assert told["name"] == {"before": "Training", "after": "Training 2"}
    assert told["url"] == {"before": URL, "after": f"{URL}/2"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "ftp://x.example"}, "url"),
        ({"url": ""}, "url"),
        ({"secret": "guess"}, "secret"),
        ({"kinds": []}, "kinds"),
        ({"kinds": ["shrug"]}, "kinds"),
        ({"name": " "}, "name"),
        ({"name": "Taken"}, "name"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(wrong: dict[str, Any], field: str) -> None:
    use_case, lead = system()
    receiver(use_case, "Taken")
    given: dict[str, Any] = {"name": "New", "url": URL, "kinds": ["retrain"], **wrong}
    with pytest.raises(Invalid) as caught:
        services.add_receiver(use_case=use_case, by=lead, **given)
    assert list(caught.value.errors) == [field]
    assert RetrainingReceiver.objects.count() == 1


def test_a_removed_receiver_keeps_what_was_sent_loses_its_secret_and_frees_its_name() -> None:
    use_case, lead = system()
    row = receiver(use_case)
    asked(use_case)
    services.remove_receiver(receiver=row, by=lead)
    message = WebhookMessage.objects.select_related("endpoint").get()
    assert (message.state, message.endpoint.enabled, message.endpoint.secret) == ("failed", False, "")
    with pytest.raises(Conflict):
        services.remove_receiver(receiver=row, by=lead)
    with pytest.raises(Conflict):
        services.try_receiver(receiver=RetrainingReceiver.objects.get(), by=lead)
    receiver(use_case)
    assert RetrainingReceiver.objects.filter(name="Training").count() == 2


def test_a_delivery_that_failed_for_good_is_tried_again_under_the_same_id() -> None:
    use_case, lead = system()
    row, other = receiver(use_case), receiver(use_case, "Other")
    asked(use_case)
    message = WebhookMessage.objects.get(endpoint=row.endpoint)
    with pytest.raises(Conflict, match="failed for good"):
        services.retry_delivery(receiver=row, message=message, by=lead)
    WebhookMessage.objects.filter(pk=message.pk).update(state="failed", attempts=8, error="It answered 500.")
    with pytest.raises(Invalid):
        services.retry_delivery(receiver=other, message=message, by=lead)
    services.retry_delivery(receiver=row, message=message, by=lead)
    message.refresh_from_db()
    assert (message.state, message.attempts, message.error) == ("queued", 0, "")
    WebhookMessage.objects.filter(pk=message.pk).update(state="failed")
    WebhookEndpoint.objects.update(enabled=False)
    with pytest.raises(NotReady):
        services.retry_delivery(receiver=row, message=message, by=lead)


def test_whoever_runs_it_hears_which_receiver_did_not_take_it() -> None:
    use_case, lead = system()
    receiver(use_case, "Night pipeline")
    row = asked(use_case)
    undelivered(row.pk, WebhookMessage.objects.get().pk)
    notice = Notice.objects.get(kind="retraining.undelivered", recipient=lead)
    assert "Night pipeline did not take it" in notice.body


def test_only_who_configures_monitoring_changes_anything() -> None:
    use_case, _lead = system()
    row, owner = receiver(use_case), person_with("business_owner", use_case)
    asked(use_case)
    message = WebhookMessage.objects.get()
    given: dict[str, Any] = {"name": "X", "url": URL, "kinds": ["retrain"], "by": owner}
    for call in (
        lambda: services.add_receiver(use_case=use_case, **given),
        lambda: services.change_receiver(receiver=row, enabled=True, **given),
        lambda: services.renew_secret(receiver=row, by=owner),
        lambda: services.try_receiver(receiver=row, by=owner),
        lambda: services.remove_receiver(receiver=row, by=owner),
        lambda: services.retry_delivery(receiver=row, message=message, by=owner),
    ):
        with pytest.raises(PermissionDenied):
            call()


def test_the_one_receiver_of_earlier_versions_stays_with_its_secret_and_deliveries() -> None:
    use_case, _lead = system()
    endpoint = WebhookEndpoint.objects.create(name="UC retraining", url=URL, secret="sealed")

    class Setups:
        """The settings as they were: the column is gone."""

        objects = apps.get_model("monitoring", "RetrainingSetup").objects

        @classmethod
        def filter(cls, **_given: Any) -> Any:
            return cls

        @classmethod
        def values_list(cls, *_names: str) -> Any:
            return [(use_case.pk, endpoint.pk)]

    class Then:
        @staticmethod
        def get_model(app: str, name: str) -> Any:
            if name == "RetrainingSetup":
                return type("Model", (), {"objects": Setups})
            return apps.get_model(app, name)

    import_module("monitoring.migrations.0016_retraining_receivers").receivers_that_are_there(Then, None)
    row = RetrainingReceiver.objects.get()
    assert (row.use_case, row.endpoint, row.name, len(row.kinds)) == (use_case, endpoint, "Receiver", 3)
    asked(use_case)
    assert WebhookMessage.objects.get().endpoint == endpoint


# -- Pages -----------------------------------------------------------------------------------------------------------


def test_a_receiver_is_added_tried_changed_and_removed_in_the_browser(
    settings: Settings, httpserver: HTTPServer
) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
    httpserver.expect_request("/hook").respond_with_data("", status=200)
    use_case, lead = system()
    client, setup = as_(lead), reverse("monitoring:retraining_setup", args=[use_case.key])
    assert "No receiver yet" in client.get(setup).content.decode()
    given = {"name": "Training", "url": httpserver.url_for("/hook"), "kinds": ["retrain"], "enabled": "on"}
    assert client.post(url("_add", use_case.key), given | {"kinds": []}).status_code == 422
    added = client.post(url("_add", use_case.key), given).content.decode()
    assert "whsec_" in added
    row = RetrainingReceiver.objects.get()
    page = url("", row.pk)
    assert "shown this once" not in client.get(page).content.decode()
    assert page in client.get(setup).content.decode()
    assert "it answered 200" in client.post(url("_test", row.pk)).content.decode()
    httpserver.clear()
    httpserver.expect_request("/hook").respond_with_data("", status=500)
    assert "It answered 500." in client.post(url("_test", row.pk)).content.decode()
    assert "shown this once" in client.post(url("_secret", row.pk)).content.decode()
    asked(use_case)
    WebhookMessage.objects.update(state="failed", error="It answered 500.")
    message = WebhookMessage.objects.get()
    assert url("_retry", row.pk, message.pk) in client.get(page).content.decode()
    assert client.post(url("_retry", row.pk, message.pk)).status_code == 302
    assert WebhookMessage.objects.get().state == "queued"
    assert client.get(url("_edit", row.pk)).status_code == 200
    assert client.post(url("_edit", row.pk), given | {"name": "Night"}).status_code == 302
    request = RetrainingRequest.objects.get()
    assert "Night" in client.get(reverse("monitoring:retraining_request", args=[request.pk])).content.decode()
    assert client.post(url("_remove", row.pk)).status_code == 302
    assert "No receiver yet" in client.get(setup).content.decode()
    assert "It was removed" in client.get(page).content.decode()


def test_who_sees_reads_and_strangers_find_nothing() -> None:
    use_case, _lead = system()
    row = receiver(use_case)
    owner = as_(person_with("business_owner", use_case))
    stranger = as_(person_with("technical_lead", UseCaseFactory.create()))
    assert "Send a test message" not in owner.get(url("", row.pk)).content.decode()
    for name in ("_test", "_secret", "_remove", "_edit"):
        address = url(name, row.pk)
        assert owner.post(address).status_code == 403, name
        assert stranger.post(address).status_code == 404, name
        assert Client().post(address).status_code == 302
    assert owner.get(url("_add", use_case.key)).status_code == 403
    assert stranger.get(url("_add", use_case.key)).status_code == 404
    assert stranger.get(url("", row.pk)).status_code == 404


def test_pages_ask_as_many_questions_for_one_as_for_five() -> None:
    use_case, lead = system()
    client, machine = as_(lead), api_as(lead)
    first = receiver(use_case)
    row = services.request_retraining(use_case=use_case, kind="retrain", reason="Inputs shifted.", by=lead)
    addresses = (
        reverse("monitoring:retraining_setup", args=[use_case.key]),
        url("", first.pk),
        reverse("monitoring:retraining_request", args=[row.pk]),
    )
    counts: list[list[int]] = []
    for turn in range(2):
        counts.append([])
        for address in (*addresses, API):
            reader: Client = machine if address == API else client
            reader.get(address)
            with CaptureQueriesContext(connection) as captured:
                assert reader.get(address).status_code == 200
            counts[-1].append(len(captured))
        for n in range(4):
            receiver(use_case, f"More {turn} {n}")
        services.send_again(request=row, by=lead)
    assert counts[0] == counts[1]


# -- REST ------------------------------------------------------------------------------------------------------------


def test_everything_is_done_over_rest_too(settings: Settings, httpserver: HTTPServer) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
    httpserver.expect_request("/hook").respond_with_data("", status=202)
    use_case, lead = system()
    client, owner = api_as(lead), api_as(person_with("business_owner", use_case))
    body = {"use_case": use_case.key, "name": "Training", "url": httpserver.url_for("/hook"), "kinds": ["retrain"]}
    assert owner.post(API, body, format="json").status_code in {403, 404}
    assert client.post(API, body | {"kinds": ["shrug"]}, format="json").status_code == 422
    made = client.post(API, body, format="json")
    assert (made.status_code, made.json()["secret"][:6]) == (201, "whsec_"), made.content
    one = f"{API}{made.json()['id']}/"
    assert "secret" not in owner.get(one).json()
    assert [row["name"] for row in owner.get(API, {"use_case": use_case.key}).json()["results"]] == ["Training"]
    assert client.post(f"{one}test/").json() == {"ok": True, "status_code": 202, "error": ""}
    assert owner.post(f"{one}test/").status_code == 403
    changes = {"name": "Night", "url": body["url"], "kinds": ["retrain"], "enabled": False}
    changed = client.put(one, changes, format="json").json()
    assert (changed["name"], changed["enabled"]) == ("Night", False)
    assert owner.delete(one).status_code == 403
    assert api_as(person_with("technical_lead", UseCaseFactory.create())).get(one).status_code == 404
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404
    assert APIClient().get(API).status_code == 401
