"""The business view: promised against measured, what stands behind it, cost, use, what happened, what is owed."""

from __future__ import annotations

import csv
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from gates.business import business_report
from gates.packs.business import business_words
from kernel.errors import Conflict, Invalid
from ledger.models import Event
from monitoring.models import KpiLink
from monitoring.services.kpi_links import link_kpi, unlink_kpi
from portfolio.models import Kpi, KpiMeasurement, OperatingPlan, UseCase
from tests.factories.accounts import api_as, person_with
from tests.factories.breaches import owed, system
from tests.factories.gates import Case
from tests.factories.monitoring import SeriesFactory, points
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


def promised(use_case: UseCase, *, measured: str | None = "80") -> Kpi:
    kpi = Kpi.objects.create(
        use_case=use_case,
        key="handling_time",
        name="Handling time",
        unit="minutes",
        direction="lower",
        baseline=Decimal(120),
        target=Decimal(60),
        is_primary=True,
    )
    if measured:
        day = timezone.localdate()
        KpiMeasurement.objects.create(
            kpi=kpi, window_start=day - timedelta(days=30), window_end=day, value=Decimal(measured), source="BI"
        )
    return kpi


def tab(case: Case) -> str:
    return reverse("portfolio:use_case_panel", args=[case.use_case.key, "business"])


