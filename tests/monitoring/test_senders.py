"""Who sends is remembered from call to call, and forgotten the moment that anything about it changes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import ApiToken, RoleAssignment
from accounts.services import revoke_token
from accounts.services.roles import end_role
from ledger import SYSTEM
from monitoring.api import senders
from monitoring.models import Point, Series
from monitoring.services import edit_series
from tests.factories.accounts import ServiceAccountFactory, api_as, give
from tests.factories.monitoring import SeriesFactory, moment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _for_a_long_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here may pass because a few seconds went by."""
    monkeypatch.setattr(senders, "SECONDS", 3600.0)


def machine_on(series: Series) -> APIClient:
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", series.use_case)
    return api_as(machine)


def send(client: APIClient, series: Series, step: int, **more: Any) -> int:
    row = {"series": series.pk, "time": moment(5).isoformat(), "value": 0.5, "step": step, **more}
    return int(client.post("/api/v1/points:batch", json.dumps([row]), content_type="application/json").status_code)


def test_the_second_call_asks_little() -> None:
    series = SeriesFactory.create()
    client = machine_on(series)
    assert send(client, series, 0) == 200
    with CaptureQueriesContext(connection) as captured:
        assert send(client, series, 1) == 200
    asked = [query["sql"] for query in captured if query["sql"].lstrip().startswith("SELECT")]
    assert len(asked) == 2, asked  # was anything recorded; what the series keeps


def test_a_revoked_token_is_refused_by_the_next_call() -> None:
    series = SeriesFactory.create()
    client = machine_on(series)
    assert send(client, series, 0) == 200
    revoke_token(token=ApiToken.objects.get(), by=SYSTEM)
    assert send(client, series, 1) == 401
    assert Point.objects.count() == 1


def test_an_ended_role_is_gone_with_the_next_call() -> None:
    series = SeriesFactory.create()
    client = machine_on(series)
    assert send(client, series, 0) == 200
    end_role(assignment=RoleAssignment.objects.get(user__kind="service"), by=SYSTEM)
    assert send(client, series, 1) in {403, 422}
    assert Point.objects.count() == 1


def test_an_expired_token_is_refused_although_nothing_was_recorded() -> None:
    series = SeriesFactory.create()
    client = machine_on(series)
    assert send(client, series, 0) == 200
    with time_machine.travel(ApiToken.objects.get().expires_at + timedelta(seconds=1), tick=False):
        assert send(client, series, 1) == 401


def test_a_changed_series_is_looked_up_again() -> None:
    series = SeriesFactory.create()
    client = machine_on(series)
    assert send(client, series, 0, unit="ratio") == 200
    edit_series(series=series, changes={"unit": "%"}, by=SYSTEM)
    assert send(client, series, 1, unit="ratio") == 422
    assert send(client, series, 1, unit="%") == 200


def test_the_memory_of_one_token_serves_no_other() -> None:
    series, foreign = SeriesFactory.create(), SeriesFactory.create()
    client, other = machine_on(series), machine_on(foreign)
    assert (send(client, series, 0), send(other, foreign, 0)) == (200, 200)
    assert send(other, series, 1) == 422
    assert send(client, foreign, 1) == 422


def test_what_nobody_recorded_is_seen_after_a_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    series = SeriesFactory.create()
    client = machine_on(series)
    monkeypatch.setattr(senders, "SECONDS", 0.0)
    assert send(client, series, 0) == 200
    ApiToken.objects.update(revoked_at=timezone.now())
    assert send(client, series, 1) == 401
