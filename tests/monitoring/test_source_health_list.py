"""The list of sources says how each does: lag, next pull, breaker, silent series."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from monitoring.selectors.source_health import breaker, lag
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.monitoring import AlertFactory, SeriesFactory, SourceFactory
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


def shown(client: Client, query: str = "") -> str:
    answer = client.get(f"{reverse('monitoring:sources')}{query}")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def lead_on(use_case: object) -> Client:
    client = Client()
    client.force_login(person_with("technical_lead", use_case))  # type: ignore[arg-type]  # a use case
    return client


def test_lag_next_pull_breaker_and_silence_stand_in_the_list() -> None:
    now = timezone.now()
    use_case = UseCaseFactory.create()
    fresh = SourceFactory.create(use_case=use_case, name="Fresh", health="ok", watermark=now - timedelta(hours=3))
    broken = SourceFactory.create(
        use_case=use_case, name="Broken", health="broken", failures=6, next_due_at=now + timedelta(minutes=20)
    )
    series = SeriesFactory.create(use_case=use_case, source=broken)
    alert = AlertFactory.create(rule=None, series=series, message="It has been silent for 3 days.")
    AlertFactory.create(
        rule=None, series=SeriesFactory.create(use_case=use_case, segment="b", source=fresh), state="resolved"
    )
    client = lead_on(use_case)
    page = shown(client)
    assert "3 h" in page
    assert "open: it is tried again after a cool-down" in page
    assert "6 failures in a row" in page
    exported = b"".join(client.get(f"{reverse('monitoring:sources')}?export=csv&sort=-silent")).decode()
    rows = exported.splitlines()
    assert rows[1].startswith("Broken")
    assert ",1" in rows[1]
    page = html.unescape(client.get(reverse("monitoring:source", args=[broken.pk])).content.decode())
    assert reverse("monitoring:alert", args=[alert.pk]) in page


def test_lag_is_the_age_of_the_newest_point() -> None:
    now = timezone.now()
    assert lag(SourceFactory.build(use_case=None, watermark=None), now) is None
    assert lag(SourceFactory.build(use_case=None, watermark=now + timedelta(minutes=1)), now) == timedelta(0)
    assert breaker(SourceFactory.build(use_case=None, health="ok"), now) == "closed"


def test_the_list_asks_a_constant_number_of_questions_and_shows_strangers_nothing() -> None:
    use_case = UseCaseFactory.create()
    client = lead_on(use_case)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            shown(client)
        return len(captured)

    SourceFactory.create(use_case=use_case)
    before = queries()
    for _number in range(5):
        SourceFactory.create(use_case=use_case)
    assert queries() == before
    stranger = Client()
    stranger.force_login(PersonFactory.create())
    assert "Source " not in shown(stranger).split("<tbody>")[1].split("</tbody>")[0]
