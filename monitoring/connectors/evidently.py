"""Metrics out of Evidently's report JSON: drift of the data set, drift of each column, and every other single number.

Reads what ``save_json`` of Evidently 0.7 writes, and reports of 0.4 to 0.6. A report of 0.7 carries no time: then it is
that of the file, or what the server says of the last change; a report without any is refused rather than dated today.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, ClassVar

import orjson
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.connector import Connector, ConnectorError, Reads, Sample, connectors
from monitoring.fetching import SIGN_IN, Fetching, address_problems, destination, sign_in_problems
from monitoring.roots import found, path_problems
from monitoring.setting import Setting

MOST_BYTES = 50 * 1024 * 1024
REPORTS_A_PULL = 200
KNOWN = {
    "ValueDrift": "drift_score",
    "ColumnDriftMetric.drift_score": "drift_score",
    "DriftedColumnsCount.share": "drift_share",
    "DriftedColumnsCount.count": "drifted_columns",
    "DatasetDriftMetric.share_of_drifted_columns": "drift_share",
    "DatasetDriftMetric.number_of_drifted_columns": "drifted_columns",
}
"""Evidently's names for the same thing, by its versions, and ours; the share is a per cent in our catalogue."""


@connectors.register
class Evidently(Connector):
    key = "evidently"
    label = gettext_lazy("Evidently reports")
    about = gettext_lazy("JSON reports of Evidently, from an address or from a folder that an operator named.")
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("url", gettext_lazy("Address"), gettext_lazy("Of one report; or give a folder or file.")),
        Setting(
            "path",
            gettext_lazy("Folder or file"),
            gettext_lazy("Below the configured folders, such as reports or reports/drift.json."),
        ),
    )
    secrets: ClassVar[tuple[Setting, ...]] = SIGN_IN

    @classmethod
    def problems(cls, config: Mapping[str, str]) -> dict[str, list[str]]:
        if bool(config.get("url")) == bool(config.get("path")):
            return {"url": [_("Give either an address or a folder.")]}
        if config.get("url"):
            return {"url": said} if (said := address_problems(config["url"])) else {}
        return {"path": said} if (said := path_problems(config["path"])) else {}

    @classmethod
    def secret_problems(cls, secret: Mapping[str, str]) -> dict[str, list[str]]:
        return sign_in_problems(secret)

    @classmethod
    def destination(cls, config: Mapping[str, str]) -> str:
        return destination(config["url"]) if config.get("url") else config["path"]

    @property
    def reads(self) -> Reads:
        return Reads.CHANGES

    def fetch(self, since: datetime | None, until: datetime | None = None) -> Iterator[Sample]:
        if self.config.get("url"):
            with Fetching(self.config["url"], self.secret) as server:
                answer = server.answer("GET")
            yield from _samples(_read(answer.content, self.config["url"]), _last_modified(answer.headers))
            return
        files = sorted((_changed(path), path) for path in found(self.config["path"], (".json",)))
        files = [(changed, path) for changed, path in files if since is None or changed > since]
        for index, (changed, path) in enumerate(files):
            if index >= REPORTS_A_PULL and changed != files[index - 1][0]:
                self.read_through = files[index - 1][0]
                return
            if path.stat().st_size > MOST_BYTES:
                raise ConnectorError("content", _("%(name)s is larger than 50 MB.") % {"name": path.name})
            yield from _samples(_read(path.read_bytes(), path.name), changed)


def _read(content: bytes, name: str) -> Mapping[str, Any]:
    try:
        report = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        said = _("%(name)s is not JSON: %(what)s.") % {"name": name, "what": error.msg}
        raise ConnectorError("content", said) from None
    if not isinstance(report, Mapping) or not isinstance(report.get("metrics"), list):
        raise ConnectorError("content", _("%(name)s is no report of Evidently.") % {"name": name})
    return report


def _samples(report: Mapping[str, Any], changed: datetime | None) -> Iterator[Sample]:
    time = _time(report) or changed
    if time is None:
        raise ConnectorError(
            "content", _("The report carries no time, and the server does not say when it changed (Last-Modified).")
        )
    given: dict[tuple[str, str], float] = {}
    for metric in report["metrics"]:
        for name, column, value in _legacy(metric) if "result" in metric else _current(metric):
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                ours = KNOWN.get(name) or _snake(name)
                # A preset may hold the same metric as was asked for by itself: the first one stands.
                given.setdefault((ours, column), value * 100 if ours == "drift_share" else float(value))
    for (name, column), value in given.items():
        yield Sample(name, time, value, segment=column)


def _current(metric: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """0.7: ``{"config": {"type": "evidently:metric_v2:ValueDrift", "column": …}, "value": …}``."""
    config, value = metric["config"], metric.get("value")
    name, column = str(config["type"]).rpartition(":")[2], str(config.get("column") or "")
    if isinstance(value, Mapping):
        for part, number in value.items():
            yield f"{name}.{part}", column, number
    else:
        yield name, column, value


def _legacy(metric: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """0.4 to 0.6: ``{"metric": "DatasetDriftMetric", "result": {…}}``."""
    name, result = str(metric["metric"]), metric["result"]
    column = str(result.get("column_name") or "")
    for part, value in result.items():
        yield f"{name}.{part}", column, value
    for each, found_of in (result.get("drift_by_columns") or {}).items():
        yield "ColumnDriftMetric.drift_score", str(each), found_of.get("drift_score")


def _time(report: Mapping[str, Any]) -> datetime | None:
    given = report.get("timestamp")
    if not isinstance(given, str):
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _changed(path: Path) -> datetime:
    info = path.stat()
    return datetime.fromtimestamp(max(info.st_mtime, info.st_ctime), tz=UTC)


def _last_modified(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["last-modified"])
    except (KeyError, TypeError, ValueError):
        return None


def _snake(name: str) -> str:
    """``RowCount`` → ``row_count``, ``MAE.mean`` → ``mae_mean``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.replace(".", "_"))
    return words.lower()
