"""A draft is judged over the whole portfolio beside what is in force: who turns, and by which criterion."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from gates import simulating
from gates.models import CriterionFinding, GateAssurance, PolicyVersion, Simulation
from gates.services.policies import propose_draft, publish_draft, save_draft, start_draft, start_extension
from gates.services.simulations import simulate_draft, stop_simulation
from gates.tasks import simulate_policy
from kernel.errors import Conflict
from ledger.models import Event
from portfolio.models import UseCase
from tests.factories.accounts import person_with
from tests.factories.gates import publish, ready_case, small_policy, small_text
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


def author() -> User:
    return person_with("portfolio_manager", organisation())


def drafted(*pairs: tuple[str, str], by: User | None = None) -> PolicyVersion:
    """A draft of the primary policy with these replacements."""
    by = by or author()
    current = PolicyVersion.objects.get(state="published", policy__is_primary=True)
    version = start_draft(policy=current.policy, by=by, label="1.1.0")
    text = version.text
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return save_draft(version=version, text=text, by=by, seen=version.digest)


def run(version: PolicyVersion, by: User | None = None) -> Simulation:
    simulation = simulate_draft(version=version, by=by or author())
    simulate_policy(str(simulation.pk))
    simulation.refresh_from_db()
    return simulation


def turns(simulation: Simulation) -> list[tuple[str, str, list[str]]]:
    assert simulation.state == "done", simulation.error
    return [(t["key"], t["direction"], [c["id"] for c in t["criteria"]]) for t in simulation.result["turns"]]


TIGHTER = ("params: {fields: [problem_statement]}", "params: {fields: [problem_statement, objective]}")
MANDATORY = "{minimal: mandatory, limited: mandatory, high: mandatory}"
HIGHER = ("{minimal: not_applicable, limited: advisory, high: mandatory}", MANDATORY)


def test_what_passes_today_and_would_not_is_named_with_its_criterion() -> None:
    case = ready_case(tier="minimal")
    simulation = run(drafted(HIGHER))
    assert turns(simulation) == [(case.use_case.key, "blocks", ["IP-02"])]
    assert simulation.result["counts"]["blocks"] == 1
    [criterion] = simulation.result["turns"][0]["criteria"]
    assert (criterion["before"], criterion["after"]) == ("not_applicable, advisory", "missing")
    assert simulation.result["criteria"] == [
        {"gate": "idea_to_poc", "criterion": "IP-02", "title": "F1 reached", "closes": 1, "opens": 0}
    ]
    assert (simulation.result["passing_before"], simulation.result["passing_after"]) == (1, 0)


def test_what_is_blocked_today_and_would_pass_is_released() -> None:
    case = ready_case(tier="minimal", problem_statement="")
    simulation = run(drafted(("applies: {minimal: mandatory, limited", "applies: {minimal: advisory, limited")))
    assert turns(simulation) == [(case.use_case.key, "releases", ["IP-01"])]


def test_what_stays_blocked_tells_what_comes_and_goes() -> None:
    ready_case(tier="minimal", problem_statement="")
    found = turns(run(drafted(HIGHER)))
    assert [(direction, ids) for _key, direction, ids in found] == [("more", ["IP-02"])]


def test_what_differs_in_words_alone_turns_nothing() -> None:
    ready_case(tier="minimal")
    assert turns(run(drafted(("title: F1 reached", "title: F1 is reached")))) == []


def test_a_criterion_that_is_new_and_one_that_is_gone_turn_too() -> None:
    ready_case(tier="minimal", problem_statement="")
    text = small_text()
    start, end = text.index("    - id: IP-01"), text.index("    - id: IP-02")
    found = turns(run(drafted((text[start:end], ""))))
    assert [(direction, ids) for _key, direction, ids in found] == [("releases", ["IP-01"])]


def test_gates_already_passed_are_told_apart() -> None:
    case = ready_case(tier="minimal")
    case.pass_gate()
    found = turns(run(drafted(TIGHTER)))
    assert found == [(case.use_case.key, "at_risk", ["IP-01"])]


def test_other_signers_are_counted() -> None:
    ready_case(tier="minimal")
    simulation = run(drafted(("minimal: {signers: [business_owner]", "minimal: {signers: [business_owner, security]")))
    assert simulation.result["signers"] == {"more": 1, "fewer": 0}
    assert turns(simulation) == []


def test_publishing_the_draft_does_what_the_simulation_said() -> None:
    from gates.assessment import assess

    first = ready_case(tier="minimal")
    second = ready_case(tier="minimal", policy=False, objective="Faster")
    by = author()
    version = drafted(TIGHTER, by=by)
    assess()
    assert UseCase.objects.filter(gate_met=2, gate_required=2).count() == 2
    simulation = run(version)
    publish_draft(version=propose_draft(version=version, by=by), by=person_with("ai_governance_board", organisation()))
    assess()
    blocked = {t["use_case"] for t in simulation.result["turns"] if t["direction"] == "blocks"}
    assert blocked == {str(first.use_case.pk)}
    second.use_case.refresh_from_db()
    assert (second.use_case.gate_met, second.use_case.gate_required) == (2, 2)


def test_a_simulation_changes_nothing_but_itself() -> None:
    ready_case(tier="minimal")
    version = drafted(HIGHER)
    simulation = simulate_draft(version=version, by=author())
    events = Event.objects.count()
    simulate_policy(str(simulation.pk))
    assert Event.objects.count() == events
    assert not CriterionFinding.objects.exists()
    assert not GateAssurance.objects.exists()


def test_an_extension_is_simulated_on_its_unit_alone() -> None:
    case = ready_case(tier="minimal")
    ready_case(tier="minimal", policy=False)
    unit = case.use_case.unit
    by = author()
    version = start_extension(unit=unit, by=by)
    more = "gates: {idea_to_poc: {change: {IP-02: {applies: {minimal: mandatory}}}}}\n"
    version = save_draft(version=version, text=version.source + more, by=by, seen=version.digest)
    simulation = run(version)
    assert turns(simulation) == [(case.use_case.key, "blocks", ["IP-02"])]
    assert simulation.total == 1


def test_a_unit_with_an_extension_is_judged_by_it_over_the_draft() -> None:
    case = ready_case(tier="minimal")
    by = author()
    version = start_extension(unit=case.use_case.unit, by=by)
    more = "gates: {idea_to_poc: {change: {IP-02: {applies: {minimal: mandatory}}}}}\n"
    version = save_draft(version=version, text=version.source + more, by=by, seen=version.digest)
    publish_draft(version=propose_draft(version=version, by=by), by=person_with("ai_governance_board", organisation()))
    ready_case(tier="minimal", policy=False)
    found = turns(run(drafted(HIGHER)))
    assert [direction for _key, direction, _ids in found] == ["blocks"]  # the extended unit asks for it already


def test_a_policy_beside_the_primary_one_is_simulated_by_itself() -> None:
    ready_case(tier="minimal")
    aside = publish(small_text(key="aside", primary=False))
    by = author()
    version = start_draft(policy=aside.policy, by=by, label="1.1.0")
    version = save_draft(version=version, text=version.text.replace(*TIGHTER), by=by, seen=version.digest)
    assert [direction for _key, direction, _ids in turns(run(version))] == ["blocks"]


# running


def test_the_number_of_queries_grows_with_thousands_not_with_use_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    small_policy()
    version = drafted(HIGHER)

    def cost() -> int:
        simulation = simulate_draft(version=version, by=author())
        with CaptureQueriesContext(connection) as captured:
            simulate_policy(str(simulation.pk))
        return len(captured)

    UseCaseFactory.create()
    one = cost()
    for _ in range(6):
        UseCaseFactory.create()
    assert cost() == one
    monkeypatch.setattr(simulating, "AT_ONCE", 2)
    simulation = run(version)
    assert (simulation.done, simulation.total) == (7, 7)
    assert simulation.result["judged"] == 7


def test_progress_is_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    small_policy()
    for _ in range(5):
        UseCaseFactory.create()
    monkeypatch.setattr(simulating, "AT_ONCE", 2)
    seen: list[tuple[int, int]] = []
    original = simulating._judge_some

    def watched(*given: Any) -> None:
        seen.append(Simulation.objects.values_list("done", "total").get())
        original(*given)

    monkeypatch.setattr(simulating, "_judge_some", watched)
    run(drafted(HIGHER))
    assert seen == [(0, 5), (2, 5), (4, 5)]


def test_it_is_stopped_between_two_thousands_and_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    small_policy()
    for _ in range(5):
        UseCaseFactory.create()
    monkeypatch.setattr(simulating, "AT_ONCE", 2)
    by = author()
    simulation = simulate_draft(version=drafted(HIGHER), by=by)
    original = simulating._judge_some

    def stop_first(*given: Any) -> None:
        if Simulation.objects.get().state == "running":
            stop_simulation(simulation=simulation, by=by)
        original(*given)

    monkeypatch.setattr(simulating, "_judge_some", stop_first)
    simulate_policy(str(simulation.pk))
    simulation.refresh_from_db()
    assert (simulation.state, simulation.result, simulation.done) == ("stopped", {}, 0)
    with pytest.raises(Conflict):
        stop_simulation(simulation=simulation, by=by)


def test_a_run_that_breaks_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    ready_case()
    simulation = simulate_draft(version=drafted(HIGHER), by=author())

    def broken(*_given: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(simulating, "_judge_some", broken)
    simulate_policy(str(simulation.pk))
    simulation.refresh_from_db()
    assert simulation.state == "failed"
    assert "RuntimeError" in simulation.error
    assert "secret" not in simulation.error


def test_running_the_task_twice_does_it_once() -> None:
    ready_case(tier="minimal")
    simulation = run(drafted(HIGHER))
    finished = simulation.finished_at
    simulate_policy(str(simulation.pk))
    simulation.refresh_from_db()
    assert simulation.finished_at == finished


def test_the_same_text_is_simulated_once_at_a_time_and_a_newer_text_takes_its_place() -> None:
    small_policy()
    by = author()
    version = drafted(HIGHER, by=by)
    first = simulate_draft(version=version, by=by)
    with pytest.raises(Conflict):
        simulate_draft(version=version, by=by)
    version = save_draft(version=version, text=version.text.replace(*TIGHTER), by=by, seen=version.digest)
    second = simulate_draft(version=version, by=by)
    first.refresh_from_db()
    assert (first.state, second.state) == ("stopped", "queued")


def test_who_neither_drafts_nor_publishes_simulates_nothing() -> None:
    small_policy()
    version = drafted(HIGHER)
    simulation = simulate_draft(version=version, by=person_with("ai_governance_board", organisation()))
    stranger = person_with("auditor", organisation())
    with pytest.raises(PermissionDenied):
        simulate_draft(version=version, by=stranger)
    with pytest.raises(PermissionDenied):
        stop_simulation(simulation=simulation, by=stranger)
    with pytest.raises(PermissionDenied):
        simulate_draft(version=version, by=person_with("portfolio_manager", UnitFactory.create()))
