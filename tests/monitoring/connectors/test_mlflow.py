"""The connector against a real MLflow server, installed by `make peers` into a virtual environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from kernel.errors import Invalid
from monitoring.connector import ConnectorError
from monitoring.connectors.mlflow import API, MLflow

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PEERS = Path(os.environ.get("PEERS", ".peers")).resolve()
MLFLOW = shutil.which("mlflow", path=str(PEERS / "bin"))


@pytest.fixture(autouse=True)
def _may_call_this_machine(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]


def of(url: str, **config: str) -> MLflow:
    return MLflow(MLflow.check({"url": url, **config}), {})


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({}, "experiment"),
        ({"experiment": "a", "model": "b"}, "experiment"),
        ({"experiment": "a", "alias": "champion"}, "alias"),
        ({"experiment": "a", "version": "number"}, "version"),
        ({"model": "a", "filter": "x"}, "filter"),
        ({"model": "a' OR 1"}, "model"),
    ],
)
def test_wrong_settings_are_named(config: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        of("http://example.com", **config)
    assert list(caught.value.errors) == [field]


def test_an_answer_of_another_server_is_said(httpserver: HTTPServer) -> None:
    httpserver.expect_request(f"{API}/experiments/get-by-name").respond_with_json({"hello": "you"})
    with pytest.raises(ConnectorError, match="not that of MLflow"):
        list(of(httpserver.url_for("/"), experiment="a").fetch(None))


def test_what_is_no_number_is_left_out_and_pages_are_followed(httpserver: HTTPServer) -> None:
    info = {"run_id": "r1", "run_name": "blue", "end_time": 0}
    httpserver.expect_request(f"{API}/experiments/get-by-name").respond_with_json(
        {"experiment": {"experiment_id": "1"}}
    )
    httpserver.expect_request(f"{API}/runs/search").respond_with_json(
        {"runs": [{"info": info, "data": {"metrics": [{"key": "f1"}, {"key": "loss"}]}}]}
    )
    at = str(int(NOON.timestamp() * 1000))
    pages: dict[str, Any] = {
        "": {"metrics": [{"key": "f1", "value": 0.5, "timestamp": at, "step": "3"}], "next_page_token": "2"},
        "2": {"metrics": [{"key": "f1", "value": "NaN", "timestamp": at, "step": "4"}]},
    }

    def answer(request: Request) -> Response:
        page = pages[request.args.get("page_token", "")]
        return Response(json.dumps(page), content_type="application/json")

    httpserver.expect_request(f"{API}/metrics/get-history").respond_with_handler(answer)
    (found,) = of(httpserver.url_for("/"), experiment="a", metrics="f1", segment="run_name").fetch(None)
    assert (found.metric, found.value, found.step, found.segment, found.time) == ("f1", 0.5, 3, "blue", NOON)


# -- A real server ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if MLFLOW is None:
        pytest.skip("MLflow is not installed beside the product (make peers)")
    home = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [MLFLOW, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{home}/mlflow.db",
        "--artifacts-destination",
        str(home / "artifacts"),
    ]
    with Path(home / "log").open("wb") as log:
        # A group of its own: the server starts workers that would outlive it.
        running = subprocess.Popen(command, cwd=home, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(360):
            assert running.poll() is None, (home / "log").read_text()
            try:
                if httpx2.get(f"{url}/health").status_code == 200:
                    break
            except httpx2.HTTPError:
                pass
            time.sleep(0.25)
        _fill(url)
        yield url
    finally:
        os.killpg(running.pid, 15)
        running.wait(20)


def _fill(url: str) -> None:
    """An experiment with two runs, a registered model with two versions, and an alias."""

    def ask(path: str, **content: Any) -> Any:
        answer = httpx2.post(f"{url}{API}/{path}", json=content, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    experiment = ask("experiments/create", name="churn")["experiment_id"]
    ask("registered-models/create", name="churn")
    for index, name in enumerate(("blue", "green")):
        start = int((NOON - timedelta(days=10 * index)).timestamp() * 1000)
        run = ask("runs/create", experiment_id=experiment, start_time=start, run_name=name)["run"]["info"]["run_id"]
        points = [
            {"key": key, "value": value + step / 10, "timestamp": start + step * 1000, "step": step}
            for step in range(3)
            for key, value in (("val/f1", 0.5), ("loss", 1.0))
        ]
        ask("runs/log-batch", run_id=run, metrics=points)
        ask("runs/update", run_id=run, status="FINISHED", end_time=start + 5000)
        ask("model-versions/create", name="churn", source=f"runs:/{run}/model", run_id=run)
    ask("registered-models/alias", name="churn", alias="champion", version="2")


@pytest.mark.long
def test_a_real_server_gives_whole_histories(server: str) -> None:
    found = list(of(server, experiment="churn", segment="run_name").fetch(None))
    assert len(found) == 12
    f1 = sorted((one.segment, one.step, one.value) for one in found if one.metric == "val/f1")
    assert f1 == [(name, step, 0.5 + step / 10) for name in ("blue", "green") for step in range(3)]
    recent = list(of(server, experiment="churn", metrics="loss").fetch(NOON - timedelta(hours=1)))
    assert [(one.metric, one.time.replace(second=0)) for one in recent] == [("loss", NOON)] * 3


@pytest.mark.long
def test_a_real_registry_gives_versions_and_aliases(server: str) -> None:
    found = list(of(server, model="churn", version="number", metrics="loss").fetch(None))
    assert {one.version for one in found} == {"1", "2"}
    champion = list(of(server, model="churn", alias="champion", version="number", metrics="loss").fetch(None))
    assert {(one.version, one.time.day) for one in champion} == {("2", 10)}


@pytest.mark.long
def test_a_real_server_says_what_is_missing(server: str) -> None:
    for config in ({"experiment": "nothing"}, {"model": "churn", "alias": "nobody"}):
        with pytest.raises(ConnectorError) as caught:
            list(of(server, **config).fetch(None))
        assert caught.value.kind == "answer"
        assert "404" in caught.value.message or "400" in caught.value.message
