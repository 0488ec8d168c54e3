"""Metrics from Parquet and CSV files in a folder: what changed since the last pull is read, row group by row group.

A file counts as changed by its time of modification or of arrival, whichever is later: a copy that keeps the old time
is still found. Files are read in the order in which they changed; when there are more rows than one pull may bring it
stops between two files and goes on there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.connector import Connector, ConnectorError, Reads, Sample, connectors
from monitoring.roots import found, path_problems
from monitoring.setting import Setting

PARQUET, CSV = (".parquet", ".pq"), (".csv",)
ROWS_A_PULL = 50_000
"""After so many rows it stops at the end of a file."""
BATCH = 8_192
MOST_BYTES = 4 * 1024**3
ISO, SECONDS, MILLISECONDS = "iso", "seconds", "milliseconds"


@dataclass(frozen=True, slots=True)
class _File:
    changed: datetime
    path: Path


@connectors.register
class Files(Connector):
    key = "files"
    label = gettext_lazy("Files: Parquet, CSV")
    about = gettext_lazy("Rows of files that appear in a folder that an operator named.")
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "path",
            gettext_lazy("Folder or file"),
            gettext_lazy("Below the configured folders: exports, exports/*.parquet or exports/metrics.csv."),
            required=True,
        ),
        Setting("time", gettext_lazy("Column of the time"), default="time"),
        Setting(
            "time_format",
            gettext_lazy("Time is written as"),
            gettext_lazy("Unless the file itself knows; a time without a zone is UTC."),
            default=ISO,
            choices=(
                (ISO, gettext_lazy("ISO 8601")),
                (SECONDS, gettext_lazy("seconds since 1970")),
                (MILLISECONDS, gettext_lazy("milliseconds since 1970")),
            ),
        ),
        Setting(
            "values",
            gettext_lazy("Columns of values"),
            gettext_lazy("Separated by commas; each is a metric of that name, unless a metric is given."),
            default="value",
        ),
        Setting("metric", gettext_lazy("Metric"), gettext_lazy("Its key, for a single column of values.")),
        Setting("metric_column", gettext_lazy("Column of the metric"), gettext_lazy("If each row names its own.")),
        Setting("segment", gettext_lazy("Column of the segment")),
        Setting("version", gettext_lazy("Column of the model version")),
        Setting("step", gettext_lazy("Column of the step")),
        Setting("n", gettext_lazy("Column of the observations"), gettext_lazy("The count behind the value.")),
    )

    @classmethod
    def problems(cls, config: Mapping[str, str]) -> dict[str, list[str]]:
        errors: dict[str, list[str]] = {}
        if said := path_problems(config["path"]):
            errors["path"] = said
        if len(_listed(config["values"])) != 1 and (config.get("metric") or config.get("metric_column")):
            errors["values"] = [_("With a metric there is a single column of values.")]
        if config.get("metric") and config.get("metric_column"):
            errors["metric"] = [_("Give either one metric or the column that names it.")]
        return errors

    @classmethod
    def destination(cls, config: Mapping[str, str]) -> str:
        return config["path"]

    @property
    def reads(self) -> Reads:
        return Reads.CHANGES

    def fetch(self, since: datetime | None, until: datetime | None = None) -> Iterator[Sample]:
        rows, last = 0, since
        for file in self._changed(since):
            if rows >= ROWS_A_PULL and file.changed != last:
                self.read_through = last
                return
            for sample in self._samples(file.path):
                rows += 1
                yield sample
            last = file.changed

    def _changed(self, since: datetime | None) -> list[_File]:
        local = fsspec.filesystem("file")
        files = []
        for path in found(self.config["path"], PARQUET + CSV):
            info = local.info(str(path))
            changed = datetime.fromtimestamp(max(info["mtime"], info["created"]), tz=UTC)
            if info["size"] > MOST_BYTES:
                raise _file_error(path, _("it is larger than 4 GB"))
            if since is None or changed > since:
                files.append(_File(changed, path))
        return sorted(files, key=lambda file: (file.changed, file.path))

    def _samples(self, path: Path) -> Iterator[Sample]:
        try:
            for batch in _parquet(path, self._columns()) if path.suffix.lower() in PARQUET else _csv(path):
                self._check_columns(path, batch.schema.names)
                yield from self._rows(path, batch)
        except (pa.ArrowException, OSError) as error:
            raise _file_error(path, _first_line(error)) from None

    def _columns(self) -> list[str]:
        named = [self.config.get(name, "") for name in ("time", "metric_column", "segment", "version", "step", "n")]
        return [name for name in [*named, *_listed(self.config["values"])] if name]

    def _check_columns(self, path: Path, names: list[str]) -> None:
        if missing := [name for name in self._columns() if name not in names]:
            raise _file_error(path, _("it has no column %(name)s") % {"name": missing[0]})

    def _rows(self, path: Path, batch: pa.RecordBatch) -> Iterator[Sample]:
        columns = {name: batch.column(name).to_pylist() for name in self._columns()}
        blank = [None] * batch.num_rows
        times = columns[self.config["time"]]
        segments, versions, steps, counts, names = (
            columns.get(self.config.get(name, ""), blank)
            for name in ("segment", "version", "step", "n", "metric_column")
        )
        for column in _listed(self.config["values"]):
            for index, given in enumerate(columns[column]):
                value = _number(given)
                if value is None:
                    if given not in {None, ""}:
                        raise _file_error(path, _("%(text)r is not a number") % {"text": str(given)[:40]})
                    continue
                if not math.isfinite(value):
                    continue
                yield Sample(
                    metric=str(names[index] or self.config.get("metric") or column),
                    time=self._time(path, times[index]),
                    value=value,
                    step=int(_number(steps[index]) or 0),
                    segment=_text(segments[index]),
                    version=_text(versions[index]),
                    n=None if (n := _number(counts[index])) is None else int(n),
                )

    def _time(self, path: Path, given: Any) -> datetime:
        moment: datetime | None = None
        try:
            if isinstance(given, datetime):
                moment = given
            elif isinstance(given, date):
                moment = datetime(given.year, given.month, given.day, tzinfo=UTC)
            elif self.config["time_format"] == ISO:
                moment = datetime.fromisoformat(str(given))
            else:
                per_second = 1000 if self.config["time_format"] == MILLISECONDS else 1
                moment = datetime.fromtimestamp(float(given) / per_second, tz=UTC)
        except (TypeError, ValueError, OverflowError, OSError):
            moment = None
        if moment is None:
            raise _file_error(path, _("the time %(text)r cannot be read") % {"text": str(given)[:40]})
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parquet(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    with pyarrow.parquet.ParquetFile(path) as file:
        known = [name for name in columns if name in file.schema_arrow.names]
        yield from file.iter_batches(batch_size=BATCH, columns=known)


def _csv(path: Path) -> Iterator[pa.RecordBatch]:
    """Everything as text: guessing types from the first rows would make a later one fail, or lose a leading zero."""
    with path.open("rb") as file:
        header = file.readline(1_000_000).decode("utf-8-sig", errors="replace")
    if not header.strip():
        raise pa.ArrowInvalid("it is empty")
    names = [name.strip().strip('"') for name in header.strip("\r\n").split(",")]
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=["", "null", "NULL"]
    )
    read = pyarrow.csv.ReadOptions(block_size=1 << 20, column_names=names, skip_rows=1)
    with pyarrow.csv.open_csv(path, read_options=read, convert_options=convert) as batches:
        yield from batches


def _number(given: Any) -> float | None:
    if given is None or isinstance(given, bool):
        return None
    try:
        return float(given)
    except (TypeError, ValueError):
        return None


def _text(given: Any) -> str:
    return "" if given is None else str(given)


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def _file_error(path: Path, what: str) -> ConnectorError:
    return ConnectorError("content", _("%(name)s: %(what)s.") % {"name": path.name, "what": what})
