"""Signed messages to other systems: signed as the standard says, tried again, given up, never turned inwards."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from kernel.errors import Invalid
from notify import webhooks
from notify.delivery import ATTEMPTS
from notify.models import WebhookEndpoint, WebhookMessage
from notify.services import send_webhook

pytestmark = pytest.mark.django_db
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def endpoint(url: str = "https://receiver.example.com/hook") -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(name="Receiver", url=url, secret=webhooks.seal(SECRET))


def message(to: WebhookEndpoint, **data: Any) -> WebhookMessage:
    with transaction.atomic():
        return send_webhook(endpoint=to, kind="retrain.requested", subject="retraining:1", data=data or {"a": 1})


@pytest.fixture
def receiver(httpserver: HTTPServer, settings: Settings) -> HTTPServer:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
    return httpserver


def test_the_signature_is_that_of_the_standards_example() -> None:
    """The test vector of the Standard Webhooks libraries."""
    at = datetime.fromtimestamp(1614265330, tz=UTC)
    signed = webhooks.signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_arrives_with_its_id_time_and_a_signature_that_holds(receiver: HTTPServer) -> None:
    receiver.expect_request("/hook", method="POST").respond_with_data("", status=204)
    row = message(endpoint(receiver.url_for("/hook")), reason="Drift")
    assert webhooks.send_due() == 1
    (sent, _answer) = receiver.log[0]
    body = sent.get_data(as_text=True)
    assert sent.headers["webhook-id"] == str(row.pk)
    signed = f"{row.pk}.{sent.headers['webhook-timestamp']}.{body}".encode()
    raw = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(raw, signed, hashlib.sha256).digest()).decode()
    assert sent.headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(body)["data"] == {"reason": "Drift"}
    row.refresh_from_db()
    assert (row.state, row.status_code, row.attempts) == ("sent", 204, 1)
    assert webhooks.send_due() == 0


def test_what_fails_is_tried_again_later_under_the_same_id(receiver: HTTPServer) -> None:
    ids: list[str] = []

    def answer(request: Request) -> Response:
        ids.append(request.headers["webhook-id"])
        return Response("", status=500 if len(ids) == 1 else 200)

    receiver.expect_request("/hook").respond_with_handler(answer)
    row = message(endpoint(receiver.url_for("/hook")))
    assert webhooks.send_due() == 0
    row.refresh_from_db()
    assert (row.state, row.status_code, row.attempts) == ("queued", 500, 1)
    assert row.due_at > timezone.now()
    assert webhooks.send_due() == 0
    WebhookMessage.objects.update(due_at=timezone.now())
    assert webhooks.send_due() == 1
    assert ids == [str(row.pk)] * 2


def test_after_the_last_attempt_it_is_given_up_and_told(receiver: HTTPServer) -> None:
    receiver.expect_request("/hook").respond_with_data("no", status=503)
    told: list[dict[str, Any]] = []

    def listen(sender: object, **said: Any) -> None:
        told.append(said)

    webhooks.webhook_settled.connect(listen)
    row = message(endpoint(receiver.url_for("/hook")))
    WebhookMessage.objects.update(attempts=ATTEMPTS - 1)
    webhooks.send_due()
    webhooks.webhook_settled.disconnect(listen)
    row.refresh_from_db()
    assert (row.state, row.error) == ("failed", "It answered 503.")
    assert [(said["subject"], said["state"]) for said in told] == [("retraining:1", "failed")]


def test_a_worker_that_died_every_time_ends_the_message_too() -> None:
    row = message(endpoint())
    WebhookMessage.objects.update(attempts=ATTEMPTS, due_at=timezone.now() - timedelta(minutes=1))
    webhooks.send_due()
    row.refresh_from_db()
    assert row.state == "failed"


def test_410_switches_the_endpoint_off(receiver: HTTPServer) -> None:
    receiver.expect_request("/hook").respond_with_data("", status=410)
    to = endpoint(receiver.url_for("/hook"))
    first, second = message(to), message(to)
    webhooks.send_due()
    to.refresh_from_db()
    assert not to.enabled
    assert to.disabled_because
    states = set(WebhookMessage.objects.filter(pk__in=[first.pk, second.pk]).values_list("state", flat=True))
    assert "failed" in states
    assert webhooks.send_due() == 0


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/hook", "http://169.254.169.254/latest", "http://[::1]/x"])
def test_addresses_of_the_own_network_are_refused(url: str) -> None:
    row = message(endpoint(url))
    webhooks.send_due()
    row.refresh_from_db()
    assert row.state == "queued"
    assert "may not be called" in row.error


def test_a_redirect_is_not_followed(receiver: HTTPServer) -> None:
    receiver.expect_request("/hook").respond_with_data("", status=302, headers={"Location": receiver.url_for("/else")})
    row = message(endpoint(receiver.url_for("/hook")))
    webhooks.send_due()
    row.refresh_from_db()
    assert (row.status_code, len(receiver.log)) == (302, 1)


@pytest.mark.parametrize("secret", ["", "abc", "whsec_", "whsec_AAAA", "whsec_!!!", "whsec_" + "A" * 200])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(Invalid):
        webhooks.check_secret(secret)


def test_a_made_secret_is_sealed_and_stands_nowhere(receiver: HTTPServer) -> None:
    made = webhooks.new_secret()
    assert len(webhooks.check_secret(made)) == 32
    to = WebhookEndpoint.objects.create(name="x", url=receiver.url_for("/hook"), secret=webhooks.seal(made))
    assert made.removeprefix("whsec_") not in to.secret
    receiver.expect_request("/hook").respond_with_data(made, status=500)
    row = message(to)
    webhooks.send_due()
    row.refresh_from_db()
    assert made not in row.error + row.body


def test_a_secret_that_cannot_be_read_any_more_is_said(settings: Settings) -> None:
    row = message(endpoint())
    settings.SECRET_KEY = "another key of fifty characters or more, made for one test only"
    webhooks.send_due()
    row.refresh_from_db()
    assert "set a new one" in row.error


def test_it_belongs_inside_a_unit_of_work(transactional_db: None) -> None:
    with pytest.raises(TransactionManagementError):
        send_webhook(endpoint=endpoint(), kind="x.y", subject="x", data={})
