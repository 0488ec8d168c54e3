"""Reports as Evidently writes them; those of 0.7 were written by it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from kernel.errors import Invalid
from monitoring.connector import ConnectorError
from monitoring.connectors import evidently
from monitoring.connectors.evidently import Evidently

CURRENT: dict[str, Any] = {
    "metrics": [
        {
            "id": "15e89f895b482f9b84ba7274ed18a106",
            "metric_name": "DriftedColumnsCount(drift_share=0.5)",
            "config": {"type": "evidently:metric_v2:DriftedColumnsCount", "drift_share": 0.5},
            "value": {"count": 1.0, "share": 0.5},
        },
        {
            "id": "1cf7e5c2a8eb2a62a2667e70ee06d259",
            "metric_name": "ValueDrift(column=age,method=K-S p_value,threshold=0.05)",
            "config": {
                "type": "evidently:metric_v2:ValueDrift",
                "column": "age",
                "method": "K-S p_value",
                "threshold": 0.05,
            },
            "value": 1.6280342428278328e-39,
        },
        {
            "id": "x",
            "metric_name": "RowCount()",
            "config": {"type": "evidently:metric_v2:RowCount"},
            "value": 500,
        },
    ],
    "tests": [],
}
LEGACY: dict[str, Any] = {
    "version": "0.4.30",
    "timestamp": "2026-11-20 12:00:00.500000",
    "metrics": [
        {
            "metric": "DatasetDriftMetric",
            "result": {
                "drift_share": 0.5,
                "number_of_columns": 2,
                "number_of_drifted_columns": 1,
                "share_of_drifted_columns": 0.5,
                "dataset_drift": True,
            },
        },
        {
            "metric": "DataDriftTable",
            "result": {"drift_by_columns": {"age": {"column_name": "age", "drift_score": 0.01}}},
        },
        {"metric": "ColumnDriftMetric", "result": {"column_name": "region", "drift_score": 0.2}},
    ],
}


@pytest.fixture
def root(tmp_path: Path, settings: Settings) -> Path:
    settings.SOURCE_ROOTS = [str(tmp_path)]
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
    return tmp_path


def values(source: Evidently) -> dict[tuple[str, str], float]:
    return {(sample.metric, sample.segment): sample.value for sample in source.fetch(None)}


def test_a_report_of_today_is_read_with_the_files_time(root: Path) -> None:
    (root / "drift.json").write_text(json.dumps(CURRENT))
    source = Evidently(Evidently.check({"path": "drift.json"}), {})
    assert values(source) == {
        ("drifted_columns", ""): 1,
        ("drift_share", ""): 50,
        ("drift_score", "age"): 1.6280342428278328e-39,
        ("row_count", ""): 500,
    }
    (sample, *_rest) = source.fetch(None)
    assert abs((datetime.now(tz=UTC) - sample.time).total_seconds()) < 60


def test_an_older_report_is_read_with_its_own_time(root: Path) -> None:
    (root / "drift.json").write_text(json.dumps(LEGACY))
    source = Evidently(Evidently.check({"path": "drift.json"}), {})
    found = values(source)
    assert found["drift_share", ""] == 50
    assert (found["drift_score", "age"], found["drift_score", "region"]) == (0.01, 0.2)
    assert {sample.time for sample in source.fetch(None)} == {datetime(2026, 11, 20, 12, 0, 0, 500_000, tzinfo=UTC)}


def test_a_folder_is_read_in_bounded_pulls(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidently, "REPORTS_A_PULL", 2)
    for index in range(3):
        (root / f"{index}.json").write_text(json.dumps({**LEGACY, "timestamp": f"2026-11-2{index} 12:00:00"}))
    first = Evidently(Evidently.check({"path": "."}), {})
    days = {sample.time.day for sample in first.fetch(None)}
    second = Evidently(Evidently.check({"path": "."}), {})
    assert first.read_through is not None
    days |= {sample.time.day for sample in second.fetch(first.read_through)}
    assert (days, second.read_through) == ({20, 21, 22}, None)


def test_over_http_the_server_says_when_it_changed(httpserver: HTTPServer, root: Path) -> None:
    headers = {"Last-Modified": "Fri, 20 Nov 2026 12:00:00 GMT"}
    httpserver.expect_request("/r.json", headers={"Authorization": "Bearer t0ken"}).respond_with_json(
        CURRENT, headers=headers
    )
    source = Evidently(Evidently.check({"url": httpserver.url_for("/r.json")}), {"token": "t0ken"})
    assert {sample.time for sample in source.fetch(None)} == {datetime(2026, 11, 20, 12, tzinfo=UTC)}


def test_a_report_without_any_time_is_not_dated_today(httpserver: HTTPServer, root: Path) -> None:
    httpserver.expect_request("/r.json").respond_with_json(CURRENT)
    with pytest.raises(ConnectorError) as caught:
        list(Evidently(Evidently.check({"url": httpserver.url_for("/r.json")}), {}).fetch(None))
    assert "carries no time" in caught.value.message


@pytest.mark.parametrize("content", ["[]", "{}", '{"metrics": 5}', '{"metrics": [', ""])
def test_what_is_no_report_is_said(root: Path, content: str) -> None:
    (root / "drift.json").write_text(content)
    with pytest.raises(ConnectorError) as caught:
        list(Evidently(Evidently.check({"path": "drift.json"}), {}).fetch(None))
    assert (caught.value.kind, "drift.json" in caught.value.message) == ("content", True)


@pytest.mark.parametrize("config", [{}, {"url": "https://e.com", "path": "x"}, {"url": "ftp://e.com"}, {"path": "/x"}])
def test_wrong_settings_are_refused(config: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        Evidently.check(config)
