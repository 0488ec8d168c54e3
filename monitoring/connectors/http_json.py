"""Metrics from an address that answers with JSON; JMESPath says where time and value stand."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import jmespath
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from jmespath.exceptions import JMESPathError

from monitoring.connector import Connector, ConnectorError, Sample, connectors
from monitoring.fetching import ADDRESS, Fetching, address_problems, destination
from monitoring.setting import Setting

ISO, SECONDS, MILLISECONDS = "iso", "seconds", "milliseconds"
EXPRESSIONS = ("items", "time", "value", "step", "n", "metric_path", "segment_path", "version_path")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


@connectors.register
class HttpJson(Connector):
    key = "http_json"
    label = gettext_lazy("JSON over HTTP")
    about = gettext_lazy("Any address that answers with JSON; JMESPath says where time and value stand.")
    settings: ClassVar[tuple[Setting, ...]] = (
        ADDRESS,
        Setting(
            "items",
            gettext_lazy("Where the points are"),
            gettext_lazy("JMESPath to the list of points, such as data.metrics; @ is the whole answer."),
            default="@",
        ),
        Setting("time", gettext_lazy("Time"), gettext_lazy("JMESPath within a point."), default="time"),
        Setting(
            "time_format",
            gettext_lazy("Time is written as"),
            default=ISO,
            choices=(
                (ISO, gettext_lazy("ISO 8601 with a zone")),
                (SECONDS, gettext_lazy("seconds since 1970")),
                (MILLISECONDS, gettext_lazy("milliseconds since 1970")),
            ),
        ),
        Setting("value", gettext_lazy("Value"), gettext_lazy("JMESPath within a point."), default="value"),
        Setting(
            "metric", gettext_lazy("Metric"), gettext_lazy("Key of the metric, if all points are of the same one.")
        ),
        Setting("metric_path", gettext_lazy("Metric, by point"), gettext_lazy("JMESPath to the key of the metric.")),
        Setting("segment_path", gettext_lazy("Segment"), gettext_lazy("JMESPath; leave empty for none.")),
        Setting("version_path", gettext_lazy("Model version"), gettext_lazy("JMESPath to its label; or empty.")),
        Setting("step", gettext_lazy("Step"), gettext_lazy("JMESPath to a whole number; or empty.")),
        Setting("n", gettext_lazy("Observations"), gettext_lazy("JMESPath to the count behind the value; or empty.")),
        Setting(
            "since_parameter",
            gettext_lazy("Parameter for “since”"),
            gettext_lazy("Query parameter that is sent the time from which points are wanted; or empty."),
        ),
    )
    secrets: ClassVar[tuple[Setting, ...]] = (
        Setting("header", gettext_lazy("Secret header"), gettext_lazy("Its name, such as Authorization.")),
        Setting("header_value", gettext_lazy("Value of the secret header"), gettext_lazy("Such as Bearer ….")),
    )

    @classmethod
    def problems(cls, config: Mapping[str, str]) -> dict[str, list[str]]:
        errors: dict[str, list[str]] = {}
        if said := address_problems(config["url"]):
            errors["url"] = said
        for name in EXPRESSIONS:
            if problem := _expression_problem(config.get(name, "")):
                errors[name] = [problem]
        if bool(config.get("metric")) == bool(config.get("metric_path")):
            errors["metric"] = [_("Give either one metric or where each point names its own.")]
        return errors

    @classmethod
    def destination(cls, config: Mapping[str, str]) -> str:
        return destination(config["url"])

    @classmethod
    def secret_problems(cls, secret: Mapping[str, str]) -> dict[str, list[str]]:
        name, value = secret.get("header", ""), secret.get("header_value", "")
        if bool(name) != bool(value):
            return {"header_value" if name else "header": [_("A secret header has a name and a value.")]}
        if name and not HEADER_NAME.fullmatch(name):
            return {"header": [_("This is not the name of a header.")]}
        if not (value.isascii() and value.isprintable()):
            return {"header_value": [_("Use printable ASCII characters only.")]}
        return {}

    def fetch(self, since: datetime | None, until: datetime | None = None) -> Iterator[Sample]:
        items = self._find("items", self._content(since))
        if isinstance(items, Mapping):
            items = [items]
        if not isinstance(items, list):
            raise ConnectorError("content", _("“Where the points are” leads to no list."))
        for index, item in enumerate(items):
            sample = self._sample(index, item)
            if sample is not None:
                yield sample

    def _content(self, since: datetime | None) -> Any:
        parameter = self.config.get("since_parameter")
        query = {parameter: since.astimezone(UTC).isoformat().replace("+00:00", "Z")} if parameter and since else None
        name = self.secret.get("header", "")
        headers = {name: self.secret.get("header_value", "")} if name else {}
        with Fetching(self.config["url"], headers=headers) as server:
            return server.get(params=query)

    def _sample(self, index: int, item: Any) -> Sample | None:
        """The sample of one item; None when the value is null: nothing was measured."""
        value = self._find("value", item)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise _item_error(index, _("its value is not a number"))
        metric = self.config.get("metric") or self._find("metric_path", item)
        if not metric or not isinstance(metric, str):
            raise _item_error(index, _("it names no metric"))
        step, n = self._find("step", item), self._find("n", item)
        for number in (step, n):
            if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
                raise _item_error(index, _("its step or its count is not a whole number"))
        return Sample(
            metric=metric,
            time=self._time(index, item),
            value=float(value),
            step=step or 0,
            segment=str(self._find("segment_path", item) or ""),
            version=str(self._find("version_path", item) or ""),
            n=n,
        )

    def _time(self, index: int, item: Any) -> datetime:
        given, form = self._find("time", item), self.config["time_format"]
        moment: datetime | None = None
        try:
            if form == ISO and isinstance(given, str):
                moment = datetime.fromisoformat(given)
            elif form != ISO and isinstance(given, int | float) and not isinstance(given, bool):
                moment = datetime.fromtimestamp(given / (1000 if form == MILLISECONDS else 1), tz=UTC)
        except (ValueError, OverflowError, OSError):
            moment = None
        if moment is None or moment.tzinfo is None:
            raise _item_error(index, _("its time cannot be read"))
        return moment

    def _find(self, name: str, item: Any) -> Any:
        expression = self.config.get(name)
        if not expression:
            return None
        try:
            return jmespath.search(expression, item)
        except JMESPathError:
            raise ConnectorError("content", _("“%(name)s” does not fit the answer.") % {"name": name}) from None


def _item_error(index: int, what: str) -> ConnectorError:
    return ConnectorError("content", _("Point %(number)d: %(what)s.") % {"number": index + 1, "what": what})


def _expression_problem(expression: str) -> str:
    if not expression:
        return ""
    try:
        jmespath.compile(expression)
    except (JMESPathError, RecursionError) as error:
        return _("This is not JMESPath: %(what)s.") % {"what": str(error).splitlines()[0]}
    return ""
