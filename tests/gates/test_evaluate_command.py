"""``manage.py evaluate_gates``: an exact shape, and errors on stderr with exit code 1."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from gates.models import CriterionFinding
from tests.factories.gates import publish, ready_case, shipped_policies, small_text
from tests.factories.governance import IssueFactory

pytestmark = pytest.mark.django_db
OUTCOMES = ["met", "not_met", "missing", "stale", "waived", "not_applicable", "error"]


def evaluate(*options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("evaluate_gates", *options, "--format", "json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_report_has_exactly_the_documented_shape() -> None:
    shipped_policies()
    case = ready_case(policy=False)
    report = evaluate()
    assert list(report) == ["use_cases", "queries", "seconds", "policies"]
    assert report["use_cases"] == 1
    assert isinstance(report["queries"], int)
    assert isinstance(report["seconds"], float)
    assert list(report["policies"]) == ["default", "us-federal-high-impact"]
    gates = report["policies"]["default"]
    assert len(gates) == 5
    for gate in gates.values():
        assert list(gate) == ["ready", "blocked", "criteria"]
        for counts in gate["criteria"].values():
            assert list(counts) == OUTCOMES
    assert sum(len(gate["criteria"]) for gate in gates.values()) == 115
    assert gates["idea_to_poc"]["blocked"] == 1
    assert sum(gates["idea_to_poc"]["criteria"]["IP-01"].values()) == 1
    assert not CriterionFinding.objects.filter(use_case=case.use_case).exists()


def test_ready_and_blocked_are_counted() -> None:
    ready_case()
    blocked = ready_case(policy=False)
    IssueFactory.create(use_case=blocked.use_case, kind="assumption")
    gate = evaluate()["policies"]["small"]["idea_to_poc"]
    assert (gate["ready"], gate["blocked"]) == (1, 1)
    assert gate["criteria"]["IP-03"] == {**dict.fromkeys(OUTCOMES, 0), "met": 1, "not_met": 1}


def test_one_use_case_one_gate_one_policy() -> None:
    case = ready_case()
    ready_case(policy=False)
    publish(small_text(key="beside", primary=False))
    report = evaluate("--use-case", case.use_case.key, "--gate", "poc_to_pilot", "--policy", "beside")
    assert report["use_cases"] == 1
    assert list(report["policies"]) == ["beside"]
    assert list(report["policies"]["beside"]) == ["poc_to_pilot"]


def test_a_date_in_the_past() -> None:
    case = ready_case()
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    past = evaluate("--at", "2020-01-01")["policies"]["small"]["idea_to_poc"]["criteria"]["IP-03"]
    assert past["met"] == 1
    now = evaluate()["policies"]["small"]["idea_to_poc"]["criteria"]["IP-03"]
    assert now["not_met"] == 1


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--policy", "nobodys"), "nobodys"),
        (("--gate", "to_the_moon"), "to_the_moon"),
        (("--use-case", "UC-nil"), "UC-nil"),
        (("--at", "yesterday"), "yesterday"),
        (("--at", "2026-02-30"), "2026-02-30"),
    ],
)
def test_what_there_is_not_is_an_error_that_names_it(options: tuple[str, ...], word: str) -> None:
    ready_case()
    with pytest.raises(CommandError, match=word) as refused:
        evaluate(*options)
    assert refused.value.returncode == 1


def test_without_any_policy_it_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="prepare"):
        evaluate("--policy", "default")


def test_people_can_read_it_too() -> None:
    ready_case()
    out = StringIO()
    call_command("evaluate_gates", stdout=out)
    assert "1 use cases" in out.getvalue()
    assert "small · idea_to_poc: 1 ready, 0 blocked" in out.getvalue()
