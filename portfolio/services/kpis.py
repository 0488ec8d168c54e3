"""Success measures: defined by the business owner, locked by the sponsor, then measured against.

Once locked, a definition never changes: an edit makes the next version, and what was measured stays with the version
it was measured against.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.errors import Conflict
from ledger import state, unit_of_work
from portfolio.models import Kpi, KpiMeasurement, UseCase
from portfolio.services.checks import assign, locked, refuse, refuse_unknown
from portfolio.services.rights import Actor, demand, person
from portfolio.signals import announce_change

DEFINITION = (
    "name",
    "unit",
    "direction",
    "formula",
    "baseline",
    "baseline_date",
    "baseline_source",
    "target",
    "target_date",
    "window_days",
    "is_primary",
)
RECORDED = ("key", "version", *DEFINITION, "is_current", "locked_at")
MEASURED = ("window_start", "window_end", "value", "sample_size", "source")


def define_kpi(
    *, use_case: UseCase, by: Actor, key: str, name: str, unit: str, direction: str, **definition: Any
) -> Kpi:
    """Define a success measure. ``direction`` is "higher" or "lower"; the first one of a use case is its primary."""
    demand(by, "kpi.define", use_case)
    values = {"key": key, "name": name, "unit": unit, "direction": direction, **definition}
    refuse_unknown(values, ("key", *DEFINITION))
    with unit_of_work(by=by) as uow:
        fresh = locked(UseCase, use_case.pk, "unit")
        kpi = Kpi(use_case=fresh)
        if "is_primary" not in values:
            values["is_primary"] = not fresh.kpis.filter(is_current=True).exists()
        assign(kpi, values)
        _refuse_inconsistent(kpi)
        if fresh.kpis.filter(key=kpi.key).exists():
            said = _("This use case already has a KPI with the key %(key)s.") % {"key": kpi.key}
            raise Conflict(said, errors={"key": [said]})
        if kpi.is_primary:
            _refuse_second_primary(kpi)
        kpi.save(force_insert=True)
        uow.record("kpi.defined", subject=kpi, use_case=fresh, after=state(kpi, RECORDED))
        announce_change(uow, fresh.pk, "kpi")
    return kpi


def edit_kpi(*, kpi: Kpi, changes: Mapping[str, Any], by: Actor) -> Kpi:
    """Change a definition. Of a locked KPI this makes the next version, unlocked, and returns it."""
    demand(by, "kpi.define", kpi)
    refuse_unknown(changes, DEFINITION)
    with unit_of_work(by=by) as uow:
        use_case = locked(UseCase, kpi.use_case_id, "unit")
        fresh = _current(kpi)
        before = state(fresh, RECORDED)
        assign(fresh, changes)
        _refuse_inconsistent(fresh)
        if state(fresh, RECORDED) == before:
            return fresh
        if fresh.is_primary:
            _refuse_second_primary(fresh)
        action = "kpi.edited"
        if fresh.is_locked:
            fresh, action = _next_version(fresh), "kpi.revised"
        else:
            fresh.save(update_fields=list(DEFINITION))
        uow.record(action, subject=fresh, use_case=use_case, before=before, after=state(fresh, RECORDED))
        announce_change(uow, use_case.pk, "kpi")
    return fresh


def lock_kpi(*, kpi: Kpi, by: Actor) -> Kpi:
    """Agree on a definition: from now on it is what the use case is measured by."""
    demand(by, "kpi.lock", kpi)
    with unit_of_work(by=by) as uow:
        use_case = locked(UseCase, kpi.use_case_id, "unit")
        fresh = _current(kpi)
        if fresh.is_locked:
            raise Conflict(_("%(kpi)s is locked already.") % {"kpi": fresh})
        missing = [
            str(Kpi._meta.get_field(name).verbose_name)  # type: ignore[union-attr]  # plain columns have names
            for name in ("baseline", "target")
            if getattr(fresh, name) is None
        ]
        if missing:
            raise Conflict(
                _("%(kpi)s cannot be locked without its %(missing)s.")
                % {"kpi": fresh.name, "missing": _(" and ").join(missing)},
                hint=_("Edit the KPI first."),
            )
        before = state(fresh, RECORDED)
        fresh.locked_at, fresh.locked_by = timezone.now(), person(by)
        fresh.save(update_fields=["locked_at", "locked_by"])
        uow.record("kpi.locked", subject=fresh, use_case=use_case, before=before, after=state(fresh, RECORDED))
        announce_change(uow, use_case.pk, "kpi")
    return fresh


def record_measurement(
    *,
    kpi: Kpi,
    window_start: date,
    window_end: date,
    value: Decimal,
    source: str,
    by: Actor,
    sample_size: int | None = None,
) -> KpiMeasurement:
    """Write down what was measured over a window of days, both ends included. ``value`` is in the KPI's unit."""
    demand(by, "kpi.record", kpi)
    measurement = KpiMeasurement(kpi=kpi, recorded_by=person(by))
    assign(
        measurement,
        {
            "window_start": window_start,
            "window_end": window_end,
            "value": value,
            "source": source,
            "sample_size": sample_size,
        },
    )
    _refuse_impossible(measurement)
    with unit_of_work(by=by) as uow:
        use_case = locked(UseCase, kpi.use_case_id, "unit")
        if not Kpi.objects.filter(pk=kpi.pk, is_current=True).exists():
            raise Conflict(_("This version of the KPI has been replaced: measure against the current one."))
        try:
            with transaction.atomic():
                measurement.save(force_insert=True)
        except IntegrityError as error:
            raise Conflict(
                _("%(source)s has already been recorded for this window.") % {"source": measurement.source}
            ) from error
        after = {"kpi": kpi.key, "version": kpi.version, "unit": kpi.unit, **state(measurement, MEASURED)}
        uow.record("kpi.measured", subject=measurement, use_case=use_case, after=after)
        announce_change(uow, use_case.pk, "kpi")
    return measurement


