"""Response times of units: they tighten what holds above them and never loosen it; an alert says whose it got."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from kernel.errors import Invalid
from ledger import SYSTEM, unit_of_work
from ledger.models import Event
from monitoring import escalation, services
from monitoring.alerting import open_alert
from monitoring.models import Alert, ResponseTarget
from monitoring.responses import target_for, targets
from portfolio.models import BusinessUnit
from tests.factories.accounts import PersonFactory, api_as, person_with
from tests.factories.monitoring import AlertFactory, SeriesFactory
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db

TIMES = "/api/v1/response-times/"


def units() -> tuple[BusinessUnit, BusinessUnit]:
    retail = UnitFactory.create(code="retail", name="Retail")
    return retail, UnitFactory.create(code="cards", name="Cards", parent=retail)


def wanted(**more: Any) -> dict[str, Any]:
    """Shipped for high, act: critical, an hour, eight hours."""
    return {
        "tier": "high",
        "level": "act",
        "severity": "critical",
        "acknowledge_minutes": 30,
        "resolve_minutes": 480,
        "told_first": [],
        "told_next": [],
    } | more


def test_a_unit_tightens_for_itself_and_below_it_and_nobody_else() -> None:
    retail, cards = units()
    other = UnitFactory.create(code="claims")
    services.set_response(**wanted(told_first=["security"]), unit=retail, by=SYSTEM)
    for unit in (retail, cards):
        found = target_for("high", "act", unit)
        assert (found.acknowledge, found.resolve) == (timedelta(minutes=30), timedelta(hours=8))
        assert (found.set_by, found.unit) == ("unit", retail)
        assert "security" in found.told_first
        assert set(target_for("high", "act").told_first) < set(found.told_first)
    for elsewhere in (other, None):
        assert target_for("high", "act", elsewhere).acknowledge == timedelta(hours=1)
    services.set_response(**wanted(acknowledge_minutes=10), unit=cards, by=SYSTEM)
    assert target_for("high", "act", cards).acknowledge == timedelta(minutes=10)
    assert "security" in target_for("high", "act", cards).told_first  # what Retail asks for holds on
    assert [event.unit_path for event in Event.objects.filter(action="response.set").order_by("index")] == [
        retail.path,
        cards.path,
    ]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"acknowledge_minutes": 61}, "acknowledge_minutes"),
        ({"resolve_minutes": 481}, "resolve_minutes"),
        ({"severity": "high"}, "severity"),
        ({"acknowledge_minutes": 60}, "acknowledge_minutes"),  # nothing is tighter
        ({"told_first": ["nobody"]}, "told_first"),
    ],
)
def test_loosening_is_refused_at_its_field(wrong: dict[str, Any], field: str) -> None:
    retail, _cards = units()
    with pytest.raises(Invalid) as refused:
        services.set_response(**wanted(**wrong), unit=retail, by=SYSTEM)
    assert list(refused.value.errors) == [field]
    assert not ResponseTarget.objects.exists()


def test_a_unit_below_may_not_loosen_what_its_parent_tightened_and_the_root_has_none() -> None:
    retail, cards = units()
    services.set_response(**wanted(), unit=retail, by=SYSTEM)
    with pytest.raises(Invalid, match="it can only be sooner here"):
        services.set_response(**wanted(acknowledge_minutes=45, resolve_minutes=60), unit=cards, by=SYSTEM)
    with pytest.raises(Invalid, match="set them there"):
        services.set_response(**wanted(), unit=organisation(), by=SYSTEM)


def test_what_is_tightened_above_later_holds_in_the_unit_too() -> None:
    retail, cards = units()
    services.set_response(**wanted(), unit=cards, by=SYSTEM)
    lead = {"told_first": ["technical_lead"], "told_next": ["business_owner"]}
    services.set_response(**wanted(acknowledge_minutes=5, resolve_minutes=30, **lead), by=SYSTEM)
    found = target_for("high", "act", cards)
    assert (found.acknowledge, found.resolve, found.set_by) == (
        timedelta(minutes=5),
        timedelta(minutes=30),
        "organisation",
    )
    assert target_for("high", "act", retail).set_by == "organisation"


def test_an_alert_tells_whose_times_it_got_and_its_roles_are_told() -> None:
    retail, cards = units()
    services.set_response(**wanted(told_first=["security"]), unit=retail, by=SYSTEM)
    series = SeriesFactory.create(use_case=UseCaseFactory.create(unit=cards, tier="high"))
    person_with("security", series.use_case)
    with unit_of_work(by=SYSTEM) as uow:
        alert = open_alert(uow, series, rule=None, level="act", message="It fell silent.")
    assert (alert.response_by, alert.response_unit) == ("unit", retail)
    assert Event.objects.get(action="alert.opened").changes["response_unit"]["after"] == str(retail.pk)
    reader = person_with("auditor", series.use_case)
    client = Client()
    client.force_login(reader)
    page = client.get(reverse("monitoring:alert", args=[alert.pk])).content.decode()
    assert "Times set by" in page
    assert f"{reverse('monitoring:responses')}?unit=retail" in page
    told = api_as(reader).get(f"/api/v1/alerts/{alert.pk}/").json()
    assert (told["response_by"], told["response_unit"]) == ("unit", "retail")
    assert escalation.chase_late(at=timezone.now() + timedelta(minutes=31)) == 1
    assert "security" in Event.objects.get(action="alert.late").changes["roles"]["after"]


def test_whoever_configures_monitoring_of_the_whole_unit_sets_its_times() -> None:
    retail, cards = units()
    lead = person_with("technical_lead", cards)
    services.set_response(**wanted(), unit=cards, by=lead)
    for unit in (retail, None):
        with pytest.raises(PermissionDenied):
            services.set_response(**wanted(acknowledge_minutes=20, told_first=["security"]), unit=unit, by=lead)
    with pytest.raises(PermissionDenied):
        services.reset_response(tier="high", level="act", unit=cards, by=PersonFactory.create())
    of_one = person_with("technical_lead", UseCaseFactory.create(unit=cards))
    with pytest.raises(PermissionDenied):
        services.set_response(**wanted(), unit=cards, by=of_one)


def test_the_page_of_a_unit_shows_tightens_and_resets() -> None:
    retail, _cards = units()
    lead, reader = Client(), Client()
    lead.force_login(person_with("technical_lead", retail))
    reader.force_login(PersonFactory.create())
    page = reverse("monitoring:responses")
    edit = reverse("monitoring:unit_response_edit", args=["cards", "high", "act"])
    assert "Tighten" in lead.get(page, {"unit": "cards"}).content.decode()
    assert "Tighten" not in reader.get(page, {"unit": "cards"}).content.decode()
    assert "What holds above this unit" in lead.get(edit).content.decode()
    assert reader.get(edit).status_code == 403
    given = {"severity": "critical", "acknowledge": "2", "acknowledge_unit": "60", "resolve": "8", "resolve_unit": "60"}
    assert "it can only be sooner here" in lead.post(edit, given).content.decode()
    assert lead.post(edit, given | {"acknowledge": "15", "acknowledge_unit": "1"}).status_code == 302
    shown = lead.get(page, {"unit": "cards"}).content.decode()
    assert "15 minutes" in shown
    assert "tightened by Cards" in shown
    assert "Cards" in reader.get(page).content.decode().split("Units with times of their own:")[1][:200]
    reset = reverse("monitoring:unit_response_reset", args=["cards", "high", "act"])
    assert reader.post(reset).status_code == 403
    assert lead.post(reset).status_code == 302
    assert not ResponseTarget.objects.exists()
    assert reader.get(page, {"unit": "nowhere"}).status_code == 404
    assert Client().get(edit).status_code == 302


def test_everything_is_done_over_rest_too() -> None:
    retail, _cards = units()
    lead, reader = api_as(person_with("technical_lead", retail)), api_as(PersonFactory.create())
    body = {key: value for key, value in wanted().items() if key not in {"tier", "level"}}
    assert reader.put(f"{TIMES}high/act/?unit=retail", body, format="json").status_code == 403
    answer = lead.put(f"{TIMES}high/act/?unit=retail", body, format="json")
    assert (answer.status_code, answer.json()["unit"], answer.json()["acknowledge_minutes"]) == (200, "retail", 30)
    listed = reader.get(f"{TIMES}?unit=cards").json()
    assert [(row["set_by"], row["unit"]) for row in listed if (row["tier"], row["level"]) == ("high", "act")] == [
        ("unit", "retail")
    ]
    assert all(row["set_by"] == "product" for row in reader.get(TIMES).json())
    refused = lead.put(f"{TIMES}high/act/?unit=retail", body | {"resolve_minutes": 999}, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["resolve_minutes"])
    assert lead.put(f"{TIMES}high/act/", body | {"told_first": ["security"]}, format="json").status_code == 403
    assert lead.put(f"{TIMES}odd/act/?unit=retail", body, format="json").status_code == 404
    assert reader.get(f"{TIMES}?unit=nowhere").status_code == 422
    assert lead.delete(f"{TIMES}high/act/?unit=retail").status_code == 204
    assert not ResponseTarget.objects.exists()
    assert APIClient().get(TIMES).status_code == 401


def test_reading_them_takes_one_question_however_many_units_have_their_own() -> None:
    retail, cards = units()
    for unit, minutes in ((retail, 30), (cards, 20)):
        services.set_response(**wanted(acknowledge_minutes=minutes), unit=unit, by=SYSTEM)
    with CaptureQueriesContext(connection) as captured:
        targets(cards)
    assert len(captured) == 1


# -- Alerts from before there were response times ----------------------------------------------------------------------


def test_an_alert_without_a_clock_gets_one_counted_from_now() -> None:
    opened = timezone.now() - timedelta(days=30)
    alert = AlertFactory.create(level="act", opened_at=opened)
    asleep = AlertFactory.create(state="snoozed", snoozed_until=timezone.now() + timedelta(days=1))
    over = AlertFactory.create(state="resolved", resolved_at=timezone.now())
    assert escalation.start_missing_clocks() == 1
    assert escalation.start_missing_clocks() == 0
    alert.refresh_from_db()
    assert alert.clock_from is not None
    assert alert.acknowledge_by is not None
    assert timezone.now() - alert.clock_from < timedelta(minutes=1)
    assert alert.acknowledge_by - alert.clock_from == timedelta(hours=1)
    assert (alert.severity, alert.response_by, alert.opened_at) == ("critical", "product", opened)
    assert escalation.chase_late() == 0
    assert escalation.chase_late(at=timezone.now() + timedelta(minutes=61)) == 1
    assert Event.objects.filter(action="alert.clock_started").count() == 1
    for untouched in (asleep, over):
        untouched.refresh_from_db()
        assert untouched.clock_from is None
    assert Alert.objects.filter(clock_from__isnull=False).count() == 1
