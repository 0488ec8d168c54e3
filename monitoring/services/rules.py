"""Rules: where warn and act begin, and how they would have fared on the past."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, state, unit_of_work
from monitoring import tasks
from monitoring.alerting import resolve_alerts, unresolved
from monitoring.catalogue import metric
from monitoring.models import Rule, Series
from monitoring.rules import BETWEEN, Draft, check_limits, times_fired
from monitoring.selectors import points_of
from portfolio.services.checks import assign, locked, refuse_unknown
from portfolio.services.rights import Actor, demand, person
from portfolio.signals import announce_change

LIMITS = ("op", "warn", "act", "warn_high", "act_high", "consecutive")
FIELDS = ("series", "name", *LIMITS, "reaction", "enabled")
TRIED_OVER = timedelta(days=90)


def define_rule(
    *,
    series: Series,
    by: Actor,
    op: str = "",
    warn: float | None = None,
    act: float | None = None,
    warn_high: float | None = None,
    act_high: float | None = None,
    consecutive: int = 1,
    name: str = "",
    reaction: str = "",
) -> Rule:
    """A threshold on a series, judged from now on. Without op and limits it takes those of the catalogue.

    Raises ``Invalid`` for limits that contradict each other, ``Conflict`` for a name the series has already.
    """
    demand(by, "monitor.configure", series)
    draft = Draft(op, warn, act, warn_high, act_high, consecutive)
    if not op and warn is None and act is None:
        draft = default_limits(series, consecutive=consecutive)
    check_limits(draft)
    limits = {field: getattr(draft, field) for field in LIMITS}
    rule = Rule(series=series, created_by=person(by))
    assign(rule, {**limits, "name": name or _("Threshold"), "reaction": reaction})
    with unit_of_work(by=by) as uow:
        try:
            with transaction.atomic():
                rule.save(force_insert=True)
        except IntegrityError:
            raise Conflict(_("The series has a rule called %(name)s already.") % {"name": rule.name}) from None
        uow.record("rule.defined", subject=rule, use_case=series.use_case, after=state(rule, FIELDS))
        _judge_again(uow, series)
    return rule


def edit_rule(*, rule: Rule, changes: Mapping[str, Any], by: Actor) -> Rule:
    """Change limits, name or reaction; the newest points are judged again at once."""
    demand(by, "monitor.configure", rule)
    refuse_unknown(changes, (*LIMITS, "name", "reaction"))
    with unit_of_work(by=by) as uow:
        rule = locked(Rule, rule.pk, "series__use_case__unit")
        before = state(rule, FIELDS)
        assign(rule, changes)
        check_limits(rule)
        if state(rule, FIELDS) == before:
            return rule
        try:
            with transaction.atomic():
                rule.save(update_fields=[*LIMITS, "name", "reaction"])
        except IntegrityError:
            raise Conflict(_("The series has a rule called %(name)s already.") % {"name": rule.name}) from None
        use_case = rule.series.use_case
        uow.record("rule.edited", subject=rule, use_case=use_case, before=before, after=state(rule, FIELDS))
        _judge_again(uow, rule.series)
    return rule


def switch_rule(*, rule: Rule, enabled: bool, by: Actor) -> Rule:
    """Switch a rule on or off. Its unresolved alert ends with it."""
    demand(by, "monitor.configure", rule)
    with unit_of_work(by=by) as uow:
        rule = locked(Rule, rule.pk, "series__use_case__unit")
        if rule.enabled == enabled:
            return rule
        rule.enabled = enabled
        rule.save(update_fields=["enabled"])
        action = "rule.switched_on" if enabled else "rule.switched_off"
        use_case = rule.series.use_case
        uow.record(action, subject=rule, use_case=use_case, before={"enabled": not enabled}, after={"enabled": enabled})
        if not enabled:
            alerts = unresolved().filter(rule=rule).select_related("series__use_case__unit")
            resolve_alerts(uow, alerts, note=_("The rule was switched off."))
        _judge_again(uow, rule.series)
    return rule


def try_rule(
    *,
    series: Series,
    by: Actor,
    op: str,
    warn: float | None = None,
    act: float | None = None,
    warn_high: float | None = None,
    act_high: float | None = None,
    consecutive: int = 1,
) -> dict[str, int]:
    """How often such a rule would have fired in the last 90 days: ``fired``, ``act`` (of these), ``points``."""
    demand(by, "use_case.view", series)
    draft = Draft(op, warn, act, warn_high, act_high, consecutive)
    check_limits(draft)
    return times_fired(draft, list(points_of(series, start=timezone.now() - TRIED_OVER)))


def default_limits(series: Series, *, consecutive: int = 1) -> Draft:
    """The catalogue's limits of the series' metric. Raises ``Invalid`` when it has none."""
    known = metric(series.metric)
    if known is None or not known.op:
        said = _("The catalogue has no limits for this metric: give them.")
        raise Invalid(said, errors={"warn": [said]})
    warn, act = known.warn, known.act
    if known.op == BETWEEN:
        return Draft(
            BETWEEN,
            warn.low if warn else None,
            act.low if act else None,
            warn.high if warn else None,
            act.high if act else None,
            consecutive,
        )
    return Draft(known.op, warn.number if warn else None, act.number if act else None, consecutive=consecutive)


def _judge_again(uow: UnitOfWork, series: Series) -> None:
    Series.objects.filter(pk=series.pk, last_time__isnull=False).update(judge_asked_at=timezone.now())
    uow.after_commit(lambda: tasks.judge_soon([series.pk]))
    announce_change(uow, series.use_case_id, "metrics")