def page(user: User, address: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == 200, answer.content[:400]
    return str(answer.content.decode())


def test_it_says_what_was_promised_what_was_measured_and_what_stands_behind_it() -> None:
    case = system()
    promised(case.use_case)
    series = SeriesFactory.create(use_case=case.use_case, metric="f1", name="Routing F1")
    points(series, [0.91])
    owner = case.signers["business_owner"]
    link_kpi(use_case=case.use_case, kpi="handling_time", series=series, why="Fewer wrong routings.", by=owner)
    (kpi,) = business_report(case.use_case)["kpis"]
    assert (kpi["promised"], kpi["measured"], kpi["share"], kpi["source"]) == (60, 80, 67, "BI")
    assert [(m["name"], m["value"], m["why"]) for m in kpi["metrics"]] == [
        ("Routing F1", "0.91", "Fewer wrong routings.")
    ]
    shown = page(owner, tab(case))
    for words in ("Handling time", "Lower is better", "Fewer wrong routings.", "67"):
        assert words in shown


def test_what_nobody_measures_is_said_plainly() -> None:
    case = system()
    promised(case.use_case, measured=None)
    used = {row["metric"]: row["measured"] for row in business_report(case.use_case)["use"]}
    assert used == dict.fromkeys(used, False)
    assert {"request_volume", "active_users", "override_rate"} <= set(used)
    shown = page(case.signers["business_owner"], tab(case))
    assert shown.count("Nobody measures this.") == len(used)
    assert "Nobody has measured it yet." in shown
    assert "No budget and no cost are on record." in shown


def test_use_is_read_from_the_catalogues_metrics_with_the_value_of_a_month_before() -> None:
    case = system()
    series = SeriesFactory.create(use_case=case.use_case, metric="request_volume", unit="count")
    points(series, [100.0, 250.0], minutes_apart=60 * 24 * 40)
    row = next(r for r in business_report(case.use_case)["use"] if r["metric"] == "request_volume")
    assert (row["value"], row["month_before"]) == ("250", "100")


def test_cost_stands_beside_the_budget() -> None:
    case = system()
    OperatingPlan.objects.update_or_create(
        use_case=case.use_case, defaults={"budget_poc": 10_000, "budget_run": 40_000, "cost_to_date": 60_000}
    )
    cost = business_report(case.use_case)["cost"]
    assert (cost["budget"], cost["spent"], cost["share"], cost["over"]) == (50_000, 60_000, 120, True)


def test_what_happened_and_what_is_owed_are_said_in_words() -> None:
    case = system()
    row = owed(case)
    report = business_report(case.use_case)
    assert "A breach asked for a decision" in [line["text"] for line in report["since"]["lines"]]
    assert [(o["what"], o["who"]) for o in report["owed"]] == [
        ("Decide what is done after a breach", case.signers["business_owner"].full_name)
    ]
    later = business_report(case.use_case, at=timezone.now() + timedelta(days=31))
    assert later["since"]["lines"] == []
    assert f"/gates/breaches/{row.number}/" in page(case.signers["business_owner"], tab(case))


def test_links_are_made_once_and_taken_back_by_who_may() -> None:
    case = system()
    promised(case.use_case)
    lead = case.signers["technical_lead"]
    series = SeriesFactory.create(use_case=case.use_case)
    given: dict[str, Any] = {"use_case": case.use_case, "kpi": "handling_time", "series": series, "why": "It does."}
    with pytest.raises(PermissionDenied):
        link_kpi(**given, by=person_with("auditor", case.use_case))
    link = link_kpi(**given, by=lead)
    with pytest.raises(Conflict):
        link_kpi(**given, by=lead)
    for wrong in ({"kpi": "none"}, {"series": SeriesFactory.create()}, {"why": " "}, {"why": "x" * 301}):
        with pytest.raises(Invalid) as caught:
            link_kpi(**{**given, **wrong}, by=lead)
        assert set(wrong) == set(caught.value.errors)
    unlink_kpi(link=link, by=lead)
    assert not KpiLink.objects.exists()
    assert set(Event.objects.filter(action__startswith="kpi.").values_list("action", flat=True)) == {
        "kpi.linked",
        "kpi.unlinked",
    }


def test_linking_on_the_page() -> None:
    case = system()
    promised(case.use_case)
    series = SeriesFactory.create(use_case=case.use_case)
    client = Client()
    client.force_login(case.signers["business_owner"])
    address = reverse("gates:business_link", args=[case.use_case.key, "handling_time"])
    assert client.get(address).status_code == 200
    assert client.post(address, {"series": series.pk}).status_code == 422
    assert client.post(address, {"series": series.pk, "why": "It does."}).status_code == 302
    link = KpiLink.objects.get()
    remove = reverse("gates:business_unlink", args=[case.use_case.key, link.pk])
    assert remove in page(case.signers["business_owner"], tab(case))
    reader = Client()
    reader.force_login(person_with("auditor", case.use_case))
    assert reader.get(address).status_code == 403
    assert reader.post(remove).status_code == 403
    assert client.post(remove).status_code == 302
    missing = reverse("gates:business_link", args=[case.use_case.key, "no-such"])
    assert client.get(missing).status_code == 404


def test_strangers_find_nothing_and_nobody_reads_without_signing_in() -> None:
    case = system()
    other = Client()
    other.force_login(person_with("business_owner", UseCaseFactory.create()))
    key = case.use_case.key
    files = [reverse(f"gates:business_{kind}", args=[key]) for kind in ("pdf", "csv")]
    for address in (tab(case), *files):
        assert other.get(address).status_code == 404
        assert Client().get(address).status_code == 302
    api = f"/api/v1/use-cases/{key}/business/"
    assert APIClient().get(api).status_code == 401
    assert api_as(person_with("business_owner", UseCaseFactory.create())).get(api).status_code == 404


def test_rest_and_paper_say_the_same() -> None:
    case = system()
    promised(case.use_case)
    owed(case)
    owner = case.signers["business_owner"]
    told = api_as(owner).get(f"/api/v1/use-cases/{case.use_case.key}/business/").json()
    assert told["kpis"][0]["share"] == 67
    assert told["owed"][0]["text"] == "F1 score is 0.7; it should be at least 0.8."
    words = business_words(business_report(case.use_case))
    assert (words["kpis"][0]["rows"][2][0], words["kpis"][0]["rows"][2][1].split(",")[0]) == ("Measured", "80 minutes")
    client = Client()
    client.force_login(owner)
    made = client.get(reverse("gates:business_pdf", args=[case.use_case.key]))
    assert made["Content-Type"] == "application/pdf"
    assert made.content.startswith(b"%PDF")


def test_the_file_has_every_number_with_its_unit_and_day() -> None:
    case = system()
    promised(case.use_case)
    owed(case)
    client = Client()
    client.force_login(case.signers["business_owner"])
    address = reverse("gates:business_csv", args=[case.use_case.key])
    assert address in page(case.signers["business_owner"], tab(case))
    text = b"".join(client.get(address).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = [(row["Section"], row["Figure"], row["Value"], row["Unit"]) for row in csv.DictReader(StringIO(text))]
    assert ("Promised and measured", "measured", "80", "minutes") in rows
    assert ("Promised and measured", "of the way", "67", "%") in rows
    assert ("How it is used", "now", "", "") in rows
    assert any(row[0] == "Decisions owed" for row in rows)
    assert client.get(f"{address}?format=xlsx").headers["Content-Type"].endswith("sheet")


def test_home_leads_to_it() -> None:
    case = system()
    assert tab(case) in page(case.signers["business_owner"], "/")


def test_it_takes_as_many_queries_for_one_kpi_as_for_five() -> None:
    case = system()
    promised(case.use_case)
    counts = []
    for _round in range(2):
        with CaptureQueriesContext(connection) as captured:
            business_report(UseCase.objects.select_related("unit").get(pk=case.use_case.pk))
        counts.append(len(captured))
        for n in range(4):
            key = f"k{_round}-{n}"
            kpi = Kpi.objects.create(use_case=case.use_case, key=key, name=key, unit="%", direction="higher")
            series = SeriesFactory.create(use_case=case.use_case, metric=f"m{_round}_{n}")
            KpiLink.objects.create(use_case=case.use_case, kpi_key=kpi.key, series=series, why="x")
    assert counts[0] == counts[1]
