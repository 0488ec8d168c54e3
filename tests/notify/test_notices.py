"""Notices are written with what they tell of and sent once, whatever workers do."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

import ledger
from accounts.models import User
from accounts.services import end_role
from notify import delivery
from notify.channel import Channel, DeliveryError, Message, channels
from notify.models import Delivery, Notice
from notify.services import choose_channels, mark_read, tell, wanted_topics
from notify.tasks import deliver, tell_of_roles
from notify.topics import TOPICS, topic_of
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


def told(*people: User, kind: str = "review.submitted", **more: Any) -> list[Notice]:
    more.setdefault("title", "A review waits for you")
    with ledger.unit_of_work(by=ledger.SYSTEM):
        return tell(recipients=people, kind=kind, **more)


def emails() -> list[Delivery]:
    return list(Delivery.objects.filter(channel="email").order_by("pk"))


class Broken:
    """Makes the mail connection fail with an error, as the server would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        self.calls = 0

        def send(_message: object, *args: object, **kwargs: object) -> int:
            self.calls += 1
            raise error

        monkeypatch.setattr("django.core.mail.EmailMessage.send", send)


def test_a_notice_is_there_at_once_and_its_mail_goes_out_later() -> None:
    ada = PersonFactory.create()
    [notice] = told(ada, url="/gates/reviews/7/", body="Sign by Friday.")
    assert [(d.channel, d.state) for d in notice.deliveries.order_by("channel")] == [
        ("email", "queued"),
        ("in_app", "sent"),
    ]
    assert mail.outbox == []
    assert deliver() == 1
    [letter] = mail.outbox
    assert (letter.to, letter.subject) == ([ada.email], "[Tollgate] A review waits for you")
    assert "Sign by Friday." in letter.body
    assert "http://127.0.0.1:8000/gates/reviews/7/" in letter.body
    assert [row.state for row in emails()] == ["sent"]
    assert deliver() == 0
    assert len(mail.outbox) == 1


def test_a_notice_of_what_was_rolled_back_never_existed() -> None:
    ada = PersonFactory.create()
    with pytest.raises(RuntimeError), ledger.unit_of_work(by=ledger.SYSTEM):
        tell(recipients=[ada], kind="review.submitted", title="x")
        raise RuntimeError
    assert not Notice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_telling_outside_a_unit_of_work_is_a_mistake() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        tell(recipients=[], kind="review.submitted", title="x")


