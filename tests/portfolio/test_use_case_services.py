"""Opening, editing, holding and moving use cases."""

from __future__ import annotations

from uuid import uuid4

import pytest

from kernel.errors import Conflict, Invalid
from ledger import SYSTEM
from ledger.models import Event
from portfolio import services
from portfolio.models import KeyNumber, Stage, Status, UseCase
from tests.factories.portfolio import UnitFactory, UseCaseFactory

pytestmark = pytest.mark.django_db


def test_a_use_case_gets_the_next_key_and_one_event() -> None:
    unit = UnitFactory.create()
    before = Event.objects.count()
    first = services.create_use_case(unit=unit, name="Claims triage", by=SYSTEM)
    second = services.create_use_case(unit=unit, name="Fraud alerts", by=SYSTEM)
    assert first.key.startswith("UC-")
    assert len(first.key) >= 7
    assert int(second.key[3:]) == int(first.key[3:]) + 1
    events = Event.objects.order_by("index")[before:]
    assert [event.action for event in events] == ["use_case.created", "use_case.created"]
    assert events[0].changes["name"] == {"before": None, "after": "Claims triage"}
    assert first.stage_changes.get().to_stage == Stage.IDEA


def test_a_typed_key_is_kept_and_a_taken_one_refused() -> None:
    use_case = UseCaseFactory.create(key="triage")
    assert use_case.key == "triage"
    with pytest.raises(Conflict) as refused:
        UseCaseFactory.create(key="triage")
    assert refused.value.errors["key"]
    assert UseCase.objects.count() == 1


def test_numbers_jump_past_keys_that_were_typed() -> None:
    unit = UnitFactory.create()
    following = KeyNumber.objects.create().pk + 1
    for number in range(following, following + 30):
        UseCaseFactory.create(unit=unit, key=f"UC-{number:04d}")
    assert UseCaseFactory.create(unit=unit).key == f"UC-{following + 30:04d}"


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(Invalid) as refused:
        services.create_use_case(unit=UnitFactory.create(), name="A", by=SYSTEM, colour="red")
    assert list(refused.value.errors) == ["colour"]


def test_every_wrong_value_is_said_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        services.create_use_case(unit=UnitFactory.create(), name=" ", by=SYSTEM, regulations=[1])
    assert set(refused.value.errors) == {"regulations"}
    with pytest.raises(Invalid) as refused:
        services.create_use_case(unit=UnitFactory.create(), name=" ", by=SYSTEM, oversight_tier="sometimes")
    assert set(refused.value.errors) == {"name", "oversight_tier"}


def test_an_edit_records_what_changed_and_nothing_else() -> None:
    use_case = UseCaseFactory.create(summary="old")
    edited = services.edit_use_case(
        use_case=use_case, changes={"summary": "new", "name": use_case.name, "personal_data": True}, by=SYSTEM
    )
    assert edited.personal_data is True
    event = Event.objects.latest("index")
    assert event.action == "use_case.edited"
    assert event.changes == {
        "summary": {"before": "old", "after": "new"},
        "personal_data": {"before": None, "after": True},
    }


def test_an_edit_that_changes_nothing_is_no_event() -> None:
    use_case = UseCaseFactory.create(summary="same", jurisdictions=["EU"])
    before = Event.objects.count()
    services.edit_use_case(use_case=use_case, changes={"summary": " same ", "jurisdictions": ["EU", "EU"]}, by=SYSTEM)
    assert Event.objects.count() == before


def test_source_data_changes_are_named_by_column() -> None:
    use_case = UseCaseFactory.create(source_profile="p", source_key="k", source_data={"A": "1", "B": "2"})
    services.edit_use_case(use_case=use_case, changes={"source_data": {"A": "1", "B": "3"}}, by=SYSTEM)
    assert Event.objects.latest("index").changes["source_data.B"] == {"before": "2", "after": "3"}
    assert "source_data.A" not in Event.objects.latest("index").changes


