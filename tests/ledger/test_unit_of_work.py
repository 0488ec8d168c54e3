"""Events come and go with the transaction that they tell of, numbered without gaps."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction

import ledger
from kernel.canonical import canonical_bytes, digest
from ledger import SYSTEM, Subject, ledger_context, unit_of_work
from ledger.merkle import leaf_hash
from ledger.models import AppendOnly, Event, Head

pytestmark = pytest.mark.django_db

LAMP = Subject("workshop.lamp", "7", "The desk lamp")


class Person:
    """Somebody: all that the ledger asks of an account."""

    def __init__(self, kind: str = "person") -> None:
        self.pk = uuid4()
        self.kind = kind


ADA = Person()


def record(uow: ledger.UnitOfWork, action: str = "lamp.lit", **details: Any) -> None:
    uow.record(action, subject=details.pop("subject", LAMP), **details)


def indexes() -> list[int]:
    return list(Event.objects.order_by("index").values_list("index", flat=True))


def test_a_recorded_change_becomes_an_event() -> None:
    with unit_of_work(by=ADA) as uow, ledger_context(request_id="request-1", auth_method="token:abc"):
        record(uow, before={"on": False, "watts": 9}, after={"on": True, "watts": 9}, use_case="12", unit="/retail/")
    event = Event.objects.get()
    assert (event.index, event.action, event.subject_type, event.subject_id) == (0, "lamp.lit", "workshop.lamp", "7")
    assert (event.subject_label, event.use_case_id, event.unit_path) == ("The desk lamp", "12", "/retail/")
    assert (event.actor_id, event.actor_kind, event.auth_method) == (ADA.pk, "person", "token:abc")
    assert event.request_id == "request-1"
    assert event.changes == {"on": {"before": False, "after": True}}
    assert event.content["unchanged"] == ["watts"]
    assert event.before_digest == digest({"on": False, "watts": 9})
    assert event.after_digest == digest({"on": True, "watts": 9})


def test_the_body_is_canonical_and_the_leaf_hash_covers_exactly_it() -> None:
    with unit_of_work(by=ADA) as uow:
        record(uow, before=None, after={"b": ["ü", {"z": 1, "a": None}], "a": "\u20ac"}, note="Büro")
    event = Event.objects.get()
    assert event.body.encode() == canonical_bytes(json.loads(event.body))
    assert event.leaf_hash == leaf_hash(event.body.encode()).hex()
    assert event.content["v"] == 1


def test_the_system_has_no_id_but_a_kind() -> None:
    with unit_of_work(by=SYSTEM) as uow:
        record(uow)
    event = Event.objects.get()
    assert (event.actor_id, event.actor_kind, event.auth_method) == (None, "system", "command")


def test_indexes_run_on_from_one_unit_to_the_next() -> None:
    for _ in range(3):
        with unit_of_work(by=ADA) as uow:
            record(uow)
            record(uow)
    assert indexes() == [0, 1, 2, 3, 4, 5]
    assert Head.objects.get().next_index == 6


def test_a_unit_that_records_nothing_writes_nothing() -> None:
    with unit_of_work(by=ADA):
        pass
    assert indexes() == []
    assert not Head.objects.exists()


def test_nothing_remains_of_a_unit_that_fails() -> None:
    with pytest.raises(ZeroDivisionError), unit_of_work(by=ADA) as uow:
        record(uow)
        raise ZeroDivisionError
    with unit_of_work(by=ADA) as uow:
        record(uow)
    assert indexes() == [0]


def test_nothing_remains_of_a_unit_whose_surrounding_transaction_fails() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        with unit_of_work(by=ADA) as uow:
            record(uow)
        raise ZeroDivisionError
    assert indexes() == []


def test_a_nested_unit_joins_the_outer_one_in_order() -> None:
    with unit_of_work(by=ADA) as outer:
        record(outer, "lamp.bought")
        with unit_of_work(by=None) as inner:
            record(inner, "lamp.mounted")
        assert indexes() == []
        record(outer, "lamp.lit")
    assert list(Event.objects.order_by("index").values_list("action", flat=True)) == [
        "lamp.bought",
        "lamp.mounted",
        "lamp.lit",
    ]


def test_a_nested_unit_may_have_an_actor_of_its_own() -> None:
    with unit_of_work(by=ADA) as outer:
        record(outer)
        with unit_of_work(by=SYSTEM) as inner:
            record(inner)
        record(outer)
    kinds = Event.objects.order_by("index").values_list("actor_kind", flat=True)
    assert list(kinds) == ["person", "system", "person"]


def test_a_nested_unit_that_fails_takes_its_events_and_changes_with_it() -> None:
    with unit_of_work(by=ADA) as outer:
        record(outer, "lamp.bought")
        with pytest.raises(ZeroDivisionError), unit_of_work(by=ADA) as inner:
            Head.objects.create(next_index=99)
            record(inner, "lamp.broken")
            raise ZeroDivisionError
    assert list(Event.objects.values_list("action", flat=True)) == ["lamp.bought"]
    assert Head.objects.get().next_index == 1


PUT = "INSERT INTO django_content_type (app_label, model) VALUES (%s, %s)"


def models_of(app_label: str) -> list[str]:
    return list(ContentType.objects.filter(app_label=app_label).order_by("pk").values_list("model", flat=True))


@pytest.mark.parametrize("told", [True, False], ids=["with an event", "without one"])
def test_what_is_put_off_is_written_at_the_end(told: bool) -> None:
    with unit_of_work(by=ADA) as uow:
        uow.write_at_end(PUT, ["workshop", "lamp"])
        uow.write_at_end(PUT, ["workshop", "desk"])
        if told:
            record(uow)
        assert models_of("workshop") == []
    assert models_of("workshop") == ["lamp", "desk"]
    assert indexes() == ([0] if told else [])


def test_what_is_put_off_can_be_written_now() -> None:
    with unit_of_work(by=ADA) as uow:
        uow.write_at_end(PUT, ["workshop", "lamp"])
        uow.write_now()
        assert models_of("workshop") == ["lamp"]
    assert models_of("workshop") == ["lamp"]


def test_what_a_nested_unit_put_off_is_undone_with_it_alone() -> None:
    with unit_of_work(by=ADA) as outer:
        outer.write_at_end(PUT, ["workshop", "lamp"])
        with suppress(ZeroDivisionError), unit_of_work(by=None) as inner:
            inner.write_at_end(PUT, ["workshop", "desk"])
            raise ZeroDivisionError
        with unit_of_work(by=None) as inner:
            inner.write_at_end(PUT, ["workshop", "chair"])
        record(outer)
    assert models_of("workshop") == ["lamp", "chair"]


def test_what_is_put_off_fails_with_its_whole_unit() -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), unit_of_work(by=ADA) as uow:
        for _ in range(2):
            uow.write_at_end(PUT, ["workshop", "lamp"])
        record(uow)
    assert not models_of("workshop")
    assert not indexes()


def test_recording_after_the_end_is_an_error() -> None:
    with unit_of_work(by=ADA) as uow:
        pass
    with pytest.raises(RuntimeError, match="had ended"):
        record(uow)
    with pytest.raises(RuntimeError, match="had ended"):
        uow.after_commit(lambda: None)


@pytest.mark.parametrize("by", [None, "somebody", type("Anonymous", (), {"pk": None})()])
def test_an_outermost_unit_needs_somebody(by: Any) -> None:
    with pytest.raises(TypeError, match="needs an account"), unit_of_work(by=by):
        pass


@pytest.mark.parametrize("action", ["lit", "Lamp.lit", "lamp.", "lamp lit", ""])
def test_an_action_must_read_like_one(action: str) -> None:
    with pytest.raises(ValueError, match="reads like"), unit_of_work(by=ADA) as uow:
        record(uow, action)


def test_what_was_given_is_read_when_it_is_recorded() -> None:
    after: dict[str, Any] = {"tags": ["a"]}
    with unit_of_work(by=ADA) as uow:
        record(uow, after=after)
        after["tags"].append("b")
    assert Event.objects.get().changes["tags"]["after"] == ["a"]


def test_a_model_instance_says_what_it_is(django_user_model: Any) -> None:
    user = django_user_model.objects.create_user(email="ada@example.org")
    with unit_of_work(by=user) as uow:
        uow.record("person.invited", subject=user)
    event = Event.objects.get()
    assert event.subject_type == django_user_model._meta.label_lower
    assert (UUID(event.subject_id), event.actor_id) == (user.pk, user.pk)


def test_a_label_never_holds_what_would_have_to_be_erased(django_user_model: Any) -> None:
    user = django_user_model.objects.create_user(email="ada@example.org", full_name="Ada Lovelace")
    with unit_of_work(by=user) as uow:
        uow.record("person.invited", subject=user)
    body = Event.objects.get().body
    assert "ada@example.org" not in body
    assert "Lovelace" not in body


def test_an_unsaved_subject_is_refused(django_user_model: Any) -> None:
    class Unsaved(django_user_model):
        class Meta:
            proxy = True
            app_label = "ledger"

    unsaved = Unsaved()
    unsaved.pk = None
    with pytest.raises(ValueError, match="has no key"), unit_of_work(by=ADA) as uow:
        uow.record("person.invited", subject=unsaved)


def test_the_unit_of_a_use_case_is_found_by_itself() -> None:
    use_case = type("UseCase", (), {"pk": 5, "unit": type("Unit", (), {"path": "/retail/cards/"})()})()
    with unit_of_work(by=ADA) as uow:
        record(uow, use_case=use_case)
    assert (Event.objects.get().use_case_id, Event.objects.get().unit_path) == ("5", "/retail/cards/")


def test_events_are_written_in_a_constant_number_of_statements(django_assert_num_queries: Any) -> None:
    with unit_of_work(by=ADA) as uow:
        record(uow)
    with django_assert_num_queries(4), unit_of_work(by=ADA) as uow:  # savepoint, head, insert, release
        for _ in range(20):
            record(uow)


@pytest.mark.django_db(transaction=True)
def test_after_commit_runs_after_the_outermost_unit_only() -> None:
    seen: list[str] = []
    with unit_of_work(by=ADA) as outer:
        with unit_of_work(by=ADA) as inner:
            inner.after_commit(lambda: seen.append(f"inner sees {len(indexes())}"))
            record(inner)
        outer.after_commit(lambda: seen.append(f"outer sees {len(indexes())}"))
        assert seen == []
    assert seen == ["inner sees 1", "outer sees 1"]


@pytest.mark.django_db(transaction=True)
def test_after_commit_never_runs_for_a_unit_that_was_undone() -> None:
    seen: list[str] = []
    with unit_of_work(by=ADA), pytest.raises(ZeroDivisionError), unit_of_work(by=ADA) as inner:
        inner.after_commit(lambda: seen.append("inner"))
        raise ZeroDivisionError
    assert seen == []


@pytest.mark.django_db(transaction=True)
def test_what_runs_on_commit_opens_units_of_its_own() -> None:
    def follow_up() -> None:
        with unit_of_work(by=SYSTEM) as uow:
            record(uow, "lamp.dimmed")
        assert not connection.in_atomic_block

    with unit_of_work(by=ADA) as uow:
        record(uow)
        uow.after_commit(follow_up)
    assert list(Event.objects.order_by("index").values_list("action", flat=True)) == ["lamp.lit", "lamp.dimmed"]


def test_the_orm_refuses_changes_kindly() -> None:
    with unit_of_work(by=ADA) as uow:
        record(uow)
    event = Event.objects.get()
    for attempt in (
        event.save,
        event.delete,
        Event.objects.all().delete,
        lambda: Event.objects.update(action="lamp.sold"),
    ):
        with pytest.raises(AppendOnly):
            attempt()
