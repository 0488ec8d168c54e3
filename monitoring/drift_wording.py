"""Reports of drift in words: why the verdict is what it is, and what each number was held against."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from monitoring.comparing import OUTPUTS, Role, State
from monitoring.models import DriftReport, DriftResult
from monitoring.statistic import statistics

TONES = {"stable": "met", "watch": "attention", "drift": "blocked", "nothing": "neutral"}
STATE_TONES = {
    State.GONE: "blocked",
    State.TYPE_CHANGED: "blocked",
    State.DRIFTED: "attention",
    State.MISSING: "attention",
    State.NEW_VALUES: "attention",
    State.STABLE: "met",
}
ICONS = {"met": "check", "attention": "warning", "blocked": "error", "neutral": "info"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One statistic of one feature, as a person reads it."""

    label: Any
    value: str
    unit: str
    p_value: str
    error: str
    note: str
    limit: str
    definition: Any
    by: str
    decides: bool


def verdict_words(report: DriftReport) -> list[str]:
    """Sentences that say why the verdict is what it is. One query, for the predictions."""
    terms = report.terms
    if report.verdict == DriftReport.Outcome.NOTHING:
        return [
            _("There was nothing to compare: no rows, or too few values in every feature. That is not a good sign."),
        ]
    told = {"drifted": report.drifted, "compared": report.compared, "share": f"{report.share:.3g}"}
    said = ngettext(
        "%(drifted)d of %(compared)d feature drifted, %(share)s %% by weight.",
        "%(drifted)d of %(compared)d features drifted, %(share)s %% by weight.",
        report.compared,
    )
    levels = {"warn": f"{terms['warn_share']:g}", "act": f"{terms['act_share']:g}"}
    return [
        said % told,
        _("From %(warn)s %% on a data set is to be watched, from %(act)s %% on it has drifted.") % levels,
        *_prediction_words(report),
    ]


def _prediction_words(report: DriftReport) -> list[str]:
    states = list(report.results.filter(role__in=[role.value for role in OUTPUTS]).values_list("is_drifted", flat=True))
    if not states:
        return []
    said = ngettext(
        "Of %(all)d column of predictions, which is counted apart, %(drifted)d drifted.",
        "Of %(all)d columns of predictions, which are counted apart, %(drifted)d drifted.",
        len(states),
    )
    return [said % {"all": len(states), "drifted": sum(states)}]


def rule_words(report: DriftReport, judged: int) -> str:
    """When a feature counts as drifted, by the terms of this report, in which so many features were judged."""
    terms = report.terms
    effect = statistics.get(terms["effect"]).label if terms["effect"] in statistics else terms["effect"]
    said = _(
        "A feature drifts when its %(effect)s is at least %(limit)s and its p-value is below %(alpha)s (%(level)s "
        "divided by the features, Bonferroni); or when its share of missing values moves by %(missing)s points or "
        "more, when %(new)s %% or more of its rows have new categories, or when the column is gone or of another type. "
        "With fewer than %(rows)s values nothing is said."
    )
    return said % {
        "effect": effect,
        "limit": f"{terms['limit']:g}",
        "alpha": f"{terms['alpha'] / max(1, judged):.2g}",
        "level": f"{terms['alpha']:g}",
        "missing": f"{terms['missing_points']:g}",
        "new": f"{terms['new_share']:g}",
        "rows": terms["least_rows"],
    }


def reason_words(result: DriftResult, terms: dict[str, Any]) -> list[str]:
    """Why this feature counts as drifted, one sentence a reason; or why nothing is said of it."""
    words = {
        State.GONE: _("The newer data has no such column."),
        State.TYPE_CHANGED: _("The column holds another type of values than in the reference."),
        State.DRIFTED: _drifted_words(result, terms),
        State.MISSING: _("Its share of missing values moved by %(points)s percentage points.")
        % {"points": number_words(_value(result, "missing_shift"))},
        State.NEW_VALUES: _("%(share)s %% of its rows have categories that the reference does not know.")
        % {"share": number_words(_value(result, "new_values"))},
    }
    said = [words[State(reason)] for reason in result.reasons if State(reason) in words]
    if said:
        return said
    quiet = {
        State.STABLE: _("Within its limits."),
        State.EMPTY: _("There are too few values on one side or on both to say anything."),
        State.IGNORED: _("It is left out of comparisons by the terms of the reference."),
        State.ADDED: _("The reference has no such column, so there is nothing to compare it with."),
    }
    return [quiet.get(State(result.state), "")]


def shown_statistics(result: DriftResult, terms: dict[str, Any]) -> list[Shown]:
    """Every statistic of a feature, the one that decides first."""
    asked = str(terms.get("by", ""))
    found = []
    for statistic in statistics:
        told = result.measured.get(statistic.key)
        if told is None:
            continue
        decides = statistic.key == result.effect_key
        by = asked if asked in statistic.by else ""
        found.append(
            Shown(
                label=statistic.label,
                value=number_words(told.get("value")),
                unit=statistic.unit,
                p_value=p_words(told.get("p")),
                error=_error(told.get("error")),
                note=told.get("note", ""),
                limit=number_words(_limit(statistic.key, statistic.warn, terms, decides=decides)),
                definition=statistic.by[by] if by else statistic.definition,
                by=by,
                decides=decides,
            )
        )
    return sorted(found, key=lambda each: not each.decides)


def role_label(role: str) -> str:
    return {
        Role.FEATURE.value: _("input"),
        Role.PREDICTION.value: _("prediction"),
        Role.SCORE.value: _("calibrated score"),
        Role.IGNORED.value: _("left out"),
    }.get(role, role)


def _limit(key: str, usual: float | None, terms: dict[str, Any], *, decides: bool) -> float | None:
    if decides:
        return float(terms["limit"])
    own = {"missing_shift": "missing_points", "new_values": "new_share"}
    return float(terms[own[key]]) if key in own else usual


def _drifted_words(result: DriftResult, terms: dict[str, Any]) -> str:
    effect = statistics.get(result.effect_key).label if result.effect_key in statistics else result.effect_key
    said = _("%(effect)s %(value)s, limit %(limit)s; p-value %(p)s.")
    told = {
        "effect": effect,
        "value": number_words(result.effect),
        "limit": number_words(terms.get("limit")),
        "p": p_words(result.p_value),
    }
    return said % told


def _value(result: DriftResult, key: str) -> str | None:
    told = result.measured.get(key, {})
    return told.get("value") if isinstance(told, dict) else None


def number_words(value: object) -> str:
    """Three digits without an exponent; what is too small to matter as a bound."""
    if value in {None, ""}:
        return "–"
    number = float(str(value))
    if number != 0 and abs(number) < 1e-6:
        return "< 0.000001" if number > 0 else "> −0.000001"
    if abs(number) >= 1e6:
        return f"{number:.3g}"
    return f"{Decimal(f'{number:.3g}'):f}" if abs(number) < 1000 else f"{number:.0f}"


def p_words(value: object) -> str:
    """A p-value: too small for a double is still not nothing."""
    if value in {None, ""}:
        return "–"
    return "< 0.000001" if float(str(value)) < 1e-6 else number_words(value)


def _error(value: object) -> str:
    """What is said of how exact a number is; empty where it is not known."""
    if value in {None, ""}:
        return _("from bins")
    number = float(str(value))
    return _("exact") if number == 0 else _("off by at most %(most)s") % {"most": number_words(number)}
