"""Metrics from Prometheus, or whatever answers its range queries (Thanos, Mimir, VictoriaMetrics).

Queries stand on a grid of whole steps since 1970, so that the next pull asks for the same moments and what did not
change is recognised. Values that are no numbers (0/0, x/0) mean that nothing was measured, and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.connector import Connector, ConnectorError, Reads, Sample, connectors
from monitoring.fetching import ADDRESS, SIGN_IN, Fetching, address_problems, destination, sign_in_problems
from monitoring.setting import Setting

MOST_STEPS = 5_000
"""Of one query; Prometheus refuses more than 11,000."""
PREVIEW = timedelta(hours=6)


@connectors.register
class Prometheus(Connector):
    key = "prometheus"
    label = gettext_lazy("Prometheus")
    about = gettext_lazy("A PromQL query, read as a range in steps. Also Thanos, Mimir and VictoriaMetrics.")
    settings: ClassVar[tuple[Setting, ...]] = (
        ADDRESS,
        Setting(
            "query",
            gettext_lazy("Query"),
            gettext_lazy("PromQL, such as sum(rate(errors_total[5m])) / sum(rate(requests_total[5m]))."),
            required=True,
            is_long=True,
        ),
        Setting(
            "step", gettext_lazy("Step in seconds"), gettext_lazy("One point each."), default="60", least=1, most=86_400
        ),
        Setting("metric", gettext_lazy("Metric"), gettext_lazy("Its key here; empty: the name that Prometheus gives.")),
        Setting("segment_label", gettext_lazy("Segment"), gettext_lazy("The label that tells segments apart.")),
        Setting("version_label", gettext_lazy("Model version"), gettext_lazy("The label that names it.")),
    )
    secrets: ClassVar[tuple[Setting, ...]] = SIGN_IN

    @classmethod
    def problems(cls, config: Mapping[str, str]) -> dict[str, list[str]]:
        return {"url": said} if (said := address_problems(config["url"])) else {}

    @classmethod
    def secret_problems(cls, secret: Mapping[str, str]) -> dict[str, list[str]]:
        return sign_in_problems(secret)

    @classmethod
    def destination(cls, config: Mapping[str, str]) -> str:
        return destination(config["url"])

    @property
    def reads(self) -> Reads:
        return Reads.WINDOWS

    @property
    def chunk(self) -> timedelta:
        return timedelta(seconds=self._step * MOST_STEPS)

    def fetch(self, since: datetime | None, until: datetime | None = None) -> Iterator[Sample]:
        until = until or timezone.now()
        since = since or until - min(PREVIEW, self.chunk)
        step = self._step
        # The last whole step before the end is not over yet only if the clocks differ; the overlap reads it again.
        start, end = math.ceil(since.timestamp() / step) * step, math.floor(until.timestamp() / step) * step
        if end < start:
            return
        asked = {"query": self.config["query"], "start": str(start), "end": str(end), "step": str(step)}
        with Fetching(self.config["url"], self.secret) as server:
            found = server.json("POST", "/api/v1/query_range", data=asked)
        for row in self._rows(found):
            labels = row.get("metric", {})
            for moment, text in row.get("values", ()):
                value = float(text)
                if math.isfinite(value):
                    yield self._sample(labels, moment, value)

    @property
    def _step(self) -> int:
        return int(self.config["step"])

    def _rows(self, found: Any) -> list[Any]:
        try:
            if found["status"] == "success" and found["data"]["resultType"] == "matrix":
                return list(found["data"]["result"])
        except (KeyError, TypeError):
            pass
        raise ConnectorError("content", _("Its answer is not that of a range query."))

    def _sample(self, labels: Mapping[str, str], moment: float, value: float) -> Sample:
        metric = self.config.get("metric") or labels.get("__name__", "")
        if not metric:
            raise ConnectorError(
                "content", _("The query's results carry no name: say which metric they are (setting “Metric”).")
            )
        return Sample(
            metric=metric,
            time=datetime.fromtimestamp(moment, tz=UTC),
            value=value,
            segment=labels.get(self.config.get("segment_label", ""), ""),
            version=labels.get(self.config.get("version_label", ""), ""),
        )
