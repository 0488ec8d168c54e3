"""The `tollgate` command as a pipeline meets it: what it sends, what it prints, how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from tollgate_client.cli import main
from werkzeug import Request, Response

Run = Callable[..., int]


@pytest.fixture
def tollgate(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TOLLGATE_TOKEN", "tg_abcdefgh_secret")
    monkeypatch.setattr("tollgate_client.api.time.sleep", lambda seconds: None)
    return lambda *arguments: main(["--url", httpserver.url_for("/"), "--timeout", "2", *arguments])


def _finding(outcome: str, *, mandatory: bool = True) -> dict[str, object]:
    return {
        "gate": "production",
        "criterion": "PRD-04",
        "mandatory": mandatory,
        "outcome": outcome,
        "reason": "F1 is below what the policy asks",
        "observed": "0.84",
        "required": "at least 0.85",
    }


def _findings(httpserver: HTTPServer, *rows: dict[str, object]) -> None:
    httpserver.expect_request("/api/v1/findings/").respond_with_json({"next": None, "results": list(rows)})


def test_points_of_a_csv_are_sent_as_numbers_with_the_token_and_a_key(
    httpserver: HTTPServer, tollgate: Run, tmp_path: Path
) -> None:
    seen: list[Request] = []

    def take(request: Request) -> Response:
        seen.append(request)
        return Response('{"stored": 2}', 200, content_type="application/json")

    httpserver.expect_request("/api/v1/points:batch", method="POST").respond_with_handler(take)
    file = tmp_path / "metrics.csv"
    file.write_text("time,value,metric,n\n2026-11-20T00:00:00Z,0.91,f1,1200\n2026-11-21T00:00:00Z,0.9,f1,\n")
    assert tollgate("push-points", str(file), "--use-case", "UC-0017") == 0
    assert tollgate("push-points", str(file), "--use-case", "UC-0017") == 0
    assert json.loads(seen[0].data) == {
        "use_case": "UC-0017",
        "points": [
            {"time": "2026-11-20T00:00:00Z", "value": 0.91, "metric": "f1", "n": 1200},
            {"time": "2026-11-21T00:00:00Z", "value": 0.9, "metric": "f1"},
        ],
    }
    assert seen[0].headers["Authorization"] == "Bearer tg_abcdefgh_secret"
    assert seen[0].headers["Idempotency-Key"] == seen[1].headers["Idempotency-Key"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "time,value\n2026-11-20,high\n", "line 2: value is not a number: high"),
        ("a.csv", "time,value\n2026-11-20,nan\n", "line 2: value is not a finite number"),
        ("a.csv", "time\n2026-11-20\n", "line 2: value is missing"),
        ("a.ndjson", '{"time": "2026-11-20", "value": 1}\n{', "line 2: not JSON"),
        ("a.json", "{}", 'an object with "points"'),
        ("a.json", "[]", "holds no points"),
        ("a.parquet", "", "cannot tell what"),
    ],
)
def test_a_file_that_cannot_be_read_sends_nothing_and_names_the_place(
    httpserver: HTTPServer,
    tollgate: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: str,
    said: str,
) -> None:
    (tmp_path / name).write_text(content)
    assert tollgate("push-points", str(tmp_path / name)) == 2
    assert said in capsys.readouterr().err
    assert httpserver.log == []


def test_a_refusal_is_printed_in_the_words_of_the_answer(
    httpserver: HTTPServer, tollgate: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = {
        "detail": "Some fields are wrong.",
        "errors": {"kind": ["Unknown kind."], "": ["Nothing was stored."]},
        "hint": "Ask for /api/v1/docs/.",
        "request_id": "4711-abcd",
    }
    httpserver.expect_request("/api/v1/validation-runs/").respond_with_json(problem, status=422)
    assert tollgate("push-validation", "--use-case", "UC-1", "--kind", "x", "--verdict", "pass") == 3
    said = capsys.readouterr().err
    for part in ("422 Some fields are wrong.", "kind: Unknown kind.", "Nothing was stored.", "docs", "4711-abcd"):
        assert part in said
    assert len(httpserver.log) == 1


def test_a_validation_run_is_made_of_a_file_and_options_and_options_win(
    httpserver: HTTPServer, tollgate: Run, tmp_path: Path
) -> None:
    bodies: list[dict[str, object]] = []

    def take(request: Request) -> Response:
        bodies.append(json.loads(request.data))
        return Response('{"id": "r1"}', 201, content_type="application/json")

    httpserver.expect_request("/api/v1/validation-runs/").respond_with_handler(take)
    (tmp_path / "run.json").write_text('{"kind": "robustness", "verdict": "fail", "metrics": {"f1": "0.8"}}')
    arguments = [
        "--file",
        str(tmp_path / "run.json"),
        "--use-case",
        "UC-1",
        "--verdict",
        "pass",
        "--metric",
        "auc=0.93",
    ]
    assert tollgate("push-validation", *arguments) == 0
    assert bodies == [
        {"use_case": "UC-1", "kind": "robustness", "verdict": "pass", "metrics": {"f1": "0.8", "auc": "0.93"}}
    ]


@pytest.mark.parametrize("outcome", ["not_met", "missing", "stale", "error"])
def test_a_gate_with_something_owed_ends_with_1(
    httpserver: HTTPServer, tollgate: Run, capsys: pytest.CaptureFixture[str], outcome: str
) -> None:
    _findings(httpserver, _finding("met"), _finding(outcome))
    assert tollgate("findings", "UC-0017") == 1
    said = capsys.readouterr().out
    assert "observed 0.84, required at least 0.85" in said
    assert "not ready; 1 of 2 settled, 1 owed" in said


def test_a_gate_where_all_is_settled_ends_with_0(httpserver: HTTPServer, tollgate: Run) -> None:
    rows = [_finding("met"), _finding("waived"), _finding("not_applicable"), _finding("missing", mandatory=False)]
    _findings(httpserver, *rows)
    assert tollgate("findings", "UC-0017") == 0


def test_a_gate_of_which_nothing_is_known_is_not_ready(httpserver: HTTPServer, tollgate: Run) -> None:
    _findings(httpserver)
    assert tollgate("findings", "UC-0017") == 1


def test_findings_are_read_page_after_page(
    httpserver: HTTPServer, tollgate: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    second = httpserver.url_for("/api/v1/findings/") + "?cursor=2"
    httpserver.expect_ordered_request("/api/v1/findings/").respond_with_json(
        {"next": second, "results": [_finding("met")]}
    )
    httpserver.expect_ordered_request("/api/v1/findings/", query_string="cursor=2").respond_with_json(
        {"next": None, "results": [_finding("missing")]}
    )
    assert tollgate("findings", "UC-0017", "--format", "json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ready"] is False
    assert [row["outcome"] for row in answer["findings"]] == ["met", "missing"]


def test_a_next_page_elsewhere_does_not_get_the_token(httpserver: HTTPServer, tollgate: Run) -> None:
    httpserver.expect_request("/api/v1/findings/").respond_with_json(
        {"next": "https://elsewhere.example/", "results": []}
    )
    assert tollgate("findings", "UC-0017") == 3


def test_a_redirect_does_not_get_the_token(httpserver: HTTPServer, tollgate: Run) -> None:
    elsewhere = {"Location": httpserver.url_for("/elsewhere")}
    httpserver.expect_request("/api/v1/findings/").respond_with_data(status=302, headers=elsewhere)
    assert tollgate("findings", "UC-0017") == 3
    assert [request.path for request, _ in httpserver.log] == ["/api/v1/findings/"]


def test_an_overloaded_installation_is_asked_again(httpserver: HTTPServer, tollgate: Run) -> None:
    path = "/api/v1/findings/"
    httpserver.expect_oneshot_request(path).respond_with_data(status=503, headers={"Retry-After": "1"})
    httpserver.expect_oneshot_request(path).respond_with_json({"next": None, "results": [_finding("met")]})
    assert tollgate("findings", "UC-0017") == 0


def test_nobody_there_ends_with_4(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TOLLGATE_TOKEN", "tg_abcdefgh_secret")
    monkeypatch.setattr("tollgate_client.api.time.sleep", lambda seconds: None)
    assert main(["--url", "http://127.0.0.1:9", "findings", "UC-0017"]) == 4
    assert "does not answer" in capsys.readouterr().err


def test_without_a_token_nothing_is_asked(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TOLLGATE_TOKEN", raising=False)
    assert main(["--url", httpserver.url_for("/"), "findings", "UC-0017"]) == 2
    assert "TOLLGATE_TOKEN" in capsys.readouterr().err
    assert httpserver.log == []


def _verdict(*, allowed: bool) -> dict[str, object]:
    return {
        "allowed": allowed,
        "basis": "decision" if allowed else "none",
        "use_case": "UC-0017",
        "name": "Letters",
        "title": "Pilot to production",
        "stage": "pilot",
        "tier": "high",
        "decision": None,
        "live": None,
        "reasons": [] if allowed else [{"code": "no_decision", "text": "No decision lets this gate pass."}],
        "warnings": [],
        "failing": [],
        "conditions": [],
        "waivers": [],
        "reconstructed": [],
        "policy": {"key": "default", "version": "1.0.0", "digest": "ab" * 32},
    }


VERDICT = "/api/v1/use-cases/UC-0017/gates/pilot_to_production/verdict"


def test_a_busy_server_is_asked_again_for_the_verdict(httpserver: HTTPServer, tollgate: Run) -> None:
    httpserver.expect_ordered_request(VERDICT).respond_with_data("", status=503, headers={"Retry-After": "5"})
    httpserver.expect_ordered_request(VERDICT).respond_with_json(_verdict(allowed=True))
    assert tollgate("verdict", "UC-0017", "pilot_to_production") == 0


def test_a_long_wait_is_several_short_ones(
    httpserver: HTTPServer, tollgate: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 50))
    monkeypatch.setattr("tollgate_client.verdict.time.monotonic", lambda: next(clock))
    for _turn in range(3):
        httpserver.expect_ordered_request(VERDICT).respond_with_json(_verdict(allowed=False))
    httpserver.expect_ordered_request(VERDICT).respond_with_json(_verdict(allowed=True))
    assert tollgate("verdict", "UC-0017", "pilot_to_production", "--wait", "300", "--strict") == 0
    waits = [request.args.get("wait") for request, _answer in httpserver.log]
    assert waits == [None, "60", "60", "60"]
    assert {request.args["strict"] for request, _answer in httpserver.log} == {"true"}


def test_a_denial_ends_with_1_and_says_why(
    httpserver: HTTPServer, tollgate: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    httpserver.expect_request(VERDICT).respond_with_json(_verdict(allowed=False))
    assert tollgate("verdict", "UC-0017", "pilot_to_production") == 1
    assert "denied     No decision lets this gate pass." in capsys.readouterr().out


def test_a_wait_in_the_past_is_wrong_input(httpserver: HTTPServer, tollgate: Run) -> None:
    assert tollgate("verdict", "UC-0017", "pilot_to_production", "--at", "2026-01-01", "--wait", "5") == 2
    assert httpserver.log == []
