"""The pages of texts and embeddings: who may see them, what they say, and that they work without JavaScript."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledger import SYSTEM
from monitoring import classifying, services
from monitoring.models import ContentComparison, ContentSetup
from monitoring.services.places import Where
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.portfolio import UseCaseFactory
from tests.monitoring.drift import stories
from tests.monitoring.drift.content_stories import NEW, clouds, compared, letters, watched

pytestmark = pytest.mark.django_db


def as_(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str, *args: Any) -> str:
    return reverse(f"monitoring:{name}", args=args)


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def test_who_may_see_sees_and_to_strangers_nothing_is_there(root: Path) -> None:
    setup = watched(root)
    row = compared(root, setup, letters(150, NEW))
    auditor, stranger = as_(person_with("auditor", setup.use_case)), as_(PersonFactory.create())
    for address in (
        url("content", setup.pk),
        url("content_data", setup.pk),
        url("content_comparison", row.pk),
        url("content_document", row.pk),
    ):
        assert auditor.get(address).status_code == 200, address
        assert stranger.get(address).status_code == 404, address
        assert Client().get(address).status_code == 302, address


def test_who_sees_may_not_change(root: Path) -> None:
    setup = watched(root)
    row = compared(root, setup, letters(150))
    auditor, stranger = as_(person_with("auditor", setup.use_case)), as_(PersonFactory.create())
    for address in (url("content_watch", setup.use_case.key), url("content_compare", setup.pk)):
        assert auditor.get(address).status_code == 403, address
        assert stranger.get(address).status_code == 404, address
    for address in (url("content_unwatch", setup.pk), url("content_cancel", row.pk), url("content_retry", row.pk)):
        assert auditor.post(address).status_code == 403, address
        assert stranger.post(address).status_code == 404, address
    assert "Compare newer rows" not in text(auditor, url("content", setup.pk))
    assert "Watch texts or embeddings" not in text(auditor, url("drift", setup.use_case.key))


def test_a_lead_watches_texts_and_next_time_only_says_where_newer_ones_lie(root: Path) -> None:
    use_case = UseCaseFactory.create()
    lead = as_(person_with("technical_lead", use_case))
    stories.write(root, "before.parquet", letters(150))
    stories.write(root, "week.parquet", letters(150, NEW))
    assert "No column of texts or embeddings is watched." in text(lead, url("drift", use_case.key))
    asked = {"kind": "text", "column": "text", "path": "before.parquet", "warn": "0.6", "act": "0.7"}
    answer = lead.post(url("content_watch", use_case.key), asked)
    setup = ContentSetup.objects.get()
    assert answer.headers["Location"] == url("content", setup.pk)
    assert "Not compared yet" in text(lead, url("drift", use_case.key))
    answer = lead.post(url("content_compare", setup.pk), {"name": "Week 47", "path": "week.parquet"})
    row = ContentComparison.objects.get()
    assert answer.headers["Location"] == url("content_comparison", row.pk)
    assert "Rows are being read" in text(lead, url("content_comparison", row.pk))
    asking = {"HX-Request": "true", "HX-Target": "progress"}
    assert "HX-Refresh" not in lead.get(url("content_comparison", row.pk), headers=asking).headers
    classifying.compare(row.pk)
    assert lead.get(url("content_comparison", row.pk), headers=asking).headers["HX-Refresh"] == "true"
    page = text(lead, url("content_comparison", row.pk))
    assert "A classifier tells the newer row from the reference row in 100 of 100 pairs" in page
    assert "50 is out of that range: the newer rows do differ." in page
    assert "%%" not in page + text(lead, url("content", setup.pk))
    assert "AUC 1.000" in text(lead, url("drift", use_case.key))
    assert url("content_comparison", row.pk) in text(lead, url("content", setup.pk))
    assert 'value="week.parquet"' in text(lead, url("content_compare", setup.pk))
    lead.post(url("content_unwatch", setup.pk))
    assert "Not watched any more" in text(lead, url("content", setup.pk))


def test_a_wrong_form_says_what_is_wrong(root: Path) -> None:
    setup = watched(root)
    lead = as_(person_with("technical_lead", setup.use_case))
    right = {"kind": "text", "column": "text", "path": "before.parquet", "warn": "0.6", "act": "0.7"}
    for wrong, said in (
        ({"path": ""}, "Give either files or an SQL source."),
        ({"path": "../x.csv"}, "below the configured folders"),
        ({"column": "t*"}, "a pattern is for embeddings"),
        ({"warn": "0.8"}, "the first not above the second"),
        ({"act": "1.2"}, "less than or equal to 1"),
    ):
        answer = lead.post(url("content_watch", setup.use_case.key), right | wrong)
        assert answer.status_code == 422
        assert said in answer.content.decode()


def test_a_failed_comparison_says_why_and_can_be_tried_again(root: Path) -> None:
    setup = watched(root)
    lead = as_(person_with("technical_lead", setup.use_case))
    row = compared(root, setup, letters(20))
    page = text(lead, url("content_comparison", row.pk))
    assert "20 can be used" in page
    stories.write(root, "week.parquet", letters(150))
    lead.post(url("content_retry", row.pk))
    classifying.compare(row.pk)
    row.refresh_from_db()
    assert row.state == "done"
    assert "It is over already." in lead.post(url("content_cancel", row.pk), follow=True).content.decode()


def test_vectors_that_cannot_be_compared_are_told_in_words(root: Path) -> None:
    setup = watched(root, table=clouds(200), kind="embedding", column="vector")
    row = compared(root, setup, clouds(200, size=9))
    page = text(as_(person_with("auditor", setup.use_case)), url("content_comparison", row.pk))
    assert "The reference has vectors of 6 numbers, the newer rows of 9" in page
    assert "Not comparable" in page


def test_other_rows_at_the_place_of_the_reference_are_pointed_out(root: Path) -> None:
    setup = watched(root)
    compared(root, setup, letters(150))
    stories.write(root, "reference.parquet", letters(200, seed=8))
    row = compared(root, setup, letters(150))
    page = text(as_(person_with("auditor", setup.use_case)), url("content_comparison", row.pk))
    assert "held other rows than at the first comparison" in page


def test_the_past_is_drawn_listed_and_exported(root: Path) -> None:
    setup = watched(root)
    row = compared(root, setup, letters(150, NEW))
    client = as_(person_with("auditor", setup.use_case))
    drawn = client.get(url("content_data", setup.pk)).json()
    assert drawn["series"][0]["points"][0][1] == pytest.approx(row.auc, abs=1e-4)
    assert [limit["value"] for limit in drawn["thresholds"]] == [0.6, 0.7]
    address = url("content", setup.pk)
    assert row.name in text(client, f"{address}?verdict=drift").split("<tbody>", 1)[1]
    assert "<tbody>" not in text(client, f"{address}?verdict=stable") or row.name not in text(
        client, f"{address}?verdict=stable"
    )
    csv = b"".join(client.get(f"{address}?export=csv").streaming_content).decode()  # type: ignore[attr-defined]  # a stream
    assert "week.parquet,Drift,1" in csv.splitlines()[1]
    document = client.get(url("content_document", row.pk)).content
    assert hashlib.sha256(document).hexdigest() == row.sha256


def test_pages_take_as_many_queries_whatever_they_list(root: Path) -> None:
    setup = watched(root)
    client = as_(person_with("auditor", setup.use_case))

    def queries(address: str) -> int:
        text(client, address)
        with CaptureQueriesContext(connection) as captured:
            text(client, address)
        return len(captured)

    compared(root, setup, letters(120))
    listed = [url("content", setup.pk), url("drift", setup.use_case.key)]
    before = [queries(address) for address in listed]
    for seed in range(2):
        compared(root, setup, letters(120, seed=seed))
        services.compare_content(setup=setup, name="Open", where=Where("week.parquet"), by=SYSTEM)
    compared(root, watched(root, setup.use_case, column="n*", kind="embedding"), letters(120))
    assert [queries(address) for address in listed] == before