def _current(kpi: Kpi) -> Kpi:
    fresh = locked(Kpi, kpi.pk)
    if not fresh.is_current:
        raise Conflict(_("%(kpi)s has been replaced by a later version.") % {"kpi": fresh})
    return fresh


def _next_version(changed: Kpi) -> Kpi:
    """Store the changed definition as a new row; the old row stays as it was locked."""
    Kpi.objects.filter(pk=changed.pk).update(is_current=False)
    following = Kpi(use_case_id=changed.use_case_id, key=changed.key, version=changed.version + 1)
    for name in DEFINITION:
        setattr(following, name, getattr(changed, name))
    following.save(force_insert=True)
    return following


def _refuse_second_primary(kpi: Kpi) -> None:
    others = Kpi.objects.filter(use_case_id=kpi.use_case_id, is_primary=True, is_current=True).exclude(pk=kpi.pk)
    other = others.first()
    if other is not None:
        said = _("%(name)s is the primary KPI. Change that one first.") % {"name": other.name}
        raise Conflict(said, errors={"is_primary": [said]})


def _refuse_inconsistent(kpi: Kpi) -> None:
    errors: dict[str, list[str]] = {}
    if kpi.baseline is not None and kpi.target is not None:
        better = kpi.target > kpi.baseline if kpi.direction == "higher" else kpi.target < kpi.baseline
        if not better and kpi.target != kpi.baseline:
            errors["target"] = [_("The target is worse than the baseline for this direction.")]
    if kpi.baseline_date and kpi.target_date and kpi.target_date < kpi.baseline_date:
        errors["target_date"] = [_("The target date is before the baseline date.")]
    if kpi.baseline_date and kpi.baseline_date > timezone.localdate():
        errors["baseline_date"] = [_("A baseline is measured before it is written down: this day is in the future.")]
    if kpi.window_days == 0:
        errors["window_days"] = [_("A window has at least one day.")]
    refuse(errors)


def _refuse_impossible(measurement: KpiMeasurement) -> None:
    errors: dict[str, list[str]] = {}
    if measurement.window_end < measurement.window_start:
        errors["window_end"] = [_("The window ends before it starts.")]
    elif measurement.window_end > timezone.localdate():
        errors["window_end"] = [_("The window is not over yet: this day is in the future.")]
    if measurement.sample_size == 0:
        errors["sample_size"] = [_("A measurement has at least one observation; leave it empty if unknown.")]
    refuse(errors)
