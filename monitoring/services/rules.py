"""Rules: where warn and act begin, and how they would have fared on the past."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, state, unit_of_work
from monitoring import tasks
from monitoring.alerting import resolve_alerts, unresolved
from monitoring.catalogue import metric
from monitoring.condition import conditions
from monitoring.models import Rule, Series
from monitoring.rules import BETWEEN, refuse_limits
from monitoring.trial import Trial, trial_of
from portfolio.services.checks import assign, locked, refuse_unknown
from portfolio.services.rights import Actor, demand, person
from portfolio.signals import announce_change

LIMITS = ("op", "warn", "act", "warn_high", "act_high", "clear", "clear_high", "needed", "among", "min_n")
KIND = ("condition", "params")
WORDS = ("name", "reaction", "runbook_url")
FIELDS = ("series", *KIND, *LIMITS, *WORDS, "enabled")


def define_rule(*, series: Series, by: Actor, **given: Any) -> Rule:
    """A rule on a series, judged from now on. Without op and limits it takes those of the catalogue.

    Takes ``condition`` and its ``params`` (a fixed limit unless said), ``op, warn, act, warn_high, act_high``,
    ``clear, clear_high`` (what ends an alert), ``needed`` of ``among`` newest values, ``min_n``, ``name``,
    ``reaction`` and ``runbook_url``. Raises ``Invalid`` for what contradicts itself, ``Conflict`` for a name the
    series has already.
    """
    demand(by, "monitor.configure", series)
    refuse_unknown(given, (*KIND, *LIMITS, *WORDS))
    rule = drafted(series, given)
    rule.created_by = person(by)
    with unit_of_work(by=by) as uow:
        _save(rule, force_insert=True)
        uow.record("rule.defined", subject=rule, use_case=series.use_case, after=state(rule, FIELDS))
        _judge_again(uow, series)
    return rule


def edit_rule(*, rule: Rule, changes: Mapping[str, Any], by: Actor) -> Rule:
    """Change limits, settings or words, not the kind; the newest points are judged again at once."""
    demand(by, "monitor.configure", rule)
    refuse_unknown(changes, ("params", *LIMITS, *WORDS))
    with unit_of_work(by=by) as uow:
        rule = locked(Rule, rule.pk, "series__use_case__unit")
        before = state(rule, FIELDS)
        assign(rule, changes)
        _check(rule, rule.series)
        if state(rule, FIELDS) == before:
            return rule
        _save(rule, update_fields=["params", *LIMITS, *WORDS])
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


def try_rule(*, series: Series, by: Actor, **given: Any) -> Trial:
    """How such a rule would have fared in the last 90 days. Nothing is stored."""
    demand(by, "use_case.view", series)
    refuse_unknown(given, (*KIND, *LIMITS))
    return trial_of(drafted(series, given), series, timezone.now())


def drafted(series: Series, given: Mapping[str, Any]) -> Rule:
    """A rule that is not stored, complete and checked."""
    values = {name: value for name, value in given.items() if value is not None}
    values.setdefault("condition", "threshold")
    if not values.get("op") and values.get("warn") is None and values.get("act") is None:
        values |= default_limits(series, values["condition"])
    rule = Rule(series=series)
    assign(rule, {**values, "name": values.get("name") or _("Threshold")})
    _check(rule, series)
    return rule


def default_limits(series: Series, condition: str = "threshold") -> dict[str, Any]:
    """The catalogue's limits of the series' metric. Raises ``Invalid`` when it has none."""
    known = metric(series.metric)
    if known is None or not known.op or condition != "threshold":
        said = _("The catalogue has no limits for this metric: give them.")
        raise Invalid(said, errors={"warn": [said]})
    levels = {"warn": known.warn, "act": known.act}
    if known.op != BETWEEN:
        return {"op": known.op} | {name: limit.number for name, limit in levels.items() if limit}
    low = {name: limit.low for name, limit in levels.items() if limit}
    return {"op": BETWEEN} | low | {f"{name}_high": limit.high for name, limit in levels.items() if limit}


def _check(rule: Rule, series: Series) -> None:
    """Raise ``Invalid`` unless kind, settings and limits fit each other and the series."""
    if rule.condition not in conditions:
        known = ", ".join(conditions.keys())
        said = _("There is no such kind of rule; there are %(known)s.") % {"known": known}
        raise Invalid(said, errors={"condition": [said]})
    kind = conditions.get(rule.condition)
    if not isinstance(rule.params, dict):
        raise Invalid(_("Give the settings by name."), errors={"params": [_("Give the settings by name.")]})
    rule.params = kind.check(rule.params)
    refuse_limits(kind(rule.params).problems(rule))
    if kind.needs_baseline and series.baseline is None:
        said = _("The series has no baseline yet: set it first.")
        raise Invalid(said, errors={"condition": [said]})
    if kind.needs_interval and not series.expected_every_seconds:
        said = _("The series does not say how often a value is expected: say that first.")
        raise Invalid(said, errors={"condition": [said]})


def _save(rule: Rule, **how: Any) -> None:
    try:
        with transaction.atomic():
            rule.save(**how)
    except IntegrityError:
        raise Conflict(_("The series has a rule called %(name)s already.") % {"name": rule.name}) from None


def _judge_again(uow: UnitOfWork, series: Series) -> None:
    Series.objects.filter(pk=series.pk, last_time__isnull=False).update(judge_asked_at=timezone.now())
    uow.after_commit(lambda: tasks.judge_soon([series.pk]))
    announce_change(uow, series.use_case_id, "metrics")
