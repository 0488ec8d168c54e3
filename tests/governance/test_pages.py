"""Pages and forms of governance as a person meets them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance.catalogue import document_types, questionnaires
from governance.forms.entry import entries
from governance.models import (
    Evidence,
    RiskItem,
)
from portfolio.models import UseCase
from tests.factories import governance as make
from tests.factories.accounts import PersonFactory, give, person_with
from tests.factories.portfolio import UseCaseFactory, organisation
from tests.governance.visits import act, case_with, enter, furnish, panel, signed_in

pytestmark = pytest.mark.django_db
PANELS = ("evidence", "documents", "readiness", "models", "validation", "risk", "controls")


@pytest.mark.parametrize("key", PANELS)
def test_panel_shows_what_there_is_to_insiders_and_nothing_to_strangers(key: str) -> None:
    use_case, _lead, client = case_with()
    assert client.get(panel(use_case, key)).status_code == 200
    furnish(use_case)
    make.RiskClassificationFactory.create(use_case=use_case)
    make.QuestionnaireResponseFactory.create(use_case=use_case, dimensions={"business_value": "75.00"})
    assert client.get(panel(use_case, key)).status_code == 200
    assert signed_in(PersonFactory.create()).get(panel(use_case, key)).status_code == 404


@pytest.mark.parametrize("key", PANELS)
@pytest.mark.parametrize("role", ["technical_lead", "risk_compliance", "auditor"])
def test_panel_takes_a_constant_number_of_queries(key: str, role: str) -> None:
    use_case, _user, client = case_with(role)
    furnish(use_case)
    furnish(use_case)
    client.get(panel(use_case, key))
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(panel(use_case, key))
    for _round in range(4):
        furnish(use_case)
    with CaptureQueriesContext(connection) as many:
        client.get(panel(use_case, key))
    assert len(many) <= len(few), [query["sql"] for query in many.captured_queries]


@pytest.mark.parametrize(
    "name", ["index", "evidence_list", "document_list", "issue_list", "incident_list", "dataset_list"]
)
def test_list_shows_and_exports_visible_rows_in_a_constant_number_of_queries(name: str) -> None:
    use_case, _user, client = case_with("auditor")
    furnish(use_case)
    furnish(UseCaseFactory.create())
    url = reverse(f"governance:{name}")
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        page = client.get(url)
    assert page.status_code == 200
    for _round in range(4):
        furnish(UseCaseFactory.create())
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) <= len(few)
    stranger = signed_in(person_with("technical_lead", UseCaseFactory.create()))
    mine = signed_in(person_with("technical_lead", use_case))
    lines = b"".join(mine.get(url, {"export": "csv"}).streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    nothing = b"".join(stranger.get(url, {"export": "csv"}).streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) in (2, 3)
    assert len(nothing) == (2 if name == "index" else 1)


@pytest.mark.parametrize(
    "role", ["technical_lead", "risk_compliance", "business_owner", "it_operations", "data_steward"]
)
def test_every_form_that_is_offered_opens(role: str) -> None:
    use_case, _user, client = case_with(role)
    furnish(use_case)
    for key in PANELS:
        page = client.get(panel(use_case, key)).content.decode()
        for url in set(re.findall(r'href="(/governance/(?:use-cases|do)/[^"]+)"', page)):
            found = client.get(url.replace("&amp;", "&"))
            assert found.status_code == 200, url
            assert b'name="next"' in found.content


def test_forms_belong_to_what_they_are_about() -> None:
    use_case, _lead, client = case_with()
    version = make.ModelVersionFactory.create(model__use_case=use_case)
    assert client.get(enter(use_case, "card")).status_code == 404
    assert client.get(act("validation", version)).status_code == 404
    assert client.get(enter(use_case, "no-such-form")).status_code == 404
    assert client.get(reverse("governance:act", args=["card", "not-a-key"])).status_code == 404
    assert client.get(act("card", make.ModelVersionFactory.create())).status_code == 404


def test_stranger_gets_404_reader_403_anonymous_the_entrance() -> None:
    use_case = UseCaseFactory.create()
    url = enter(use_case, "validation")
    assert signed_in(PersonFactory.create()).get(url).status_code == 404
    assert signed_in(person_with("auditor", use_case)).get(url).status_code == 403
    assert Client().get(url).status_code == 302


@pytest.mark.parametrize("name", ["evidence", "document", "version", "issue", "incident", "dataset"])
def test_page_of_one_thing_is_seen_by_insiders_alone(name: str) -> None:
    use_case, _lead, client = case_with()
    furnish(use_case)
    version = use_case.models.get().versions.get()
    subjects: dict[str, Any] = {
        "evidence": use_case.evidence.first(),
        "document": use_case.documents.get(),
        "version": version,
        "issue": use_case.issues.get(),
        "incident": use_case.incidents.get(),
        "dataset": version.datasets.get(),
    }
    url = reverse(f"governance:{name}", args=[subjects[name].pk])
    assert client.get(url).status_code == 200
    assert signed_in(PersonFactory.create()).get(url).status_code == 404
    assert Client().get(url).status_code == 302


def added_file(use_case: UseCase, client: Client, name: str = "report.pdf", content: bytes = make.PDF) -> Evidence:
    client.post(enter(use_case, "evidence-file"), {"upload": make.upload(name, content), "title": "Report"})
    return Evidence.objects.get()


def test_file_is_handed_out_as_a_download_that_no_browser_runs() -> None:
    use_case, _lead, client = case_with()
    evidence = added_file(use_case, client)
    answer = client.get(reverse("governance:evidence_file", args=[evidence.pk]))
    assert b"".join(answer.streaming_content) == make.PDF  # type: ignore[attr-defined]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="report.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    url = reverse("governance:evidence_file", args=[evidence.pk])
    assert signed_in(PersonFactory.create()).get(url).status_code == 404
    assert Client().get(url).status_code == 302


def test_text_is_previewed_as_text_and_a_pdf_by_its_facts() -> None:
    use_case, _lead, client = case_with()
    text = added_file(use_case, client, "notes.txt", b"a < b & <b>c</b>")
    assert "a &lt; b &amp; &lt;b&gt;" in client.get(reverse("governance:evidence", args=[text.pk])).content.decode()
    Evidence.objects.all().delete()
    pdf = added_file(use_case, client)
    assert "1.7" in client.get(reverse("governance:evidence", args=[pdf.pk])).content.decode()


def test_author_is_not_offered_to_verify_and_another_is() -> None:
    use_case, security, client = case_with("security")
    own = make.EvidenceFactory.create(use_case=use_case, added_by=security)
    other = make.EvidenceFactory.create(use_case=use_case)
    assert client.post(act("verify-evidence", own)).status_code == 403
    assert client.post(act("verify-evidence", other)).status_code == 302
    other.refresh_from_db()
    assert other.verified_by == security


def test_steward_certifies_a_dataset_on_its_page() -> None:
    dataset = make.DatasetFactory.create()
    client = signed_in(person_with("data_steward", dataset.unit))
    url = reverse("governance:dataset", args=[dataset.pk])
    assert client.post(url, {"until": "2001-01-01"}).status_code == 422
    assert client.post(url, {"until": ""}).status_code == 302
    dataset.refresh_from_db()
    assert dataset.certified_at is not None


def test_risk_is_added_and_accepted_in_the_browser() -> None:
    use_case, owner, client = case_with("business_owner")
    sent = {"title": "Wrong offers", "likelihood": "1", "impact": "2", "residual": ""}
    assert client.post(enter(use_case, "risk"), sent).status_code == 302
    risk = RiskItem.objects.get()
    assert client.post(act("accept-risk", risk)).status_code == 302
    risk.refresh_from_db()
    assert risk.accepted_by == owner


def test_register_filters_by_tier_and_classification() -> None:
    auditor = person_with("auditor", organisation())
    confirmed = UseCaseFactory.create(tier="high", name="Confirmed one")
    give(auditor, "auditor", confirmed)
    make.RiskClassificationFactory.create(use_case=confirmed, confirmed_at="2026-01-01T00:00Z")
    UseCaseFactory.create(name="Unclassified one")
    client = signed_in(auditor)
    page = client.get(reverse("governance:index"), {"classification": "confirmed", "tier": "high"}).content.decode()
    assert "Confirmed one" in page
    assert "Unclassified one" not in page


def test_every_questionnaire_and_document_type_has_its_form() -> None:
    for key in questionnaires():
        assert f"questionnaire-{key.replace('_', '-')}" in entries
    for key in document_types():
        assert f"document-{key.replace('_', '-')}" in entries


def test_every_text_box_of_a_filter_says_what_it_is_for() -> None:
    client = signed_in(person_with("auditor", organisation()))
    page = client.get(reverse("governance:evidence_list")).content.decode()
    assert 'placeholder="Criterion"' in page
    assert page.index('name="q"') < page.index('name="criterion"') < page.index('name="use_case"')
