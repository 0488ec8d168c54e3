"""Who reads the audit trail: whoever holds a role that carries ``audit_log.view``, where they hold it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from ledger.models import Event
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, api_as, give, person_with
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db

API = "/api/v1/audit-events/"


@pytest.fixture
def retail() -> UseCase:
    return UseCaseFactory.create(name="Churn", unit=UnitFactory.create(code="retail", name="Retail"))


@pytest.fixture
def mining() -> UseCase:
    return UseCaseFactory.create(name="Ore", unit=UnitFactory.create(code="mining", name="Mining"))


def read(user: User) -> set[int]:
    response = api_as(user).get(API, {"page_size": 500})
    assert response.status_code == 200
    return {event["index"] for event in response.json()["results"]}


def told_under(use_case: UseCase) -> set[int]:
    return set(Event.objects.filter(unit_path__startswith=use_case.unit.path).values_list("index", flat=True))


def test_an_auditor_of_the_organisation_reads_everything(retail: UseCase, mining: UseCase) -> None:
    auditor = person_with("auditor", organisation())
    assert {0, *told_under(retail), *told_under(mining)} <= read(auditor)


def test_an_auditor_of_a_unit_reads_what_happened_below_it(retail: UseCase, mining: UseCase) -> None:
    auditor = person_with("risk_compliance", retail.unit)
    assert told_under(retail)
    assert told_under(retail) <= read(auditor)
    assert not told_under(mining) & read(auditor)


@pytest.mark.parametrize("role", ["technical_lead", "business_sponsor", "end_user"])
def test_other_roles_do_not_read_it(role: str, retail: UseCase) -> None:
    somebody = person_with(role, retail)
    assert api_as(somebody).get(API).status_code == 403


def test_an_account_without_a_role_does_not_read_it(client: Client) -> None:
    client.force_login(PersonFactory.create())
    assert client.get(reverse("ledger:events")).status_code == 403


def test_a_token_without_the_scope_does_not_read_it(retail: UseCase) -> None:
    auditor = person_with("auditor", organisation())
    assert api_as(auditor, ["use_case.view"]).get(API).status_code == 403
    assert api_as(auditor, ["audit_log.view"]).get(API).status_code == 200


def test_somebody_who_left_does_not_read_it(retail: UseCase) -> None:
    auditor = person_with("auditor", organisation())
    client = api_as(auditor)
    auditor.is_active = False
    auditor.save(update_fields=["is_active"])
    assert client.get(API).status_code in (401, 403)


def test_pages_call_people_and_use_cases_by_their_names(retail: UseCase, client: Client) -> None:
    auditor = person_with("auditor", organisation(), full_name="Audrey Auditor")
    client.force_login(auditor)
    found: Any = client.get(reverse("ledger:events"), {"use_case": "Churn", "action": "use_case"})
    assert [entry["text"] for entry in found.context["timeline"]]
    index = Event.objects.filter(use_case_id=str(retail.pk)).latest("index").index
    facts = client.get(reverse("ledger:event", args=[index])).context["facts"]
    assert f"Churn ({retail.key})" in [fact["value"] for fact in facts]


def test_reading_costs_a_constant_number_of_queries(retail: UseCase, django_assert_max_num_queries: Any) -> None:
    auditor = PersonFactory.create()
    for number in range(4):
        give(auditor, "risk_compliance", UnitFactory.create(code=f"u{number}", name=f"U {number}"))
    client = api_as(auditor)
    client.get(API)
    with django_assert_max_num_queries(8):
        client.get(API)
