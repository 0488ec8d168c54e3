"""Parquet and CSV files in a folder: what is read, what is refused, and that nothing is left out."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pytest_django import Settings

from kernel.errors import Invalid
from monitoring.connector import ConnectorError, Sample
from monitoring.connectors import files
from monitoring.connectors.files import Files

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path, settings: Settings) -> Path:
    folder = tmp_path / "root"
    (folder / "exports").mkdir(parents=True)
    settings.SOURCE_ROOTS = [str(folder)]
    return folder


def of(path: str = "exports", **config: str) -> Files:
    return Files(Files.check({"path": path, **config}), {})


def write(path: Path, **columns: list[Any]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def failure(source: Files) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        list(source.fetch(None))
    return caught.value


def test_parquet_is_read_with_all_its_columns(root: Path) -> None:
    write(
        root / "exports" / "a.parquet",
        at=[NOON, NOON + timedelta(hours=1)],
        f1=[0.9, None],
        psi=[0.1, float("nan")],
        region=["north", "south"],
        model=["1.4", None],
        size=[70, 80],
        unused=["x", "y"],
    )
    found = list(of(time="at", values="f1, psi", segment="region", version="model", n="size").fetch(None))
    assert found == [Sample("f1", NOON, 0.9, 0, "north", "1.4", 70), Sample("psi", NOON, 0.1, 0, "north", "1.4", 70)]


def test_csv_is_read_without_guessing_types(root: Path) -> None:
    text = "time,value,region\n2026-11-20T12:00:00Z,0.5,007\n2026-11-20 13:00,,008\n2026-11-20T14:00:00+02:00,1e-3,\n"
    (root / "exports" / "a.csv").write_text("\ufeff" + text)
    found = list(of("exports/a.csv", metric="f1", segment="region").fetch(None))
    assert found == [Sample("f1", NOON, 0.5, 0, "007"), Sample("f1", NOON, 0.001)]


def test_times_may_be_numbers(root: Path) -> None:
    write(root / "exports" / "a.parquet", time=[1763715600000], value=[1])
    (found,) = of(time_format="milliseconds", metric="f1").fetch(None)
    assert found.time == datetime(2025, 11, 21, 9, tzinfo=UTC)


def test_each_row_may_name_its_metric(root: Path) -> None:
    write(root / "exports" / "a.parquet", time=[NOON, NOON], value=[1.0, 2.0], name=["f1", "psi"])
    assert [sample.metric for sample in of(metric_column="name").fetch(None)] == ["f1", "psi"]


def test_only_files_that_changed_since_are_read_also_copies_that_keep_an_old_time(root: Path) -> None:
    first = write(root / "exports" / "a.parquet", time=[NOON], value=[1.0])
    since = datetime.fromtimestamp(first.stat().st_ctime, tz=UTC) + timedelta(microseconds=1)
    assert list(of(metric="f1").fetch(since)) == []
    second = write(root / "exports" / "b.parquet", time=[NOON], value=[2.0])
    os.utime(second, (0, 0))  # as rsync and cp -p do
    assert [sample.value for sample in of(metric="f1").fetch(since)] == [2.0]


def test_unfinished_and_foreign_files_are_left_alone(root: Path) -> None:
    for name in (".part.parquet", "_tmp.csv", "notes.txt"):
        (root / "exports" / name).write_text("nothing")
    assert list(of(metric="f1").fetch(None)) == []


def test_with_many_rows_it_stops_between_two_files_and_goes_on_there(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ROWS_A_PULL", 3)
    for index in range(4):
        write(root / "exports" / f"{index}.parquet", time=[NOON] * 2, value=[float(index)] * 2)
    seen: list[float] = []
    since: datetime | None = None
    for _pull in range(10):
        source = of(metric="f1")
        seen += [sample.value for sample in source.fetch(since)]
        if source.read_through is None:
            break
        assert since is None or source.read_through > since
        since = source.read_through
    assert seen == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.parquet", b"PAR1 cut off", "a.parquet"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"time,value\nsoon,1\n", "'soon' cannot be read"),
        ("a.csv", b"time,value\n2026-11-20T12:00:00Z,high\n", "'high' is not a number"),
        ("a.csv", b"time,amount\n2026-11-20T12:00:00Z,1\n", "no column value"),
        ("a.csv", b"time,value\n2026-11-20T12:00:00Z,1,2,3\n", "a.csv"),
    ],
)
def test_the_file_that_is_wrong_is_named(root: Path, name: str, content: bytes, said: str) -> None:
    (root / "exports" / name).write_bytes(content)
    error = failure(of(metric="f1"))
    assert error.kind == "content"
    assert said in error.message


@pytest.mark.parametrize("path", ["/etc", "../root", "exports/../../x", "~/x", "**/x"])
def test_paths_out_of_the_roots_are_refused(path: str) -> None:
    with pytest.raises(Invalid) as caught:
        of(path)
    assert "path" in caught.value.errors


def test_links_out_of_the_roots_are_refused(root: Path) -> None:
    outside = write(root.parent / "secret.parquet", time=[NOON], value=[1.0])
    (root / "exports" / "x.parquet").symlink_to(outside)
    assert failure(of(metric="f1")).kind == "refused"


def test_the_products_own_data_is_out_of_bounds(root: Path, settings: Settings) -> None:
    settings.SOURCE_ROOTS = [str(root.parent)]
    settings.TOLLGATE_DATA_DIR = root
    write(root / "exports" / "a.parquet", time=[NOON], value=[1.0])
    assert failure(of("root/exports", metric="f1")).kind == "refused"


def test_nothing_there_and_no_roots_are_said(root: Path, settings: Settings) -> None:
    assert "no file or folder" in failure(of("other", metric="f1")).message
    settings.SOURCE_ROOTS = []
    assert failure(of(metric="f1")).kind == "refused"


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"values": "a, b", "metric": "f1"}, "values"),
        ({"metric": "f1", "metric_column": "name"}, "metric"),
        ({"time_format": "roman"}, "time_format"),
    ],
)
def test_wrong_settings_are_named(config: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        of(**config)
    assert field in caught.value.errors
