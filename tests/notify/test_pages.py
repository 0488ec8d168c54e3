"""One's own notices in the browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import ledger
from accounts.models import User
from notify.models import Notice
from notify.selectors import MOST_COUNTED, unread_count
from notify.services import tell, wanted_topics
from tests.factories.accounts import PersonFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def told(person: User, title: str, *, kind: str = "review.submitted", url: str = "") -> Notice:
    with ledger.unit_of_work(by=ledger.SYSTEM):
        return tell(recipients=[person], kind=kind, title=title, url=url)[0]


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(answer: Any) -> str:
    return str((answer.getvalue() if answer.streaming else answer.content).decode())


@pytest.mark.parametrize("address", ["", "bell/", "preferences/", "6f1b1a52-9c1f-4d56-9a0f-5f5d7c1c0d11/"])
def test_strangers_are_sent_to_sign_in(address: str) -> None:
    assert Client().get(f"/notices/{address}").status_code == 302


def test_one_sees_ones_own_notices() -> None:
    ada, grace = PersonFactory.create(), PersonFactory.create()
    told(ada, "For Ada")
    told(grace, "For Grace")
    page = text(browser(ada).get("/notices/"))
    assert "For Ada" in page
    assert "For Grace" not in page
    assert "1 unread notice" in page


def test_without_notices_the_page_says_what_will_come() -> None:
    assert "When something needs you" in text(browser(PersonFactory.create()).get("/notices/"))


def test_notices_are_found_by_words_topic_and_state() -> None:
    ada = PersonFactory.create()
    client = browser(ada)
    told(ada, "Sign the pilot")
    told(ada, "Drift found", kind="alert.opened")
    told(ada, "Import done", kind="import.finished")
    told(ada, "Waiver ends", kind="waiver.expiring")
    client.get(f"/notices/{Notice.objects.get(title='Drift found').pk}/")

    def titles(query: str) -> set[str]:
        page = text(client.get(f"/notices/?{query}", headers=HTMX))
        return {title for title in ("Sign the pilot", "Drift found", "Import done", "Waiver ends") if title in page}

    assert titles("q=pilot") == {"Sign the pilot"}
    assert titles("topic=alert") == {"Drift found"}
    assert titles("topic=condition") == {"Waiver ends"}
    assert titles("topic=other") == {"Import done"}
    assert titles("show=unread") == {"Sign the pilot", "Import done", "Waiver ends"}
    assert titles("q=nothing") == set()


def test_opening_a_notice_reads_it_and_leads_there() -> None:
    ada = PersonFactory.create()
    notice = told(ada, "Look", url="/people/?q=x")
    answer = browser(ada).get(f"/notices/{notice.pk}/")
    assert answer["Location"] == "/people/?q=x"
    notice.refresh_from_db()
    assert notice.read_at is not None


def test_a_notice_leads_nowhere_outside() -> None:
    ada = PersonFactory.create()
    notice = told(ada, "Look", url="https://evil.example/")
    assert browser(ada).get(f"/notices/{notice.pk}/")["Location"] == "/notices/"


def test_somebody_elses_notice_is_404_and_stays_unread() -> None:
    notice = told(PersonFactory.create(), "Private", url="/people/")
    assert browser(PersonFactory.create()).get(f"/notices/{notice.pk}/").status_code == 404
    notice.refresh_from_db()
    assert notice.read_at is None


def test_chosen_notices_or_all_are_marked_as_read() -> None:
    ada, grace = PersonFactory.create(), PersonFactory.create()
    first, other = told(ada, "First"), told(grace, "Other")
    told(ada, "Second")
    client = browser(ada)
    client.post("/notices/read/", {"action": "chosen", "chosen": [str(first.pk), str(other.pk), "nonsense"]})
    assert set(Notice.objects.filter(read_at__isnull=True).values_list("title", flat=True)) == {"Second", "Other"}
    client.post("/notices/read/", {"action": "all"})
    assert list(Notice.objects.filter(read_at__isnull=True)) == [other]
    assert client.get("/notices/read/").status_code == 405


def test_the_bell_counts_to_a_limit_with_one_query() -> None:
    ada = PersonFactory.create()
    Notice.objects.bulk_create(Notice(recipient=ada, kind="a.b", title="x") for _ in range(MOST_COUNTED + 20))
    with CaptureQueriesContext(connection) as asked:
        assert unread_count(ada) == MOST_COUNTED + 1
    assert len(asked) == 1
    assert "99+" in text(browser(ada).get("/notices/bell/"))


def test_the_bell_of_nothing_shows_no_number() -> None:
    assert 'class="count' not in text(browser(PersonFactory.create()).get("/notices/bell/"))


def test_people_choose_what_comes_by_mail() -> None:
    ada = PersonFactory.create()
    client = browser(ada)
    assert "Gate reviews" in text(client.get("/notices/preferences/"))
    assert client.post("/notices/preferences/", {"topics": ["alert", "role"]}).status_code == 302
    assert wanted_topics(ada, "email") == {"alert", "role"}
    assert client.post("/notices/preferences/", {"topics": ["moon"]}).status_code == 422
    assert client.post("/notices/preferences/", {}).status_code == 302
    assert wanted_topics(ada, "email") == set()


def test_the_list_takes_as_many_queries_for_few_as_for_many() -> None:
    ada = PersonFactory.create()
    client = browser(ada)
    told(ada, "x")

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/notices/").status_code == 200
        return len(asked)

    few = queries()
    for _ in range(10):
        told(ada, "x")
    assert queries() == few
    assert few <= 8


def test_the_export_holds_what_the_list_shows() -> None:
    ada = PersonFactory.create()
    told(ada, "=HYPERLINK()")
    assert "'=HYPERLINK(),Gate reviews," in text(browser(ada).get("/notices/?export=csv"))
