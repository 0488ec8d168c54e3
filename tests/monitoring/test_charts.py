"""The chart of a series: its range, what is drawn over it, and what is marked on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from monitoring.models import Series
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.decisions import decided
from tests.factories.governance import ModelVersionFactory
from tests.factories.monitoring import AlertFactory, SeriesFactory, points
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


def lead_of(series: Series) -> Client:
    client = Client()
    client.force_login(person_with("technical_lead", series.use_case))
    return client


def chart(series: Series, **query: Any) -> dict[str, Any]:
    answer = lead_of(series).get(reverse("monitoring:series_data", args=[series.pk]), query)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def page(series: Series, **query: Any) -> str:
    return lead_of(series).get(reverse("monitoring:series", args=[series.pk]), query).content.decode()


def test_an_alert_is_marked_for_as_long_as_it_lasts() -> None:
    now = timezone.now()
    alert = AlertFactory.create(level="act", opened_at=now - timedelta(days=3), resolved_at=now - timedelta(hours=1))
    bands = chart(alert.series)["bands"]
    assert [(b["axis"], b["label"], b["tone"]) for b in bands] == [("x", "Breach", "blocked")]
    assert bands[0]["from"] < bands[0]["to"]
    assert chart(alert.series, range="24h")["bands"] != []
    long_ago = {"from": "2020-01-01T00:00", "to": "2020-02-01T00:00"}
    assert chart(alert.series, **long_ago)["bands"] == []


def test_deployments_and_gate_decisions_are_marked_and_listed() -> None:
    series = SeriesFactory.create()
    ModelVersionFactory.create(
        model__use_case=series.use_case, label="2.1", state="live", live_at=timezone.now() - timedelta(days=2)
    )
    decision = decided(series.use_case)
    marks = chart(series)["markers"]
    assert {mark["label"] for mark in marks} == {"Live 2.1", "Go"}
    assert reverse("gates:review", args=[decision.review.number]) in {mark["url"] for mark in marks}
    told = page(series)
    assert "went live." in told
    assert f"Go on {decision.review}" in told


def test_what_happened_elsewhere_is_not_marked() -> None:
    series = SeriesFactory.create()
    AlertFactory.create()
    decided(UseCaseFactory.create())
    assert (chart(series)["markers"], chart(series)["bands"]) == ([], [])
    assert "No alert, deployment, decision or move between stages in this time." in page(series)


def test_the_usual_band_is_drawn_where_enough_was_measured() -> None:
    series = SeriesFactory.create(baseline=0.9, baseline_at=timezone.now())
    points(series, [0.88, 0.92] * 3, minutes_apart=60)
    assert [band for band in chart(series)["bands"] if band["label"] == "Usual"] == []
    points(series, [0.88, 0.92] * 10, minutes_apart=60 * 24)
    (band,) = (band for band in chart(series)["bands"] if band["label"] == "Usual")
    assert band["from"] < 0.88
    assert band["to"] > 0.92
    assert (band["from"] + band["to"]) / 2 == pytest.approx(0.9)


def test_a_range_of_ones_own_is_kept_in_the_address() -> None:
    series = SeriesFactory.create()
    points(series, [0.5])
    own = {"from": "2020-01-01T00:00", "to": "2020-02-01T00:00"}
    drawn = chart(series, **own)
    assert (drawn["x"]["min"], drawn["x"]["max"]) == ("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z")
    assert drawn["series"][0]["points"] == []
    told = page(series, **own)
    assert "from=2020-01-01T00%3A00&amp;to=2020-02-01T00%3A00" in told
    assert "data-live" not in told


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"from": "2026-02-01", "to": "2026-01-01"}, "The end has to be later than the start."),
        ({"from": "1999-01-01", "to": "2026-01-01"}, "Nothing was measured before the year 2000."),
        ({"to": "2026-01-01"}, "Say from when on."),
        ({"from": "soon"}, "Enter a valid date/time."),
        ({"buckets": "5000"}, "less than or equal to 2000"),
        ({"range": "fortnight"}, "Select a valid choice."),
    ],
)
def test_a_range_that_is_none_is_said_and_never_drawn_as_another(query: dict[str, str], said: str) -> None:
    series = SeriesFactory.create()
    assert said in page(series, **query)
    client = lead_of(series)
    assert client.get(reverse("monitoring:series_data", args=[series.pk]), query).status_code == 422
    assert client.get(reverse("monitoring:series_points", args=[series.pk]), query).status_code == 422


def test_values_are_read_in_as_many_buckets_as_asked() -> None:
    series = SeriesFactory.create()
    points(series, [0.5] * 300, minutes_apart=1)
    assert len(chart(series, range="24h", buckets="20")["series"][0]["points"]) <= 20
    assert chart(series, range="24h", buckets="20")["buckets"] == {"asked": 20, "points": 300}


def test_segments_versions_and_the_period_before_are_drawn_over_it() -> None:
    series = SeriesFactory.create()
    other = SeriesFactory.create(use_case=series.use_case, segment="Nordics")
    stranger = SeriesFactory.create(segment="Elsewhere")
    points(series, [0.9, 0.8], minutes_apart=60 * 24 * 40)
    points(other, [0.7])
    assert "Nordics" in page(series)
    assert "<span>Segments and versions</span>" not in page(series)  # one choice is a list to pick from, not a tick box
    drawn = chart(series, overlay=other.pk, compare="on")
    assert [line["name"] for line in drawn["series"]] == ["F1 score", "F1 score (Nordics)", "The period before"]
    assert [line["points"][0][1] for line in drawn["series"]] == [0.8, 0.7, 0.9]
    refused = lead_of(series).get(reverse("monitoring:series_data", args=[series.pk]), {"overlay": stranger.pk})
    assert refused.status_code == 422


def test_a_stranger_and_the_anonymous_get_no_chart() -> None:
    series = SeriesFactory.create()
    address = reverse("monitoring:series_data", args=[series.pk])
    client = Client()
    assert client.get(address).status_code == 302
    client.force_login(PersonFactory.create())
    assert client.get(address).status_code == 404


def test_a_chart_asks_the_same_number_of_questions_however_much_happened() -> None:
    series = SeriesFactory.create(baseline=0.9, baseline_at=timezone.now())
    client = lead_of(series)
    address = reverse("monitoring:series_data", args=[series.pk])

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    def more() -> None:
        AlertFactory.create(rule__series=series)
        decided(series.use_case)
        ModelVersionFactory.create(model__use_case=series.use_case, live_at=timezone.now())

    more()
    few = queries()
    for _ in range(4):
        more()
    assert queries() == few <= 20
