"""From a comparison to a drift report: stored by feature, sealed by a digest, told to the series that rules watch."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from governance.models import ModelVersion
from kernel.canonical import canonical_bytes, digest
from ledger import UnitOfWork, state
from monitoring import ingest
from monitoring.addressing import make_series
from monitoring.comparing import Comparison, Feature, State, Terms, compare
from monitoring.models import DataProfile, DriftReport, DriftResult
from monitoring.profiles import Profile
from monitoring.statistic import Measured
from monitoring.wire import time_text
from portfolio.models import UseCase

FORMAT = "tollgate-drift-report/1"
DRIFT_SHARE, MISSING_SHIFT, SCHEMA_CHANGE = "drift_share", "missing_shift", "schema_change"
PREDICTION_PSI, PSI, AUC_DROP = "prediction_psi", "psi", "estimated_auc_drop"
WATCHED = (DRIFT_SHARE, MISSING_SHIFT, SCHEMA_CHANGE)
"""Series that every report feeds."""
TOLD = ("use_case", "version", "reference", "current", "verdict", "share", "compared", "drifted", "rows", "sha256")
DIGITS = 12
"""Significant digits that are kept: more would be noise of the last operations."""


def report(uow: UnitOfWork, current: DataProfile, before: Profile, now: Profile) -> list[int]:
    """Compare and keep what came of it; returns the series to judge. Raises ``SchemaMismatch``."""
    reference = current.reference
    assert reference is not None
    terms = reference.agreed()
    # What was left out of the reference on purpose is no news.
    now = Profile(now.rows, now.columns, now.unframed - set(reference.ignored), now.missing)
    found = compare(before, now, terms)
    made = DriftReport(
        use_case=current.use_case,
        version=current.version,
        reference=reference,
        current=current,
        made_at=timezone.now(),
        as_of=current.window_end or current.created_at,
        terms=terms.as_json(),
        verdict=DriftReport.Outcome(found.verdict.value),
        share=float(rounded(found.share)),
        compared=found.compared,
        drifted=found.drifted,
        rows=found.rows,
        reference_rows=found.reference_rows,
    )
    results = [_result(made, place, feature) for place, feature in enumerate(found.features, 1)]
    made.sha256 = hashlib.sha256(document(made, results)).hexdigest()
    made.save(force_insert=True)
    DriftResult.objects.bulk_create(results, batch_size=500)
    uow.record("drift.reported", subject=made, use_case=made.use_case, after=state(made, TOLD))
    values = _values(made, found, terms)
    return feed(uow, values, use_case=made.use_case, version=made.version, as_of=made.as_of, rows=made.rows)


def document(report: DriftReport, results: Iterable[DriftResult]) -> bytes:
    """Everything the report says, as canonical JSON. Its SHA-256 is the report's."""
    terms = {name: _plain(value) for name, value in report.terms.items()}
    return canonical_bytes(
        {
            "format": FORMAT,
            "use_case": report.use_case.key,
            "version": report.version.label if report.version else None,
            "as_of": report.as_of,
            "made_at": report.made_at,
            "reference": {"sha256": report.reference.sha256, "rows": report.reference_rows},
            "current": {
                "sha256": report.current.sha256,
                "rows": report.rows,
                "from": report.current.window_start,
                "to": report.current.window_end,
            },
            "terms": terms,
            "verdict": str(report.verdict),
            "share": rounded(report.share),
            "compared": report.compared,
            "drifted": report.drifted,
            "features": [
                {
                    "name": result.name,
                    "kind": result.kind,
                    "role": str(result.role),
                    "state": str(result.state),
                    "reasons": list(result.reasons),
                    "weight": rounded(result.weight),
                    "effect": result.effect_key,
                    "measured": result.measured,
                }
                for result in results
            ],
        }
    )


def feed(
    uow: UnitOfWork,
    values: Iterable[tuple[str, str, float]],
    *,
    use_case: UseCase,
    version: ModelVersion | None,
    as_of: datetime,
    rows: int,
) -> list[int]:
    """Points of a report's time, so that rules and gates see it like any other metric: metric, segment and value.

    Returns the series to judge.
    """
    n = rows if rows < 2**31 else None
    told = [
        (_series(uow, use_case, version, metric, segment), time_text(as_of), 0, value, n)
        for metric, segment, value in values
    ]
    home = ingest.Home(use_case.pk, use_case.unit.path)
    sha256 = digest([[*row[:3], repr(row[3])] for row in told])
    return ingest.store(uow, told, home=home, digest=sha256, now=timezone.now()).to_judge


def _series(uow: UnitOfWork, use_case: UseCase, version: ModelVersion | None, metric: str, segment: str) -> int:
    # Nobody knows when the next data comes, so silence is expected of nothing until a person says so.
    return make_series(
        uow, use_case=use_case, metric_key=metric, segment=segment, version=version, expected_every_seconds=0
    ).pk


def rounded(value: float) -> Decimal:
    """As many digits as are kept."""
    return Decimal(f"{value:.{DIGITS}g}")


def with_defaults(given: Mapping[str, Any]) -> Terms:
    """Terms out of what was given; what is not given keeps its default. Raises ``TypeError`` for an unknown name."""
    return replace(Terms(), **given)


def _result(made: DriftReport, place: int, feature: Feature) -> DriftResult:
    return DriftResult(
        report=made,
        place=place,
        name=feature.name,
        kind=feature.kind,
        role=str(feature.role),
        state=DriftResult.Outcome(feature.state.value),
        is_drifted=feature.drifted,
        reasons=[reason.value for reason in feature.reasons],
        weight=feature.weight,
        effect_key=feature.effect_key,
        effect=feature.effect,
        p_value=feature.p_value,
        measured={key: _spelled(value) for key, value in sorted(feature.measured.items())},
    )


def _spelled(measured: Measured) -> dict[str, str]:
    told = {"value": measured.value, "p": measured.p_value, "error": measured.error}
    found = {name: str(rounded(value)) for name, value in told.items() if value is not None and math.isfinite(value)}
    return found | ({"note": measured.note} if measured.note else {})


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return value


def _values(made: DriftReport, found: Comparison, terms: Terms) -> Iterable[tuple[str, str, float]]:
    changed = [f for f in found.features if {State.GONE, State.TYPE_CHANGED} & set(f.reasons)]
    yield SCHEMA_CHANGE, "", float(len(changed))
    if made.verdict == DriftReport.Outcome.NOTHING:
        return
    yield DRIFT_SHARE, "", made.share
    shifts = [f.measured[MISSING_SHIFT].value or 0.0 for f in found.features if MISSING_SHIFT in f.measured]
    yield MISSING_SHIFT, "", max(shifts, default=0.0)
    outputs = [f.measured[PSI].value for f in found.outputs() if PSI in f.measured]
    if known := [value for value in outputs if value is not None]:
        yield PREDICTION_PSI, "", max(known)
    drops = [f.measured[AUC_DROP].value for f in found.outputs() if AUC_DROP in f.measured]
    if told := [value for value in drops if value is not None]:
        yield AUC_DROP, "", max(told)
    watched = set(terms.watched)
    for feature in found.features:
        if feature.name in watched and PSI in feature.measured and feature.measured[PSI].value is not None:
            yield PSI, feature.name[:100], float(feature.measured[PSI].value or 0.0)
