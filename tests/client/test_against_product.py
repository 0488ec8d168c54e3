"""The command against the product itself, over a real connection and with a machine's own token."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from tollgate_client.cli import main

from gates.assurance import reassess
from governance.models import ValidationRun
from monitoring.models import Point
from portfolio.models import UseCase
from tests.factories.accounts import ServiceAccountFactory, give, person_with, token_for
from tests.factories.gates import Case, ready_case
from tests.factories.portfolio import UseCaseFactory

Run = Callable[..., int]
Ask = Callable[[Case], Run]


@pytest.fixture
def as_lead(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The command of the lead of a case, with a token that may read use cases and nothing else."""

    def command_of(case: Case) -> Run:
        _token, key = token_for(case.lead, {"use_case.view"})
        monkeypatch.setenv("TOLLGATE_TOKEN", key)
        return lambda *arguments: main(["--url", live_server.url, *arguments])

    return command_of


@pytest.fixture
def use_case(transactional_db: None) -> UseCase:
    return UseCaseFactory.create()


@pytest.fixture
def tollgate(use_case: UseCase, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    _token, key = token_for(machine)
    monkeypatch.setenv("TOLLGATE_TOKEN", key)
    return lambda *arguments: main(["--url", live_server.url, *arguments])


def test_points_from_a_file_arrive_once_however_often_they_are_sent(
    use_case: UseCase, tollgate: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "points.csv"
    file.write_text(f"time,value,n\n{timezone.now():%Y-%m-%dT%H:%M:%SZ},0.91,1200\n")
    arguments = ["push-points", str(file), "--use-case", use_case.key, "--metric", "f1"]
    assert tollgate(*arguments) == 0, capsys.readouterr().err
    assert tollgate(*arguments) == 0
    assert [point.value for point in Point.objects.all()] == [0.91]
    assert "1 points sent, 1 of them new" in capsys.readouterr().out


def test_a_use_case_that_the_machine_may_not_see_does_not_exist_for_it(
    tollgate: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = UseCaseFactory.create()
    file = tmp_path / "points.csv"
    file.write_text(f"time,value\n{timezone.now():%Y-%m-%dT%H:%M:%SZ},0.91\n")
    assert tollgate("push-points", str(file), "--use-case", hidden.key, "--metric", "f1") == 3
    assert not Point.objects.exists()


def test_a_validation_run_is_recorded_once_for_one_pipeline(
    use_case: UseCase, tollgate: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["push-validation", "--use-case", use_case.key, "--kind", "robustness", "--verdict", "pass"]
    arguments += ["--metric", "f1=0.91", "--sample-size", "1200", "--source", "ci", "--external-id", "4711"]
    assert tollgate(*arguments) == 0, capsys.readouterr().err
    assert tollgate(*arguments) == 0
    run = ValidationRun.objects.get()
    assert (run.verdict, run.metrics, run.sample_size) == ("pass", {"f1": "0.91"}, 1200)


@pytest.mark.django_db(transaction=True)
def test_a_gate_with_everything_settled_is_ready(as_lead: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    case = ready_case()
    tollgate = as_lead(case)
    assert tollgate("findings", case.use_case.key, "--gate", "idea_to_poc") == 0, capsys.readouterr().out
    assert "ready" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_a_gate_that_misses_something_says_what_and_ends_with_1(
    as_lead: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    case = ready_case(problem_statement="")
    tollgate = as_lead(case)
    assert tollgate("findings", case.use_case.key, "--gate", "idea_to_poc") == 1
    said = capsys.readouterr().out
    assert "missing" in said
    assert "not ready" in said


@pytest.mark.django_db(transaction=True)
def test_a_gate_that_is_not_there_is_refused(as_lead: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    case = ready_case()
    assert as_lead(case)("findings", case.use_case.key, "--gate", "no_such_gate") == 3
    assert "404" in capsys.readouterr().err


@pytest.fixture
def as_machine(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The command of a machine of the case."""

    def command_of(case: Case) -> Run:
        account = ServiceAccountFactory.create()
        give(account, "service_account", case.use_case)
        _token, key = token_for(account)
        monkeypatch.setenv("TOLLGATE_TOKEN", key)
        return lambda *arguments: main(["--url", live_server.url, *arguments])

    return command_of


@pytest.mark.django_db(transaction=True)
def test_a_machine_asks_for_findings_with_the_token_it_sends_with(
    as_machine: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    case = ready_case()
    assert as_machine(case)("findings", case.use_case.key, "--gate", "idea_to_poc") == 0, capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_a_release_without_a_decision_is_denied_and_one_with_it_is_allowed(
    as_machine: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    case = ready_case(problem_statement="")
    tollgate = as_machine(case)
    assert tollgate("verdict", case.use_case.key, "idea_to_poc") == 1
    said = capsys.readouterr().out
    assert "DENIED" in said
    assert "IP-01" in said
    UseCase.objects.update(problem_statement="Letters take two weeks.")
    before = timezone.now()
    review = case.pass_gate()
    person_with("business_sponsor", case.use_case)
    reassess([case.use_case.pk])
    assert tollgate("verdict", case.use_case.key, "idea_to_poc", "--strict") == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert f"decision   {review} go" in said
    assert review.digest in said
    assert tollgate("verdict", case.use_case.key, "idea_to_poc", "--at", before.isoformat(), "--json") == 1
    assert json.loads(capsys.readouterr().out)["decision"] is None
    assert tollgate("verdict", case.use_case.key, "no_such_gate") == 3
    assert "idea_to_poc, poc_to_pilot" in capsys.readouterr().err


@pytest.mark.django_db(transaction=True)
def test_a_command_that_waits_ends_once_it_is_decided(as_machine: Ask) -> None:
    case = ready_case()
    person_with("business_sponsor", case.use_case)
    review = case.submit()
    case.sign_all(review)
    tollgate = as_machine(case)

    def decide_soon() -> None:
        time.sleep(2)
        try:
            case.decide(review)
        finally:
            connection.close()

    deciding = threading.Thread(target=decide_soon)
    deciding.start()
    begun = time.monotonic()
    assert tollgate("verdict", case.use_case.key, "idea_to_poc", "--wait", "40") == 0
    assert time.monotonic() - begun < 20
    deciding.join()
