"""``ledger_verify`` finds what somebody changed behind the product's back."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

import ledger
from kernel.canonical import canonical_bytes
from ledger import SYSTEM, Personal, Subject, unit_of_work
from ledger.merkle import Frontier, leaf_hash
from ledger.models import Event, Head, PersonalValue
from ledger.verify import verify
from tests.plugins.ledger_flush import without_triggers

pytestmark = pytest.mark.django_db

LAMP = Subject("workshop.lamp", "7", "The lamp")
EVENTS = 4


@pytest.fixture(autouse=True)
def a_lamp_with_a_history() -> None:
    states: list[dict[str, Any] | None] = [None, {"watts": 5}, {"watts": 7}, {"watts": 9}, {"watts": 11}]
    for before, after in pairwise(states):
        tell(before, after)


def tell(before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    with unit_of_work(by=SYSTEM) as uow:
        uow.record("lamp.changed", subject=LAMP, before=before, after=after)


@pytest.fixture
def tamper() -> Callable[..., None]:
    """Runs a statement as a database administrator could who takes the triggers away first."""

    def run(statement: str, *values: str | int) -> None:
        with without_triggers(), connection.cursor() as cursor:
            cursor.execute(statement, values)

    return run


def checks() -> list[tuple[int | None, str]]:
    return [(problem.index, problem.check) for problem in verify().problems]


def rewrite(tamper: Callable[..., None], index: int, *, rehash: bool = True, **changes: Any) -> None:
    """Change a body as a careful forger would: canonical, with a leaf hash that fits."""
    body = canonical_bytes({**Event.objects.get(pk=index).content, **changes})
    tamper('UPDATE ledger_event SET body = %s WHERE "index" = %s', body.decode(), index)
    if rehash:
        tamper('UPDATE ledger_event SET leaf_hash = %s WHERE "index" = %s', leaf_hash(body).hex(), index)


def test_an_untouched_ledger_holds_and_has_the_root_of_its_bodies() -> None:
    frontier = Frontier()
    for body in Event.objects.order_by("index").values_list("body", flat=True):
        frontier.append(leaf_hash(body.encode()))
    report = verify()
    assert report.ok
    assert (report.events, report.root) == (EVENTS, frontier.root().hex())


def test_an_empty_ledger_holds(tamper: Callable[..., None]) -> None:
    tamper("DELETE FROM ledger_event")
    Head.objects.all().delete()
    report = verify()
    assert report.ok
    assert report.root == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_changed_body_is_found_by_its_leaf_hash(tamper: Callable[..., None]) -> None:
    rewrite(tamper, 2, note="nothing to see here", rehash=False)
    assert checks() == [(2, "leaf_hash")]


def test_a_changed_body_with_a_new_leaf_hash_changes_the_root(tamper: Callable[..., None]) -> None:
    before = verify().root
    rewrite(tamper, 2, note="nothing to see here")
    assert verify().root != before


def test_a_body_that_is_not_canonical_is_found(tamper: Callable[..., None]) -> None:
    body = Event.objects.get(pk=1).body.replace(":", ": ", 1)
    tamper('UPDATE ledger_event SET body = %s, leaf_hash = %s WHERE "index" = 1', body, leaf_hash(body.encode()).hex())
    assert checks() == [(1, "body")]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"v":1}', '{"v":2}', "no json"])
def test_a_body_that_is_none_is_found(body: str, tamper: Callable[..., None]) -> None:
    tamper('UPDATE ledger_event SET body = %s, leaf_hash = %s WHERE "index" = 1', body, leaf_hash(body.encode()).hex())
    assert (1, "body") in checks()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("action", "lamp.sold"),
        ("subject_id", "8"),
        ("subject_type", "workshop.desk"),
        ("subject_label", "Another lamp"),
        ("use_case_id", "1"),
        ("unit_path", "/elsewhere/"),
        ("actor_id", "00000000000000000000000000000001"),
        ("actor_kind", "person"),
        ("auth_method", "session"),
        ("request_id", "another"),
        ("after_digest", "0" * 64),
        ("at", "2020-01-01 00:00:00+00:00"),
    ],
)
def test_a_column_that_is_not_what_the_body_says_is_found(column: str, value: str, tamper: Callable[..., None]) -> None:
    tamper(f'UPDATE ledger_event SET {column} = %s WHERE "index" = 3', value)  # names of columns above
    assert (3, "columns") in checks()


def test_a_removed_event_is_a_gap(tamper: Callable[..., None]) -> None:
    tamper('DELETE FROM ledger_event WHERE "index" = 1')
    assert (1, "gap") in checks()


def test_a_ledger_that_was_cut_off_does_not_fit_its_head(tamper: Callable[..., None]) -> None:
    tamper('DELETE FROM ledger_event WHERE "index" = 3')
    assert checks() == [(None, "head"), (3, "gap")]


def test_events_that_changed_places_are_found(tamper: Callable[..., None]) -> None:
    for source, target in ((1, 99), (2, 1), (99, 2)):
        tamper('UPDATE ledger_event SET "index" = %s WHERE "index" = %s', target, source)
    assert {(1, "columns"), (2, "columns")} <= set(checks())


@pytest.mark.parametrize("next_index", [0, 3, 9])
def test_a_head_that_does_not_fit_is_found(next_index: int) -> None:
    Head.objects.update(next_index=next_index)
    assert (None, "head") in checks()


def test_a_missing_head_is_found() -> None:
    Head.objects.all().delete()
    assert checks() == [(None, "head")]


def test_missing_triggers_are_found() -> None:
    with without_triggers():
        found = checks()
    assert {check for _, check in found} == {"trigger"}
    assert checks() == []


def test_a_change_without_an_event_breaks_the_chain_of_its_subject() -> None:
    tell({"watts": 60}, {"watts": 100})
    assert checks() == [(EVENTS, "chain")]


def test_events_about_other_fields_do_not_break_the_chain() -> None:
    tell({"colour": "red"}, {"colour": "blue"})
    tell({"watts": 11, "colour": "blue"}, {"watts": 12, "colour": "blue"})
    tell(None, {"bulbs": 2})
    tell({"watts": 12}, None)
    assert checks() == []


def test_a_field_that_both_events_tell_of_must_agree_even_if_others_differ() -> None:
    tell({"watts": 11, "colour": "red"}, {"watts": 12, "colour": "blue"})
    tell({"colour": "green"}, {"colour": "red"})
    assert checks() == [(EVENTS + 1, "chain")]


def test_a_field_that_one_side_leaves_out_contradicts_nothing() -> None:
    tell({"colour": None}, {"colour": "red", "watts": 12})
    tell({"watts": 12}, {"colour": "blue"})
    tell({"colour": "blue", "watts": 13}, {"colour": "red", "watts": 14})
    assert checks() == []


def test_another_subject_has_a_chain_of_its_own() -> None:
    with unit_of_work(by=SYSTEM) as uow:
        uow.record("lamp.changed", subject=Subject("workshop.lamp", "8"), before={"watts": 1}, after={"watts": 2})
    assert checks() == []


class TestPersonalValues:
    @pytest.fixture(autouse=True)
    def owners(self) -> None:
        tell({"owner": None}, {"owner": Personal("Ada Lovelace")})
        tell({"owner": Personal("Ada Lovelace")}, {"owner": Personal("Grace Hopper")})

    def test_the_events_hold_digests_and_the_values_are_beside_them(self) -> None:
        bodies = "".join(Event.objects.values_list("body", flat=True))
        assert "Lovelace" not in bodies
        assert "Hopper" not in bodies
        assert sorted(PersonalValue.objects.values_list("path", "value")) == [
            ("/changes/owner/after", '"Ada Lovelace"'),
            ("/changes/owner/after", '"Grace Hopper"'),
            ("/changes/owner/before", '"Ada Lovelace"'),
        ]
        report = verify()
        assert report.ok
        assert (report.personal_matching, report.personal_redacted) == (3, 0)

    def test_the_salt_is_not_the_same_for_another_subject(self) -> None:
        with unit_of_work(by=SYSTEM) as uow:
            other = Subject("workshop.lamp", "8")
            uow.record("lamp.changed", subject=other, before=None, after={"owner": Personal("Ada Lovelace")})
            uow.record("lamp.changed", subject=other, before={"owner": Personal("Ada Lovelace")}, after={"owner": None})
        salts = PersonalValue.objects.filter(event__subject_id="8").values_list("salt", flat=True)
        assert len(set(salts)) == 1
        assert not set(salts) & set(PersonalValue.objects.filter(event__subject_id="7").values_list("salt", flat=True))

    def test_a_changed_personal_value_is_found(self) -> None:
        PersonalValue.objects.filter(value__contains="Hopper").update(value='"Charles Babbage"')
        assert checks() == [(EVENTS + 1, "personal")]

    def test_a_personal_value_too_many_is_found(self) -> None:
        PersonalValue.objects.create(event_id=0, path="/changes/watts/after", salt="00", value="5")
        assert checks() == [(0, "personal")]

    def test_erased_values_are_redacted_and_everything_else_still_holds(self) -> None:
        erased = ledger.erase_personal_values(PersonalValue.objects.all(), by=SYSTEM, subject=LAMP, note="asked for")
        assert erased == 3
        assert not PersonalValue.objects.exclude(salt="", value="").exists()
        report = verify()
        assert report.ok
        assert (report.personal_matching, report.personal_redacted) == (0, 3)
        assert Event.objects.latest("index").action == "personal_values.erased"

    def test_the_history_goes_on_after_an_erasure(self) -> None:
        ledger.erase_personal_values(PersonalValue.objects.all(), by=SYSTEM, subject=LAMP)
        tell({"owner": Personal("Grace Hopper")}, {"owner": Personal("Alan Turing")})
        report = verify()
        assert report.ok
        assert (report.personal_matching, report.personal_redacted) == (2, 3)

    def test_erasing_nothing_records_nothing(self) -> None:
        before = Event.objects.count()
        assert ledger.erase_personal_values(PersonalValue.objects.none(), by=SYSTEM, subject=LAMP) == 0
        assert Event.objects.count() == before

    def test_a_row_that_is_gone_counts_as_redacted(self) -> None:
        PersonalValue.objects.filter(value__contains="Hopper").delete()
        assert verify().personal_redacted == 1

    def test_personal_values_inside_lists_and_mappings_are_sealed(self) -> None:
        people = [{"name": Personal("Alan Turing"), "role": "lead"}, {"name": Personal("Mary"), "role": "reader"}]
        tell(None, {"a/b~c": people})
        event = Event.objects.latest("index")
        assert event.content["personal"] == ["/changes/a~1b~0c/after/0/name", "/changes/a~1b~0c/after/1/name"]
        assert "Turing" not in event.body
        assert "lead" in event.body
        assert verify().personal_matching == 5


def test_the_number_of_queries_grows_with_chunks_and_not_with_events(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(7):
        verify()
    with unit_of_work(by=SYSTEM) as uow:
        for number in range(200):
            uow.record("lamp.lit", subject=Subject("workshop.lamp", str(number)))
    with django_assert_num_queries(7):
        verify()


def test_the_command_prints_the_count_and_the_root() -> None:
    out = StringIO()
    call_command("ledger_verify", stdout=out)
    assert f"4 events, root hash {verify().root}" in out.getvalue()
    assert "everything holds" in out.getvalue()


def test_the_command_ends_with_an_error_and_names_what_does_not_hold(tamper: Callable[..., None]) -> None:
    rewrite(tamper, 2, note="forged", rehash=False)
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError, match="1 problem") as caught:
        call_command("ledger_verify", stdout=out, stderr=err)
    assert caught.value.returncode == 1
    assert "event 2: leaf_hash:" in err.getvalue()


def test_the_command_prints_json(tamper: Callable[..., None]) -> None:
    rewrite(tamper, 2, note="forged", rehash=False)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("ledger_verify", "--format", "json", stdout=out)
    result = json.loads(out.getvalue())
    assert (result["ok"], result["events"], result["problem_count"]) == (False, 4, 1)
    assert result["problems"][0]["index"] == 2
