"""Metrics from an MLflow tracking server: of the runs of an experiment, or of the versions of a registered model.

With a registered model the points carry the version's number as their model version, or, with an alias, come from the
one version behind it. The whole history of a metric is read, not only its last value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.connector import Connector, ConnectorError, Reads, Sample, connectors
from monitoring.fetching import ADDRESS, SIGN_IN, Fetching, address_problems, destination, sign_in_problems
from monitoring.setting import Setting

API = "/api/2.0/mlflow"
RUNS_A_PAGE = 200
POINTS_A_PAGE = 20_000
LATE = timedelta(days=1)
"""A run that ended this long before the asked time may still have got metrics after its end."""
NOTHING, RUN_NAME, RUN_ID = "", "run_name", "run_id"


@dataclass(frozen=True, slots=True)
class _Run:
    id: str
    metrics: tuple[str, ...]
    segment: str
    version: str


@connectors.register
class MLflow(Connector):
    key = "mlflow"
    label = gettext_lazy("MLflow")
    about = gettext_lazy("Metric history of an experiment's runs, or of a registered model's versions and aliases.")
    settings: ClassVar[tuple[Setting, ...]] = (
        ADDRESS,
        Setting("experiment", gettext_lazy("Experiment"), gettext_lazy("Its name; or give a registered model.")),
        Setting("model", gettext_lazy("Registered model"), gettext_lazy("Its name: its versions' runs are read.")),
        Setting("alias", gettext_lazy("Alias"), gettext_lazy("Such as champion: only the version behind it.")),
        Setting("metrics", gettext_lazy("Metrics"), gettext_lazy("Their names, separated by commas; empty for all.")),
        Setting("filter", gettext_lazy("Filter"), gettext_lazy("MLflow's search filter, such as tags.kind = 'eval'.")),
        Setting(
            "version",
            gettext_lazy("Model version"),
            default="none",
            choices=(
                ("none", gettext_lazy("not told apart")),
                ("number", gettext_lazy("the version's number in the registry")),
            ),
        ),
        Setting(
            "segment",
            gettext_lazy("Segment"),
            default="none",
            choices=(
                ("none", gettext_lazy("none")),
                (RUN_NAME, gettext_lazy("name of the run")),
                (RUN_ID, gettext_lazy("id of the run")),
            ),
        ),
    )
    secrets: ClassVar[tuple[Setting, ...]] = SIGN_IN

    @classmethod
    def problems(cls, config: Mapping[str, str]) -> dict[str, list[str]]:
        errors: dict[str, list[str]] = {}
        if said := address_problems(config["url"]):
            errors["url"] = said
        if bool(config.get("experiment")) == bool(config.get("model")):
            errors["experiment"] = [_("Give either an experiment or a registered model.")]
        if config.get("alias") and not config.get("model"):
            errors["alias"] = [_("An alias belongs to a registered model: name it.")]
        if config.get("filter") and config.get("model"):
            errors["filter"] = [_("A filter chooses runs of an experiment, not of a model.")]
        if config["version"] == "number" and not config.get("model"):
            errors["version"] = [_("Only the versions of a registered model have numbers.")]
        if any("'" in config.get(name, "") for name in ("model", "alias")):
            errors["model"] = [_("A quotation mark is not accepted here.")]
        return errors

    @classmethod
    def secret_problems(cls, secret: Mapping[str, str]) -> dict[str, list[str]]:
        return sign_in_problems(secret)

    @classmethod
    def destination(cls, config: Mapping[str, str]) -> str:
        return destination(config["url"])

    @property
    def reads(self) -> Reads:
        return Reads.POINTS

    def fetch(self, since: datetime | None, until: datetime | None = None) -> Iterator[Sample]:
        with Fetching(self.config["url"], self.secret) as server:
            runs = self._runs_of_model(server) if self.config.get("model") else self._runs(server, since)
            for run in runs:
                for metric in run.metrics:
                    yield from self._history(server, run, metric, since)

    def _runs(self, server: Fetching, since: datetime | None) -> Iterator[_Run]:
        named = server.get(f"{API}/experiments/get-by-name", {"experiment_name": self.config["experiment"]})
        asked = {
            "experiment_ids": [_part(named, "experiment", "experiment_id")],
            "max_results": RUNS_A_PAGE,
            "order_by": ["attributes.start_time DESC"],
            "filter": self.config.get("filter", ""),
        }
        while True:
            page = server.post(f"{API}/runs/search", asked)
            for run in page.get("runs", ()):
                if not _is_over(run, since):
                    yield self._run(run, "")
            if not page.get("next_page_token"):
                return
            asked["page_token"] = page["next_page_token"]

    def _runs_of_model(self, server: Fetching) -> Iterator[_Run]:
        for version in self._versions(server):
            if version.get("run_id"):  # a version may be registered without a run
                found = server.get(f"{API}/runs/get", {"run_id": version["run_id"]})
                label = str(version["version"]) if self.config["version"] == "number" else ""
                yield self._run(_part(found, "run"), label)

    def _versions(self, server: Fetching) -> Iterator[Mapping[str, Any]]:
        name, alias = self.config["model"], self.config.get("alias")
        if alias:
            found = server.get(f"{API}/registered-models/alias", {"name": name, "alias": alias})
            yield _part(found, "model_version")
            return
        asked: dict[str, Any] = {"filter": f"name = '{name}'", "max_results": RUNS_A_PAGE}
        while True:
            page = server.get(f"{API}/model-versions/search", asked)
            yield from page.get("model_versions", ())
            if not page.get("next_page_token"):
                return
            asked["page_token"] = page["next_page_token"]

    def _run(self, run: Any, version: str) -> _Run:
        info, metrics = _part(run, "info"), run.get("data", {}).get("metrics", ())
        wanted = {name.strip() for name in self.config.get("metrics", "").split(",") if name.strip()}
        names = tuple(dict.fromkeys(one["key"] for one in metrics if not wanted or one["key"] in wanted))
        segment = {RUN_NAME: info.get("run_name", ""), RUN_ID: info["run_id"]}.get(self.config["segment"], "")
        return _Run(info["run_id"], names, segment, version)

    def _history(self, server: Fetching, run: _Run, metric: str, since: datetime | None) -> Iterator[Sample]:
        asked = {"run_id": run.id, "metric_key": metric, "max_results": POINTS_A_PAGE}
        earliest = since.timestamp() * 1000 if since else -math.inf
        while True:
            page = server.get(f"{API}/metrics/get-history", asked)
            for one in page.get("metrics", ()):
                value = float(one["value"])  # "NaN" and "Infinity" come as words
                if int(one["timestamp"]) >= earliest and math.isfinite(value):
                    time = datetime.fromtimestamp(int(one["timestamp"]) / 1000, tz=UTC)
                    yield Sample(metric, time, value, int(one.get("step", 0)), run.segment, run.version)
            if not page.get("next_page_token"):
                return
            asked["page_token"] = page["next_page_token"]


def _is_over(run: Any, since: datetime | None) -> bool:
    """A run that ended well before the asked time has nothing new."""
    ended = _part(run, "info").get("end_time")
    return bool(since and ended and int(ended) < (since - LATE).timestamp() * 1000)


def _part(content: Any, *names: str) -> Any:
    for name in names:
        if not isinstance(content, Mapping) or name not in content:
            raise ConnectorError(
                "content", _("Its answer is not that of MLflow: %(name)s is missing.") % {"name": name}
            )
        content = content[name]
    return content
