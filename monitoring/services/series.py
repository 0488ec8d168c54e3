"""Series: what is measured, in which unit, against which baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.models import ModelVersion
from kernel.errors import Conflict, Invalid
from ledger import state, unit_of_work
from monitoring import silence
from monitoring.addressing import FIELDS, METRIC_KEY, make_series
from monitoring.alerting import resolve_alerts, unresolved
from monitoring.catalogue import DIRECTIONS, KINDS
from monitoring.catalogue import metric as catalogue_metric
from monitoring.models import Series
from monitoring.services.rules import define_rule
from portfolio.models import UseCase
from portfolio.services.checks import assign, locked, refuse, refuse_unknown
from portfolio.services.rights import Actor, demand
from portfolio.signals import announce_change

EDITABLE = ("name", "unit", "direction", "kinds", "window_seconds", "expected_every_seconds", "keep_days", "enabled")


def define_series(
    *,
    use_case: UseCase,
    metric: str,
    by: Actor,
    version: ModelVersion | None = None,
    segment: str = "",
    name: str | None = None,
    unit: str | None = None,
    direction: str | None = None,
    kinds: list[str] | None = None,
    window_seconds: int | None = None,
    expected_every_seconds: int | None = None,
    baseline: float | None = None,
    created_at: datetime | None = None,
    with_rule: bool = False,
) -> Series:
    """A metric to be watched; what is not given comes from the catalogue. ``Conflict`` when the series is there.

    ``with_rule`` adds the catalogue's rule, where it has limits for the metric.
    ``created_at`` is for histories that are taken over from elsewhere.
    """
    demand(by, "monitor.configure", use_case)
    if version is not None and version.model.use_case_id != use_case.pk:
        said = _("This version belongs to another use case.")
        raise Invalid(said, errors={"version": [said]})
    given: dict[str, Any] = {
        "name": name,
        "unit": unit,
        "direction": direction,
        "kinds": kinds,
        "window_seconds": window_seconds,
        "expected_every_seconds": expected_every_seconds,
    }
    given = {field: value for field, value in given.items() if value is not None}
    metric, segment = metric.strip(), segment.strip()
    refuse(_errors({"metric": metric, **given}))
    assign(Series(), {"segment": segment, **given})  # the checks of the fields themselves
    moment = created_at or timezone.now()
    if baseline is not None:
        given |= {"baseline": _finite(baseline), "baseline_at": moment}
    with unit_of_work(by=by) as uow:
        if Series.objects.filter(use_case=use_case, metric=metric, segment=segment, version=version).exists():
            raise Conflict(_("This use case watches that metric already, for the same version and segment."))
        series = make_series(
            uow,
            use_case=use_case,
            metric_key=metric,
            segment=segment,
            version=version,
            created_at=moment,
            **given,
        )
        known = catalogue_metric(metric)
        if with_rule and known is not None and known.op:
            define_rule(series=series, by=by)
        announce_change(uow, use_case.pk, "metrics")
    return series


def edit_series(*, series: Series, changes: Mapping[str, Any], by: Actor) -> Series:
    """Change how a series is called, counted or expected. Switched off, it is neither judged nor missed."""
    demand(by, "monitor.configure", series)
    refuse_unknown(changes, EDITABLE)
    refuse(_errors(changes))
    with unit_of_work(by=by) as uow:
        series = locked(Series, series.pk, "use_case__unit")
        before = state(series, FIELDS)
        assign(series, changes)
        series.silent_after = series.silence_begins()
        if state(series, FIELDS) == before:
            return series
        series.save(update_fields=[*EDITABLE, "silent_after"])
        uow.record(
            "series.edited", subject=series, use_case=series.use_case, before=before, after=state(series, FIELDS)
        )
        if not series.enabled:
            alerts = unresolved().filter(series=series).select_related("series__use_case__unit")
            resolve_alerts(uow, alerts, note=_("The series was switched off."))
        elif not silence.is_silent(series):
            alerts = unresolved().filter(series=series, rule__isnull=True).select_related("series__use_case__unit")
            resolve_alerts(uow, alerts, note=_("It is expected less often."))
        announce_change(uow, series.use_case_id, "metrics")
    return series


def set_baseline(*, series: Series, value: float | None, by: Actor, at: datetime | None = None) -> Series:
    """What later values are compared with, such as the value at approval; None takes it away."""
    demand(by, "monitor.configure", series)
    with unit_of_work(by=by) as uow:
        series = locked(Series, series.pk, "use_case__unit")
        before = state(series, ("baseline", "baseline_at"))
        series.baseline = None if value is None else _finite(value)
        series.baseline_at = None if value is None else at or timezone.now()
        series.save(update_fields=["baseline", "baseline_at"])
        after = state(series, ("baseline", "baseline_at"))
        uow.record("series.baseline_set", subject=series, use_case=series.use_case, before=before, after=after)
        announce_change(uow, series.use_case_id, "metrics")
    return series


def _finite(value: float) -> float:
    if not math.isfinite(value):
        said = _("Give a finite number.")
        raise Invalid(said, errors={"baseline": [said]})
    return float(value)


def _errors(given: Mapping[str, Any]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if "metric" in given and not METRIC_KEY.fullmatch(given["metric"]):
        errors["metric"] = [_("Up to 60 small letters, digits, and _ . - that begin with a letter.")]
    if "direction" in given and given["direction"] not in DIRECTIONS:
        errors["direction"] = [_("Choose one of: %(known)s.") % {"known": ", ".join(DIRECTIONS)}]
    if "kinds" in given and (unknown := [kind for kind in given["kinds"] if kind not in KINDS]):
        errors["kinds"] = [_("There is no such kind of monitor: %(names)s.") % {"names": ", ".join(unknown)}]
    return errors
