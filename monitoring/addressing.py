"""From what a point calls its series to the series itself: found in at most two queries, or made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from governance.models import ModelVersion
from kernel.errors import Invalid
from ledger import UnitOfWork, state
from monitoring.catalogue import INFO, metric
from monitoring.ingest import Home
from monitoring.models import Series
from monitoring.wire import Address
from portfolio.models import UseCase

METRIC_KEY = re.compile(r"[a-z][a-z0-9_.-]{0,59}")
FIELDS = (
    "use_case",
    "metric",
    "name",
    "unit",
    "direction",
    "kinds",
    "version",
    "segment",
    "window_seconds",
    "baseline",
    "expected_every_seconds",
    "keep_days",
    "source",
    "enabled",
)


class Target(NamedTuple):
    """Where points go."""

    series_id: int
    unit: str
    home: Home


def find(series: QuerySet[Series], addresses: Sequence[Address]) -> dict[Address, Target]:
    """The series of these addresses among ``series``; what is not there is left out.

    Raises ``Invalid`` for words that fit several series: two models of a use case may share the label of a version.
    """
    rows = series.filter(_condition(addresses)).values_list(
        "pk", "unit", "use_case_id", "use_case__unit__path", "use_case__key", "metric", "segment", "version__label"
    )
    found: dict[Address, Target] = {}
    for pk, unit, use_case, path, key, metric_key, segment, label in rows:
        target = Target(pk, unit, Home(use_case, path))
        found[Address(pk)] = target
        words = Address(None, key, metric_key, segment, label or "")
        if words in found and words in addresses:
            said = _("%(key)s has several series of %(metric)s for version %(version)s: name the series by its number.")
            raise Invalid(said % {"key": key, "metric": metric_key, "version": label})
        found[words] = target
    return found


def make_series(
    uow: UnitOfWork,
    *,
    use_case: UseCase,
    metric_key: str,
    segment: str = "",
    version: ModelVersion | None = None,
    **given: Any,
) -> Series:
    """The series of that metric, version and segment: the one there is, or a new one with the catalogue's defaults."""
    if not METRIC_KEY.fullmatch(metric_key):
        said = _("A metric's key is up to 60 small letters, digits, and _ . - and begins with a letter.")
        raise Invalid(said, errors={"metric": [said]})
    known = metric(metric_key)
    defaults: dict[str, Any] = {"unit": "", "direction": INFO, "kinds": []}
    if known is not None:
        defaults = {"unit": known.unit, "direction": known.direction, "kinds": list(known.monitors)}
    defaults |= {name: value for name, value in given.items() if value is not None}
    if not defaults[
        "kinds"
    ]:  # no monitor, such as the result of a test: nobody waits for the next value unless told to
        defaults.setdefault("expected_every_seconds", 0)
    series, is_new = Series.objects.get_or_create(
        use_case=use_case, metric=metric_key, segment=segment, version=version, defaults=defaults
    )
    if is_new:
        series.silent_after = series.silence_begins()
        series.save(update_fields=["silent_after"])
        uow.record("series.defined", subject=series, use_case=use_case, after=state(series, FIELDS))
    return series


def version_of(use_case: UseCase, label: str) -> ModelVersion | None:
    """The version of that label; None for no label. Raises ``Invalid`` when there is none, or several."""
    if not label:
        return None
    versions = list(ModelVersion.objects.filter(model__use_case=use_case, label=label)[:2])
    if len(versions) != 1:
        said = _("%(key)s has no version %(label)s.") if not versions else _("%(key)s has several versions %(label)s.")
        raise Invalid(said % {"key": use_case.key, "label": label}, errors={"version": [said]})
    return versions[0]


def _condition(addresses: Sequence[Address]) -> Q:
    ids = [address.series for address in addresses if address.series is not None]
    words = [address for address in addresses if address.series is None]
    condition = Q(pk__in=ids) if ids else Q()
    if words:
        keys = {address.use_case for address in words}
        metrics = {address.metric for address in words}
        condition |= Q(use_case__key__in=keys, metric__in=metrics)
    return condition