def test_the_worker_is_woken_after_the_commit_and_only_then(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        told(PersonFactory.create())
    assert len(callbacks) == 1
    with django_capture_on_commit_callbacks() as callbacks:
        told(PersonFactory.create(), kind="import.finished")  # no topic of it goes out by mail
    assert callbacks == []


def test_with_a_dedupe_key_a_person_is_told_once() -> None:
    ada, grace = PersonFactory.create(), PersonFactory.create()
    assert len(told(ada, dedupe_key="review:7")) == 1
    assert [notice.recipient for notice in told(ada, grace, dedupe_key="review:7")] == [grace]
    assert (Notice.objects.count(), len(emails())) == (2, 2)
    assert len(told(ada, dedupe_key="review:8")) == 1


def test_machines_strangers_and_doubles_are_left_out() -> None:
    ada = PersonFactory.create()
    assert len(told(ada, ada, ServiceAccountFactory.create(), PersonFactory.create(is_active=False))) == 1


def test_people_at_a_domain_without_mail_get_none() -> None:
    told(PersonFactory.create(email="ines@demo.tollgate.example"))
    assert emails() == []


def test_telling_many_takes_as_many_queries_as_telling_one(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    people = [PersonFactory.create() for _ in range(30)]
    with transaction.atomic(), django_assert_num_queries(3):
        tell(recipients=people, kind="review.submitted", title="x")


def test_people_choose_by_topic_what_comes_by_mail() -> None:
    ada = PersonFactory.create()
    assert "review" in wanted_topics(ada, "email")
    choose_channels(user=ada, channel="email", topics=["evidence"])
    assert wanted_topics(ada, "email") == {"evidence"}
    told(ada, kind="review.submitted")
    told(ada, kind="document.expiring")
    assert [row.notice.kind for row in emails()] == ["document.expiring"]
    assert Notice.objects.filter(recipient=ada).count() == 2


@pytest.mark.parametrize(
    ("kind", "topic"),
    [("review.submitted", "review"), ("waiver.expired", "condition"), ("moon.landed", "other"), ("alert", "alert")],
)
def test_a_kind_belongs_to_the_topic_of_its_noun(kind: str, topic: str) -> None:
    assert topic_of(kind).key == topic
    assert topic in TOPICS


def test_a_failed_delivery_is_tried_again_later_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Broken(monkeypatch, ConnectionRefusedError("no route"))
    told(PersonFactory.create())
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for attempt in range(1, delivery.ATTEMPTS + 1):
            assert deliver() == 0
            [row] = emails()
            assert (server.calls, row.attempts) == (attempt, attempt)
            assert "no route" in row.error
            assert deliver() == 0
            assert server.calls == attempt, "it was tried again before its time"
            clock.shift(timedelta(days=2))
    assert emails()[0].state == "failed"


def test_a_recovered_server_gets_the_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    told(PersonFactory.create())
    with time_machine.travel(timezone.now(), tick=False) as clock:
        with monkeypatch.context() as patch:
            Broken(patch, smtplib.SMTPServerDisconnected("gone"))
            deliver()
        clock.shift(timedelta(hours=1))
        assert deliver() == 1
    assert (emails()[0].state, emails()[0].error) == ("sent", "")


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPRecipientsRefused({"a@example.org": (550, b"unknown")}),
        smtplib.SMTPDataError(554, b"refused"),
    ],
)
def test_what_will_never_work_is_not_repeated(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    Broken(monkeypatch, error)
    told(PersonFactory.create())
    deliver()
    assert (emails()[0].state, emails()[0].attempts) == ("failed", 1)


def test_a_defect_in_one_channel_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    class Carrier(Channel):
        key = "pigeon"
        label = "Pigeon"

        def reaches(self, user: User) -> bool:
            return True

        def send(self, message: Message) -> None:
            raise ZeroDivisionError

    monkeypatch.setitem(channels._plugins, "pigeon", Carrier())
    told(PersonFactory.create())
    assert deliver() == 1
    assert len(mail.outbox) == 1
    assert "ZeroDivisionError" in Delivery.objects.get(channel="pigeon").error


def test_only_one_of_two_workers_gets_an_attempt() -> None:
    told(PersonFactory.create())
    one, other = Delivery.objects.get(channel="email"), Delivery.objects.get(channel="email")
    assert [delivery.claim(one), delivery.claim(other)] == [True, False]


def test_what_a_dead_worker_had_claimed_comes_due_again_and_not_before() -> None:
    told(PersonFactory.create())
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert delivery.claim(Delivery.objects.get(channel="email"))  # and then it dies
        assert deliver() == 0
        clock.shift(timedelta(minutes=3))
        assert deliver() == 1


def test_a_delivery_that_kills_every_worker_ends() -> None:
    told(PersonFactory.create())
    Delivery.objects.filter(channel="email").update(attempts=delivery.ATTEMPTS)
    deliver()
    assert emails()[0].state == "failed"
    assert mail.outbox == []


def test_a_late_result_does_not_overwrite_that_of_a_later_attempt() -> None:
    told(PersonFactory.create())
    slow = Delivery.objects.get(channel="email")
    delivery.claim(slow)
    Delivery.objects.filter(pk=slow.pk).update(state="sent", attempts=2)
    delivery._note_failure(slow, "timed out", permanent=True)
    assert emails()[0].state == "sent"


def test_a_channel_that_was_taken_away_is_said_so() -> None:
    [notice] = told(PersonFactory.create())
    Delivery.objects.create(notice=notice, channel="telex")
    deliver()
    assert "telex" in Delivery.objects.get(channel="telex").error


def test_nobody_who_left_is_written_to() -> None:
    ada = PersonFactory.create()
    told(ada)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert deliver() == 0
    assert (mail.outbox, emails()[0].state) == ([], "failed")


def test_a_title_cannot_add_headers() -> None:
    told(PersonFactory.create(), title="Hello\nBcc: everybody@example.org")
    deliver()
    assert mail.outbox[0].subject == "[Tollgate] Hello Bcc: everybody@example.org"


def test_the_address_in_a_letter_is_the_public_one(settings: Settings) -> None:
    settings.TOLLGATE_PUBLIC_URL = "https://gates.example.org/tollgate"
    told(PersonFactory.create(), url="/gates/1/")
    deliver()
    assert "https://gates.example.org/gates/1/" in mail.outbox[0].body


def test_marking_read_touches_ones_own_notices_alone() -> None:
    ada, grace = PersonFactory.create(), PersonFactory.create()
    mine, other = told(ada)[0], told(grace)[0]
    told(ada)
    assert mark_read(user=ada, notices=[mine.pk, other.pk]) == 1
    assert Notice.objects.get(pk=other.pk).read_at is None
    assert mark_read(user=ada) == 1
    assert mark_read(user=ada) == 0


def test_people_are_told_of_the_roles_they_get_and_lose() -> None:
    use_case, ada = UseCaseFactory.create(name="Claims triage"), PersonFactory.create()
    assignment = give(ada, "technical_lead", use_case)
    for _ in range(2):  # a task may run twice
        tell_of_roles([str(assignment.pk)], "assigned")
    end_role(assignment=assignment, by=ledger.SYSTEM)
    tell_of_roles([str(assignment.pk)], "ended")
    titles = list(Notice.objects.filter(recipient=ada).order_by("created_at").values_list("title", flat=True))
    assert titles == [
        "You are now Technical lead of Claims triage",
        "You are no longer Technical lead of Claims triage",
    ]


def test_a_broker_that_is_away_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from notify import tasks

    def away(*args: object, **kwargs: object) -> None:
        raise ConnectionError("broker away")

    monkeypatch.setattr(tasks.deliver, "apply_async", away)
    tasks.wake()


def test_a_delivery_error_says_whether_it_is_for_good() -> None:
    assert DeliveryError("no such address", permanent=True).permanent
    assert not DeliveryError("busy").permanent
