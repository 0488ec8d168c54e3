"""The pages of profiles and drift: who may see them, what they say, and that they work without JavaScript."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring import profiling
from monitoring.models import DataProfile, DriftReport, DriftResult
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.portfolio import UseCaseFactory
from tests.monitoring.drift import stories
from tests.monitoring.drift.stories import customers

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


def addresses(report: DriftReport) -> list[str]:
    age = report.results.get(name="age")
    return [
        url("drift", report.use_case.key),
        url("drift_data", report.use_case.key),
        url("profiles", report.use_case.key),
        url("profile", report.current_id),
        url("profile_body", report.current_id),
        url("drift_report", report.pk),
        url("drift_report_document", report.pk),
        url("drift_feature", report.pk, age.pk),
        url("drift_feature_data", report.pk, age.pk),
        url("drift_feature_history", report.pk, age.pk),
    ]


def test_who_may_see_sees_and_to_strangers_nothing_is_there(root: Path) -> None:
    report = stories.report(root)
    auditor, stranger = as_(person_with("auditor", report.use_case)), as_(PersonFactory.create())
    for address in addresses(report):
        assert auditor.get(address).status_code == 200, address
        assert stranger.get(address).status_code == 404, address
        assert Client().get(address).status_code == 302, address


def test_who_sees_may_not_change(root: Path) -> None:
    report = stories.report(root)
    auditor = as_(person_with("auditor", report.use_case))
    key = report.use_case.key
    for address in (
        url("profile_reference", key),
        url("profile_current", key),
        url("profile_terms", report.current_id),
    ):
        assert auditor.get(address).status_code == 403, address
    for name in ("profile_cancel", "profile_retry", "profile_compare"):
        assert auditor.post(url(name, report.current_id)).status_code == 403
    assert "Compare newer data" not in text(auditor, url("drift", key))


def test_a_lead_profiles_a_reference_and_compares_newer_data(root: Path) -> None:
    use_case = UseCaseFactory.create()
    lead = as_(person_with("technical_lead", use_case))
    assert "Nothing says what is normal yet" in text(lead, url("drift", use_case.key))
    stories.write(root, "training.parquet", customers(1500))
    stories.write(root, "week.parquet", customers(1500, seed=2, older=18))
    asked = {"name": "Training", "path": "training.parquet", "ignored": "income", "predictions": "score"}
    answer = lead.post(url("profile_reference", use_case.key), asked)
    reference = DataProfile.objects.get()
    assert answer.headers["Location"] == url("profile", reference.pk)
    assert "Rows are being counted" in text(lead, url("profile", reference.pk))
    profiling.make(reference.pk)
    page = text(lead, url("profile", reference.pk))
    assert "In force" in page
    assert "prediction" in page
    lead.post(url("profile_current", use_case.key), {"name": "Week 47", "path": "week.parquet"})
    profile = DataProfile.objects.get(purpose="current")
    assert "Week 47" in text(lead, url("drift", use_case.key))
    profiling.make(profile.pk)
    report = DriftReport.objects.get()
    page = text(lead, url("drift_report", report.pk))
    assert "1 of 2 features drifted, 50 % by weight." in page
    assert page.index(">age</a>") < page.index(">region</a>")
    assert "income" not in page
    assert url("drift_report", report.pk) in text(lead, url("drift", use_case.key))


def test_a_wrong_form_says_what_is_wrong(root: Path) -> None:
    use_case = UseCaseFactory.create()
    lead = as_(person_with("technical_lead", use_case))
    address = url("profile_reference", use_case.key)
    for given, said in (
        ({"name": "X"}, "Give either files or an SQL source."),
        ({"name": "X", "path": "../x.csv"}, "below the configured folders"),
        ({"name": "X", "path": "x.docx"}, "Parquet, CSV and DuckDB"),
        ({"name": "X", "path": "x.duckdb"}, "Name the table"),
    ):
        answer = lead.post(address, given)
        assert answer.status_code == 422
        assert said in answer.content.decode()


def test_a_failed_profile_says_why_and_can_be_tried_again(root: Path) -> None:
    against = stories.reference(root)
    lead = as_(person_with("technical_lead", against.use_case))
    lead.post(url("profile_current", against.use_case.key), {"name": "Week", "path": "late.parquet"})
    profile = DataProfile.objects.get(purpose="current")
    profiling.make(profile.pk)
    page = text(lead, url("profile", profile.pk))
    assert "There is no file or folder late.parquet" in page
    assert "could not be profiled" in text(lead, url("drift", against.use_case.key))
    stories.write(root, "late.parquet", customers(100))
    lead.post(url("profile_retry", profile.pk))
    profiling.make(profile.pk)
    profile.refresh_from_db()
    assert profile.state == "done"
    said = lead.post(url("profile_cancel", profile.pk), follow=True)
    assert "It is over already." in said.content.decode()


def test_terms_are_agreed_in_a_form_and_hold_for_the_next_comparison(root: Path) -> None:
    report = stories.report(root)
    lead = as_(person_with("technical_lead", report.use_case))
    address = url("profile_terms", report.reference_id)
    assert 'value="0.1"' in text(lead, address)
    given = {
        "effect": "wasserstein_norm",
        "limit": "5",
        "alpha": "0.01",
        "missing_points": "2",
        "new_share": "1",
        "least_rows": "30",
        "warn_share": "10",
        "act_share": "20",
        "by": "evidently",
        "predictions": "score",
        "left_out": "income",
        "watched": "age",
    }
    assert lead.post(address, given).status_code == 302
    lead.post(url("profile_compare", report.current_id))
    newest = DriftReport.objects.order_by("-made_at")[0]
    assert newest.verdict == "stable"
    assert newest.results.get(name="income").state == "ignored"
    page = text(lead, url("drift_feature", newest.pk, newest.results.get(name="age").pk))
    assert "as defined by" in page
    assert lead.post(address, given | {"warn_share": "60"}).status_code == 422


def test_the_report_is_searched_filtered_sorted_and_exported(root: Path) -> None:
    report = stories.report(root)
    client = as_(person_with("auditor", report.use_case))
    address = url("drift_report", report.pk)
    rows = text(client, f"{address}?q=reg").split("<tbody>", 1)[1]
    assert ">region</a>" in rows
    assert ">age</a>" not in rows
    assert ">region</a>" not in text(client, f"{address}?drifted=on").split("<tbody>", 1)[1]
    assert text(client, f"{address}?sort=-name").split("<tbody>", 1)[1].index(">score</a>") > 0
    csv = b"".join(client.get(f"{address}?export=csv").streaming_content).decode()  # type: ignore[attr-defined]  # a stream
    assert csv.splitlines()[1].startswith("1,age,Drifted,")


def test_the_json_file_has_the_digest_of_the_report(root: Path) -> None:
    report = stories.report(root)
    client = as_(person_with("auditor", report.use_case))
    assert hashlib.sha256(client.get(url("drift_report_document", report.pk)).content).hexdigest() == report.sha256


def test_a_feature_shows_both_histograms_every_definition_and_its_past(root: Path) -> None:
    report = stories.report(root)
    client = as_(person_with("auditor", report.use_case))
    result = report.results.get(name="age")
    page = text(client, url("drift_feature", report.pk, result.pk))
    for said in ("Population stability index", "exact", "Decides", "Sum over bins", "Kolmogorov"):
        assert said in page, said
    income = text(client, url("drift_feature", report.pk, report.results.get(name="income").pk))
    assert "off by at most" in income
    drawn = client.get(url("drift_feature_data", report.pk, result.pk)).json()
    assert drawn["kind"] == "histogram"
    assert [series["name"] for series in drawn["series"]] == ["Reference", "Newer data"]
    for series in drawn["series"]:
        assert len(series["points"]) == len(drawn["x"]["categories"])
        assert sum(series["points"]) == pytest.approx(100, abs=0.5)
    past = client.get(url("drift_feature_history", report.pk, result.pk)).json()
    assert past["series"][0]["points"][0][1] == pytest.approx(result.effect)
    region = client.get(url("drift_feature_data", report.pk, report.results.get(name="region").pk)).json()
    assert set(region["x"]["categories"]) == {"north", "south", "west"}


def test_features_that_are_gone_or_new_have_a_page_too(root: Path) -> None:
    against = stories.reference(root)
    table = customers(500, added=["x"] * 500).drop_columns(["income"])
    report = stories.current(root, against, table).reports.get()
    client = as_(person_with("auditor", report.use_case))
    for name, said in (("income", "The newer data has no such column."), ("added", "nothing to compare it with")):
        result = report.results.get(name=name)
        assert said in text(client, url("drift_feature", report.pk, result.pk))
        assert client.get(url("drift_feature_data", report.pk, result.pk)).status_code == 200


def test_ten_thousand_features_are_shown_page_by_page_in_as_many_queries(root: Path) -> None:
    report = stories.report(root)
    client = as_(person_with("auditor", report.use_case))
    address = url("drift_report", report.pk)

    def queries() -> int:
        text(client, address)
        with CaptureQueriesContext(connection) as captured:
            page = text(client, address)
        assert len(page) < 400_000
        return len(captured)

    before = queries()
    DriftResult.objects.bulk_create(
        DriftResult(report=report, place=10 + n, name=f"f{n}", role="feature", state="stable", is_drifted=False)
        for n in range(10_000)
    )
    assert queries() <= before + 1
    assert ">f9999</a>" in text(client, f"{address}?page=201&sort=place")


def test_lists_take_as_many_queries_whatever_their_length(root: Path) -> None:
    against = stories.reference(root)
    client = as_(person_with("auditor", against.use_case))

    def queries(address: str) -> int:
        text(client, address)
        with CaptureQueriesContext(connection) as captured:
            text(client, address)
        return len(captured)

    stories.current(root, against, customers(100))
    listed = [url("drift", against.use_case.key), url("profiles", against.use_case.key)]
    before = [queries(address) for address in listed]
    for seed in range(3):
        stories.current(root, against, customers(100, seed=seed))
    assert [queries(address) for address in listed] == before


def test_the_tab_of_the_use_case_leads_here(root: Path) -> None:
    use_case = UseCaseFactory.create()
    client = as_(person_with("auditor", use_case))
    assert url("drift", use_case.key) in text(
        client, reverse("portfolio:use_case_panel", args=[use_case.key, "monitoring"])
    )