def test_a_held_use_case_says_why_and_can_be_resumed() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(Invalid):
        services.hold(use_case=use_case, by=SYSTEM, reason=" ")
    held = services.hold(use_case=use_case, by=SYSTEM, reason="Vendor is renegotiating")
    assert held.status == Status.ON_HOLD
    assert Event.objects.latest("index").note == "Vendor is renegotiating"
    with pytest.raises(Conflict):
        services.hold(use_case=use_case, by=SYSTEM, reason="again")
    assert services.resume(use_case=use_case, by=SYSTEM).status == Status.ACTIVE


def test_a_stage_does_not_change_without_a_decision() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(Conflict, match="gate decision"):
        services.move_stage(use_case=use_case, to_stage="poc", decision_id=None, by=SYSTEM, reason="")
    use_case.refresh_from_db()
    assert use_case.stage == Stage.IDEA


def test_a_decision_moves_the_stage_and_is_named_in_the_history() -> None:
    use_case, decision = UseCaseFactory.create(), uuid4()
    moved = services.move_stage(use_case=use_case, to_stage="poc", decision_id=decision, by=SYSTEM, reason="Go")
    change = moved.stage_changes.last()
    assert change is not None
    assert (moved.stage, change.from_stage, change.to_stage, change.decision_id) == ("poc", "idea", "poc", decision)
    assert Event.objects.latest("index").changes["stage"] == {"before": "idea", "after": "poc"}


def test_a_skipped_stage_is_refused_with_what_is_allowed() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(Conflict) as refused:
        services.move_stage(use_case=use_case, to_stage="production", decision_id=uuid4(), by=SYSTEM, reason="")
    assert "PoC" in refused.value.hint
    assert "Stopped" in refused.value.hint


@pytest.mark.parametrize(
    ("start", "end", "allowed"),
    [
        ("pilot", "idea", True),
        ("production", "retired", True),
        ("operations", "retired", True),
        ("pilot", "retired", False),
        ("idea", "stopped", True),
        ("retired", "idea", False),
        ("stopped", "idea", False),
        ("poc", "nowhere", False),
        ("poc", "poc", False),
    ],
)
def test_the_lifecycle_knows_pivots_and_ends(start: str, end: str, allowed: bool) -> None:
    use_case = UseCaseFactory.create(stage=start)
    if not allowed:
        with pytest.raises(Conflict):
            services.move_stage(use_case=use_case, to_stage=end, decision_id=uuid4(), by=SYSTEM, reason="")
        return
    moved = services.move_stage(use_case=use_case, to_stage=end, decision_id=uuid4(), by=SYSTEM, reason="")
    assert moved.stage == end
    assert moved.status == (Status.CLOSED if end in {"retired", "stopped"} else Status.ACTIVE)


def test_an_inventory_may_correct_a_stage_until_a_gate_has_decided() -> None:
    use_case = UseCaseFactory.create(stage="production")
    moved = services.declare_stage(use_case=use_case, to_stage="pilot", by=SYSTEM, reason="Corrected inventory")
    assert moved.stage == "pilot"
    services.move_stage(use_case=use_case, to_stage="production", decision_id=uuid4(), by=SYSTEM, reason="")
    with pytest.raises(Conflict):
        services.declare_stage(use_case=use_case, to_stage="idea", by=SYSTEM, reason="")


def test_assurance_is_an_event_but_counts_are_not() -> None:
    use_case = UseCaseFactory.create()
    before = Event.objects.count()
    services.set_standing(use_case=use_case, by=SYSTEM, next_gate="idea_to_poc", gate_met=3, gate_required=9)
    assert Event.objects.count() == before
    found = services.set_standing(use_case=use_case, by=SYSTEM, assurance="at_risk", assurance_reason="F1 below 0.8")
    assert found.assurance_since is not None
    assert found.gate_met == 3
    assert Event.objects.latest("index").action == "use_case.assurance_changed"


def test_the_tier_is_set_with_its_source() -> None:
    tiered = services.set_tier(
        use_case=UseCaseFactory.create(), tier="high", source="questionnaire", legal_hold=False, by=SYSTEM
    )
    assert tiered.tier == "high"
    with pytest.raises(Invalid):
        services.set_tier(use_case=tiered, tier="severe", source="override", legal_hold=False, by=SYSTEM)
