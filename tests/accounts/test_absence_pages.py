"""Delegations and absences in the browser and over REST, and whom somebody reports to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Absence, Delegation, User
from accounts.services import delegate
from ledger.models import Event
from tests.factories.accounts import PersonFactory, api_as, give, person_with
from tests.factories.portfolio import UnitFactory, organisation

pytestmark = pytest.mark.django_db
ROLE = "business_owner"
PAGE = "/settings/absence/"
API = "/api/v1/"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def pair() -> tuple[User, User]:
    return person_with(ROLE, UnitFactory.create()), person_with(ROLE, UnitFactory.create())


def day(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def send(user: User, path: str, **body: Any) -> Any:
    return as_(user).post(f"{API}{path}", body, content_type="application/json")


def test_a_role_is_delegated_and_taken_back_on_the_page() -> None:
    giver, stand_in = pair()
    client = as_(giver)
    assert stand_in.full_name in client.get(f"{PAGE}delegate/").content.decode()
    body = {"role": ROLE, "stand_in": str(stand_in.pk), "starts_at": day(0), "ends_at": day(5), "reason": "Holiday"}
    assert client.post(f"{PAGE}delegate/", body).status_code == 302
    row = Delegation.objects.get()
    assert stand_in.full_name in client.get(PAGE).content.decode()
    assert giver.full_name in as_(stand_in).get(PAGE).content.decode()
    assert as_(PersonFactory.create()).post(f"{PAGE}delegations/{row.pk}/end/").status_code == 404
    assert client.post(f"{PAGE}delegations/{row.pk}/end/").status_code == 302
    row.refresh_from_db()
    assert row.is_over
    assert client.post(f"{PAGE}delegations/{row.pk}/end/").status_code == 409


@pytest.mark.parametrize(
    ("wrong", "said"), [({"ends_at": 31}, "30 days"), ({"starts_at": -1}, "Today"), ({"ends_at": -1}, "ends after")]
)
def test_wrong_days_are_said_at_the_field(wrong: dict[str, int], said: str) -> None:
    giver, stand_in = pair()
    days = {"starts_at": 0, "ends_at": 5, **wrong}
    body = {"role": ROLE, "stand_in": str(stand_in.pk), "reason": "Holiday", **{k: day(v) for k, v in days.items()}}
    answer = as_(giver).post(f"{PAGE}delegate/", body)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Delegation.objects.exists()


def test_an_absence_with_a_stand_in_delegates_in_one_step_and_ends_so() -> None:
    giver, stand_in = pair()
    client = as_(giver)
    body = {"starts_on": day(1), "ends_on": day(4), "stand_in": str(stand_in.pk), "delegate": "on", "note": "Away"}
    assert client.post(f"{PAGE}new/", body).status_code == 302
    assert Delegation.objects.filter(giver=giver, stand_in=stand_in, ended_at__isnull=True).exists()
    absence = Absence.objects.get()
    assert as_(stand_in).post(f"{PAGE}{absence.pk}/cancel/").status_code == 404
    assert client.post(f"{PAGE}{absence.pk}/cancel/").status_code == 302
    assert not Delegation.objects.filter(ended_at__isnull=True).exists()
    assert "Ended early" in client.get(PAGE).content.decode()


def test_empty_pages_say_what_to_do() -> None:
    assert "Nobody stands in for you" in as_(pair()[0]).get(PAGE).content.decode()
    assert "no role that signs" in as_(PersonFactory.create()).get(PAGE).content.decode()
    assert Client().get(PAGE).status_code == 302


def test_the_page_takes_as_many_queries_for_one_delegation_as_for_many(
    django_assert_max_num_queries: Any,
) -> None:
    giver = person_with(ROLE, UnitFactory.create())
    client = as_(giver)
    for n in range(6):
        other = person_with(ROLE, UnitFactory.create())
        begin = timezone.now() + timedelta(days=3 * n)
        delegate(giver=giver, stand_in=other, role=ROLE, starts_at=begin, ends_at=begin + timedelta(days=2), by=giver)
    with django_assert_max_num_queries(14):
        assert client.get(PAGE).status_code == 200


def test_delegations_over_rest() -> None:
    giver, stand_in = pair()
    until = (timezone.now() + timedelta(days=3)).isoformat()
    body = {"stand_in": str(stand_in.pk), "role": ROLE, "ends_at": until, "reason": "Holiday"}
    made = send(giver, "delegations/", **body)
    assert made.status_code == 201, made.content
    assert made.json()["in_force"] is True
    assert send(giver, "delegations/", **body).status_code == 409
    too_long = {**body, "ends_at": (timezone.now() + timedelta(days=31)).isoformat()}
    assert send(giver, "delegations/", **too_long).status_code == 422
    for person, count in ((giver, 1), (stand_in, 1), (PersonFactory.create(), 0)):
        assert len(as_(person).get(f"{API}delegations/?in_force=true").json()["results"]) == count
    one = f"delegations/{made.json()['id']}/"
    assert as_(PersonFactory.create()).get(f"{API}{one}").status_code == 404
    assert as_(giver).patch(f"{API}{one}", {"ends_at": until}, content_type="application/json").status_code == 405
    assert send(stand_in, f"{one}end/").status_code == 200
    assert send(giver, f"{one}end/").status_code == 409


def test_a_token_reads_delegations_and_gives_none() -> None:
    giver, stand_in = pair()
    client = api_as(giver)
    assert client.get(f"{API}delegations/").status_code == 200
    until = (timezone.now() + timedelta(days=3)).isoformat()
    body = {"stand_in": str(stand_in.pk), "role": ROLE, "ends_at": until, "reason": "Holiday"}
    assert client.post(f"{API}delegations/", body).status_code == 403
    assert not Delegation.objects.exists()


def test_absences_over_rest() -> None:
    giver, stand_in = pair()
    made = send(giver, "absences/", starts_on=day(0), ends_on=day(2), stand_in=str(stand_in.pk), delegate=True)
    assert made.status_code == 201, made.content
    assert Delegation.objects.exists()
    assert send(giver, "absences/", starts_on=day(1), ends_on=day(1)).status_code == 409
    found = as_(giver).get(f"{API}absences/?on={day(1)}").json()["results"]
    assert [row["stand_in"]["name"] for row in found] == [stand_in.full_name]
    one = f"absences/{made.json()['id']}/"
    assert send(giver, f"{one}cancel/").status_code == 200
    stranger = PersonFactory.create()
    assert send(stranger, f"{one}cancel/").status_code == 404
    assert Client().get(f"{API}absences/").status_code == 401


def test_whom_somebody_reports_to_is_said_by_who_manages_accounts() -> None:
    admin, person, boss = person_with("system_admin", organisation()), PersonFactory.create(), PersonFactory.create()
    page = f"/people/{person.pk}/manager/"
    assert as_(admin).post(page, {"manager": boss.email}).status_code == 302
    person.refresh_from_db()
    assert person.manager == boss
    assert Event.objects.filter(action="person.manager_changed").count() == 1
    assert boss.full_name in as_(admin).get(f"/people/{person.pk}/").content.decode()
    give(boss, "portfolio_manager", organisation())
    assert as_(boss).post(page, {"manager": ""}).status_code == 403
    assert as_(admin).post(page, {"manager": "nobody@example.org"}).status_code == 422
    assert as_(admin).post(f"/people/{boss.pk}/manager/", {"manager": person.email}).status_code == 422
    assert send(admin, f"people/{admin.pk}/set-manager/", manager=str(boss.pk)).status_code == 403
    answer = send(admin, f"people/{person.pk}/set-manager/", manager=None)
    assert answer.status_code == 200
    assert answer.json()["manager"] is None
