"""The pages of the ledger: who may read what, filters, paging, exports, one event."""

from __future__ import annotations

import csv
import io
import subprocess
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

import ledger
from accounts.models import User
from ledger import SYSTEM, Personal, Subject, access, lookups, unit_of_work
from ledger.access import EventScope
from ledger.models import Event, PersonalValue
from tests.factories.accounts import PersonFactory

pytestmark = pytest.mark.django_db

EVERYTHING = EventScope(everything=True)


class Names:
    """Calls every key by a name; finds the keys it was made with by their name."""

    def __init__(self, **keys: str) -> None:
        self.keys = keys

    def names(self, keys: Collection[str]) -> Mapping[str, str]:
        return {key: name for name, key in self.keys.items() if key in keys}

    def search(self, text: str) -> Collection[str]:
        return [key for name, key in self.keys.items() if name == text]

    def url(self, key: str) -> str:
        return f"/somewhere/{key}/"


@pytest.fixture
def reader() -> User:
    return PersonFactory.create(full_name="Rita Reader")


@pytest.fixture
def let(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``let(scope)``: what everybody may read from now on."""
    monkeypatch.setattr(access, "_hooks", access._Hooks())
    monkeypatch.setattr(lookups, "_lookups", {})

    def let_read(scope: EventScope) -> None:
        def guard(request: HttpRequest) -> EventScope:
            return scope

        access.set_guard(guard)

    return let_read


@pytest.fixture
def page(client: Client, reader: User) -> Client:
    client.force_login(reader)
    return client


@pytest.fixture(autouse=True)
def history(reader: User) -> None:
    with unit_of_work(by=reader) as uow:
        for number in range(3):
            lamp = Subject("workshop.lamp", str(number), f"Lamp {number}")
            uow.record("lamp.bought", subject=lamp, unit=f"/shop/{number}/", use_case=f"uc-{number}", note="a *note*")
    with unit_of_work(by=SYSTEM) as uow:
        uow.record(
            "drift.found", subject=Subject("workshop.desk", "9", "Desk"), unit="/office/", after={"score": "0.2"}
        )


def labels(response: Any) -> list[str]:
    return [entry["text"] for entry in response.context["timeline"]]


def test_nobody_reads_before_somebody_signs_in(client: Client, let: Any) -> None:
    let(EVERYTHING)
    for url in (reverse("ledger:events"), reverse("ledger:event", args=[0])):
        response = client.get(url)
        assert response.status_code == 302
        assert response.headers["Location"].startswith(reverse("account_login"))


def test_nobody_reads_until_a_guard_says_who_may(page: Client, let: Any) -> None:
    assert page.get(reverse("ledger:events")).status_code == 403
    assert page.get(reverse("ledger:event", args=[0])).status_code == 403


def test_an_empty_scope_is_forbidden(page: Client, let: Any) -> None:
    let(EventScope())
    assert page.get(reverse("ledger:events")).status_code == 403


def test_a_scope_of_a_unit_shows_it_and_what_is_below(page: Client, let: Any) -> None:
    let(EventScope(unit_paths=("/shop/1/", "/office/")))
    assert labels(page.get(reverse("ledger:events"))) == ["Drift found: Desk", "Lamp bought: Lamp 1"]
    let(EventScope(unit_paths=("/shop/",)))
    assert len(labels(page.get(reverse("ledger:events")))) == 3


def test_a_scope_of_use_cases_shows_theirs(page: Client, let: Any) -> None:
    let(EventScope(use_case_ids=("uc-2",)))
    assert labels(page.get(reverse("ledger:events"))) == ["Lamp bought: Lamp 2"]


def test_an_event_outside_the_scope_does_not_exist(page: Client, let: Any) -> None:
    let(EventScope(unit_paths=("/shop/1/",)))
    assert page.get(reverse("ledger:event", args=[1])).status_code == 200
    for index in (0, 3, 99):
        assert page.get(reverse("ledger:event", args=[index])).status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "lamp 1"}, ["Lamp bought: Lamp 1"]),
        ({"action": "lamp"}, ["Lamp bought: Lamp 2", "Lamp bought: Lamp 1", "Lamp bought: Lamp 0"]),
        ({"action": "lam"}, []),
        ({"action": "drift.found"}, ["Drift found: Desk"]),
        ({"use_case": "uc-0"}, ["Lamp bought: Lamp 0"]),
        ({"use_case": "Second"}, ["Lamp bought: Lamp 1"]),
        ({"unit": "/office/"}, ["Drift found: Desk"]),
        ({"actor": "system"}, ["Drift found: Desk"]),
        ({"actor": "Nobody"}, []),
        ({"until": "2020-01-01"}, []),
        ({"since": "2999-01-01"}, []),
        ({"q": "lamp", "use_case": "uc-2"}, ["Lamp bought: Lamp 2"]),
    ],
)
def test_filters(query: dict[str, str], expected: list[str], page: Client, let: Any) -> None:
    let(EVERYTHING)
    lookups.set_lookup("use_case", Names(Second="uc-1"))
    assert labels(page.get(reverse("ledger:events"), query)) == expected


def test_a_person_is_found_by_name_and_shown_by_it(page: Client, let: Any, reader: User) -> None:
    let(EVERYTHING)
    lookups.set_lookup("actor", Names(Rita=str(reader.pk)))
    response = page.get(reverse("ledger:events"), {"actor": "Rita"})
    assert [entry["person"] for entry in response.context["timeline"]] == ["Rita"] * 3


def test_a_day_as_the_end_includes_the_day(page: Client, let: Any) -> None:
    let(EVERYTHING)
    today = Event.objects.latest("index").at.date().isoformat()
    assert len(labels(page.get(reverse("ledger:events"), {"since": today, "until": today}))) == 4


def test_a_date_that_is_none_is_said_and_nothing_is_shown(page: Client, let: Any) -> None:
    let(EVERYTHING)
    response = page.get(reverse("ledger:events"), {"since": "yesterday"})
    assert response.status_code == 422
    assert labels(response) == []
    assert "since" in response.context["form"].errors


def test_pages_are_walked_back_and_forth_and_keep_their_filters(page: Client, let: Any) -> None:
    let(EVERYTHING)
    with unit_of_work(by=SYSTEM) as uow:
        for number in range(120):
            uow.record("lamp.lit", subject=Subject("workshop.lamp", str(number), f"Lamp {number}"))
    first = page.get(reverse("ledger:events"), {"action": "lamp.lit"})
    second = page.get(first.context["older_url"])
    third = page.get(second.context["older_url"])
    assert [len(labels(response)) for response in (first, second, third)] == [50, 50, 20]
    assert (first.context["newer_url"], third.context["older_url"]) == ("", "")
    back = page.get(second.context["newer_url"])
    assert labels(back) == labels(first)
    assert page.get(third.context["newer_url"]).context["timeline"] == second.context["timeline"]


def test_nonsense_positions_are_ignored(page: Client, let: Any) -> None:
    let(EVERYTHING)
    for position in ("x", "-1", "9" * 40, ""):
        assert page.get(reverse("ledger:events"), {"before": position}).status_code == 200


def test_the_export_holds_what_the_filters_let_through(page: Client, let: Any, reader: User) -> None:
    let(EventScope(unit_paths=("/shop/",)))
    lookups.set_lookup("actor", Names(**{"=Rita": str(reader.pk)}))
    response: Any = page.get(reverse("ledger:events"), {"action": "lamp", "export": "csv"})
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert [row["Index"] for row in rows] == ["2", "1", "0"]
    assert rows[0]["Leaf hash"] == Event.objects.get(pk=2).leaf_hash
    assert rows[0]["Actor's name"] == "'=Rita"  # no spreadsheet runs it


def test_the_page_of_an_event_shows_what_changed(page: Client, let: Any) -> None:
    let(EVERYTHING)
    with unit_of_work(by=SYSTEM) as uow:
        before = {"watts": 5, "owner": Personal("Ada"), "colour": "red"}
        after = {"watts": 7, "owner": Personal("Grace"), "colour": "red"}
        uow.record("lamp.changed", subject=Subject("workshop.lamp", "1"), before=before, after=after)
    response = page.get(reverse("ledger:event", args=[4]))
    assert response.context["changes"] == [
        {"name": "Owner", "before": "Ada", "after": "Grace"},
        {"name": "Watts", "before": "5", "after": "7"},
    ]
    assert response.context["unchanged"] == ["Colour"]
    ledger.erase_personal_values(PersonalValue.objects.all(), by=SYSTEM, subject=Subject("workshop.lamp", "1"))
    changes = page.get(reverse("ledger:event", args=[4])).context["changes"]
    assert changes[0] == {"name": "Owner", "before": "(erased)", "after": "(erased)"}


def test_the_command_on_the_page_prints_the_leaf_hash(page: Client, let: Any) -> None:
    let(EVERYTHING)
    with unit_of_work(by=SYSTEM) as uow:
        uow.record("lamp.changed", subject=Subject("t.lamp", "1"), after={"name": "it's \\ a $(lamp) `é` \x00 %s"})
    command = page.get(reverse("ledger:event", args=[4])).context["check_command"]
    printed = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert printed.stdout.split()[0] == Event.objects.get(pk=4).leaf_hash


def test_neighbours_are_those_one_may_read(page: Client, let: Any) -> None:
    let(EventScope(use_case_ids=("uc-0", "uc-2")))
    response = page.get(reverse("ledger:event", args=[2]))
    assert response.context["newer"] == ""
    assert response.context["older"] == reverse("ledger:event", args=[0])


def test_the_number_of_queries_does_not_grow_with_the_events(
    page: Client, let: Any, django_assert_max_num_queries: Any
) -> None:
    let(EVERYTHING)
    with unit_of_work(by=SYSTEM) as uow:
        for number in range(60):
            uow.record("lamp.lit", subject=Subject("workshop.lamp", str(number)), note="x")
    with django_assert_max_num_queries(6):
        page.get(reverse("ledger:events"))


def test_htmx_gets_the_list_alone(page: Client, let: Any) -> None:
    let(EVERYTHING)
    response = page.get(reverse("ledger:events"), headers={"HX-Request": "true"})
    assert response.content.strip().startswith(b'<div id="table"')


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written_through_the_pages(method: str, page: Client, let: Any) -> None:
    let(EVERYTHING)
    assert getattr(page, method)(reverse("ledger:events")).status_code == 405
