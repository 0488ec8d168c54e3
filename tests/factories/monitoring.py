"""Rows of monitoring as tests need them: written straight to the tables, without permissions and events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import factory as factory_boy
from django.utils import timezone
from factory.django import DjangoModelFactory

from ledger import SYSTEM
from monitoring import models
from monitoring.ingest import Stored
from monitoring.services import push_points
from tests.factories.portfolio import UseCaseFactory

factory: Any = factory_boy  # its declarations carry no types


class SourceFactory(DjangoModelFactory[models.Source]):
    class Meta:
        model = models.Source

    use_case = factory.SubFactory(UseCaseFactory)
    name = factory.Sequence(lambda n: f"Source {n}")
    connector = "http_json"
    config = factory.LazyFunction(
        lambda: {
            "url": "https://metrics.example.com/latest",
            "items": "@",
            "time": "time",
            "time_format": "iso",
            "value": "value",
            "metric": "f1",
        }
    )


class SeriesFactory(DjangoModelFactory[models.Series]):
    class Meta:
        model = models.Series

    use_case = factory.SubFactory(UseCaseFactory)
    metric = "f1"
    unit = "ratio"
    direction = "higher"
    kinds = ["performance"]
    created_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=100))


class RuleFactory(DjangoModelFactory[models.Rule]):
    class Meta:
        model = models.Rule

    series = factory.SubFactory(SeriesFactory)
    name = factory.Sequence(lambda n: f"Rule {n}")
    op = ">="
    warn = 0.85
    act = 0.8
    created_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=100))


class AlertFactory(DjangoModelFactory[models.Alert]):
    class Meta:
        model = models.Alert

    series = factory.SelfAttribute("rule.series")
    rule = factory.SubFactory(RuleFactory)
    level = "warn"
    message = "F1 score is 0.82; it should be at least 0.85."
    value = 0.82
    limit = 0.85
    act_since = factory.LazyAttribute(lambda row: timezone.now() if row.level == "act" else None)


def moment(minutes_ago: float = 0) -> datetime:
    """A recent time without microseconds."""
    return (timezone.now() - timedelta(minutes=minutes_ago)).replace(microsecond=0).astimezone(UTC)


def points(series: models.Series, values: Iterable[float], *, minutes_apart: float = 1) -> Stored:
    """Store values of a series, the last of them now, each so many minutes after the one before."""
    listed = list(values)
    return push_points(
        batch=[
            {"series": series.pk, "time": moment((len(listed) - 1 - index) * minutes_apart), "value": value}
            for index, value in enumerate(listed)
        ],
        by=SYSTEM,
    )


class SamplingPlanFactory(DjangoModelFactory[models.SamplingPlan]):
    """Everything is reviewed; ten reviews are enough."""

    class Meta:
        model = models.SamplingPlan

    use_case = factory.SubFactory(UseCaseFactory)
    seed = "tests"
    random_percent = 100
    min_sample = 10


class OutputFactory(DjangoModelFactory[models.Output]):
    class Meta:
        model = models.Output

    use_case = factory.SubFactory(UseCaseFactory)
    external_id = factory.Sequence(lambda n: f"req-{n}")
    at = factory.LazyFunction(timezone.now)
    summary = "Claim is routed to fast settlement"
    payload = factory.LazyFunction(lambda: {"claim": "Rear bumper, parked car"})
    content_sha256 = "0" * 64
    sampled = True


class ReviewItemFactory(DjangoModelFactory[models.ReviewItem]):
    class Meta:
        model = models.ReviewItem

    output = factory.SubFactory(OutputFactory)
    why = "random"
    due_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=48))
