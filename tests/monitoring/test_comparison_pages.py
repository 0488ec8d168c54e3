"""The pages of comparisons: the list, one with its figures and chart, the rule, the verdict."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledger import SYSTEM
from monitoring.models import Comparison
from monitoring.services import push_points
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.monitoring import SeriesFactory
from tests.factories.portfolio import UseCaseFactory
from tests.monitoring.test_comparisons import BETTER, comparing, ready, reviewed, two_versions

pytestmark = pytest.mark.django_db


def as_(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str, *args: Any) -> str:
    return reverse(f"monitoring:{name}", args=args)


def test_the_anonymous_sign_in_strangers_see_nothing_and_readers_change_nothing() -> None:
    row = ready()
    pages = [url("comparison", row.pk), url("comparison_data", row.pk), url("comparison_decide", row.pk)]
    pages.append(url("comparison_define", row.use_case.key))
    stranger, auditor = as_(PersonFactory.create()), as_(person_with("auditor", row.use_case))
    for address in pages:
        assert Client().get(address).status_code == 302
        assert stranger.get(address).status_code == 404, address
    assert Client().get(url("comparisons")).status_code == 302
    assert row.use_case.name not in stranger.get(url("comparisons")).content.decode()
    for address in pages[2:]:
        assert auditor.get(address).status_code == 403, address
    assert auditor.get(pages[0]).status_code == 200
    listed = auditor.get(url("comparisons"), {"use_case": row.use_case.key}).content.decode()
    assert "2.0 against 1.0" in listed
    assert "Compare two versions" not in listed


def test_the_page_shows_rule_figures_and_chart() -> None:
    row = ready()
    client = as_(person_with("technical_lead", row.use_case))
    page = client.get(url("comparison", row.pk)).content.decode()
    for words in (
        "The rule says: promote the challenger",
        "2.0 against 1.0",
        "n = 6",
        "0.1",
        "data-chart=",
        "Give the",
    ):
        assert words in page
    assert "style=" not in page
    chart = client.get(url("comparison_data", row.pk)).json()
    assert [line["name"] for line in chart["series"]] == ["Champion 1.0", "Challenger 2.0"]
    assert chart["series"][1]["points"][0][1] == BETTER[0]
    assert chart["markers"][0]["label"] == "Start"


def test_the_chart_of_reviews_is_the_share_a_day() -> None:
    champion, challenger = two_versions()
    row = comparing(champion, challenger, basis="reviews")
    reviewed(challenger, 3, 1)
    chart = as_(person_with("auditor", row.use_case)).get(url("comparison_data", row.pk)).json()
    assert [point[1] for point in chart["series"][1]["points"]] == [25.0]
    page = as_(person_with("auditor", row.use_case)).get(url("comparison", row.pk)).content.decode()
    assert "The data is not enough yet" in page
    assert "2.0: 4 of 5 reviews." in page


def test_the_rule_is_stated_in_a_form() -> None:
    champion, challenger = two_versions()
    SeriesFactory.create(use_case=champion.model.use_case)
    key = champion.model.use_case.key
    client = as_(person_with("technical_lead", champion.model.use_case))
    assert "Compare two versions" in client.get(url("comparisons"), {"use_case": key}).content.decode()
    assert client.get(url("comparison_define", key)).status_code == 200
    given = {"champion": champion.pk, "challenger": champion.pk, "kind": "shadow", "basis": "points", "metric": "f1"}
    given |= {"traffic_percent": 10, "margin": 0, "min_sample": 10, "min_days": 3}
    wrong = client.post(url("comparison_define", key), given)
    assert wrong.status_code == 422
    assert "Choose another version than the champion." in wrong.content.decode()
    right = client.post(url("comparison_define", key), {**given, "challenger": challenger.pk})
    row = Comparison.objects.get()
    assert right.headers["Location"] == url("comparison", row.pk)
    assert (row.metric, row.min_sample, row.traffic_percent) == ("f1", 10, 10)


def test_the_verdict_is_given_in_a_form_and_its_figures_stay() -> None:
    row = ready()
    client = as_(person_with("technical_lead", row.use_case))
    assert client.post(url("comparison_decide", row.pk), {"verdict": "keep"}).status_code == 422
    answer = client.post(url("comparison_decide", row.pk), {"verdict": "keep", "reason": "Support ends in May."})
    assert answer.headers["Location"] == url("comparison", row.pk)
    page = client.get(url("comparison", row.pk)).content.decode()
    for words in ("The verdict departs from the rule", "Support ends in May.", "As sealed with the verdict."):
        assert words in page
    assert "Give the verdict" not in page
    again = client.post(url("comparison_decide", row.pk), {"verdict": "keep", "reason": "Once more."})
    assert again.status_code == 422


def test_nothing_is_promoted_on_too_little_and_the_form_says_what_is_missing() -> None:
    row = comparing(*two_versions())
    client = as_(person_with("technical_lead", row.use_case))
    answer = client.post(url("comparison_decide", row.pk), {"verdict": "promote", "reason": "It feels better."})
    assert answer.status_code == 422
    assert "2.0: 0 of 5 points." in answer.content.decode()


def test_late_points_do_not_change_what_was_sealed() -> None:
    row = ready()
    client = as_(person_with("technical_lead", row.use_case))
    client.post(url("comparison_decide", row.pk), {"verdict": "promote", "reason": "As agreed."})
    series = row.challenger.series.get(metric="f1")
    last = series.last_time
    assert last is not None
    push_points(batch=[{"series": series.pk, "time": last, "value": 0.2, "step": 7}], by=SYSTEM)
    page = client.get(url("comparison", row.pk)).content.decode()
    assert "n = 6" in page
    assert "n = 7" not in page


def test_the_list_filters_exports_and_asks_a_constant_number_of_questions() -> None:
    use_case = UseCaseFactory.create()
    client = as_(person_with("auditor", use_case))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url("comparisons")).status_code == 200
        return len(captured)

    comparing(*two_versions(use_case))
    queries()
    few = queries()
    for _n in range(3):
        comparing(*two_versions(use_case))
    assert queries() == few <= 25
    page = client.get(url("comparisons"), {"state": "promote"}).content.decode()
    assert "2.0 against 1.0" not in page
    assert client.get(url("comparisons"), {"export": "csv", "kind": "shadow", "q": "1.0"}).status_code == 200
