"""What governance and monitoring hold of synthetic use cases: evidence, models, validation runs, series and points."""

from __future__ import annotations

import math
from datetime import timedelta

from gates.generating.names import METRICS, VALIDATIONS
from gates.generating.organisation import Organisation
from gates.generating.rows import Chance, Rows
from gates.generating.use_cases import Made
from governance.models import AiModel, Evidence, ModelVersion, ValidationRun
from kernel.canonical import digest
from ledger import state
from monitoring.models import Point, Rule, Series

ATTESTED = (
    ("IP-01", "intake_form", "The problem is stated with the people who have it."),
    ("IP-18", "inventory_search", "The inventory was searched, and nothing like it is there."),
    ("PC-04", "review_note", "Domain experts have seen the results and agree with them."),
)
EVIDENCE_SHOWN = ("kind", "evidence_type", "criterion", "title", "sha256", "valid_until", "version")
RUN_SHOWN = ("kind", "verdict", "metrics", "sample_size", "independent", "performed_at")
SERIES_SHOWN = ("metric", "name", "unit", "direction", "kinds", "baseline")
POINTS = 14


def add_records(made: Made, organisation: Organisation, chance: Chance, rows: Rows) -> None:
    """As much as a use case that has come this far would have."""
    _add_evidence(made, organisation, chance, rows)
    if not made.reached("poc"):
        return
    version = _add_model(made, chance, rows)
    for kind in chance.sample(VALIDATIONS, k=chance.randint(1, 4)):
        _add_run(kind, made, version, chance, rows)
    if made.reached("production") and made.use_case.status == "active":
        for metric in METRICS[: chance.randint(1, len(METRICS))]:
            _add_series(metric, made, version, chance, rows)


def _add_evidence(made: Made, organisation: Organisation, chance: Chance, rows: Rows) -> None:
    for criterion, kind, statement in ATTESTED[: chance.randint(0, len(ATTESTED))]:
        added = chance.ago(400)
        verified = chance.happens(0.6)
        evidence = rows.add(
            Evidence(
                id=chance.key(),
                use_case=made.use_case,
                kind=Evidence.Kind.ATTESTATION,
                evidence_type=kind,
                criterion=criterion,
                title=statement,
                statement=statement,
                role="use_case_lead",
                sha256=digest({"statement": statement, "use_case": str(made.use_case.pk)}),
                valid_from=added,
                valid_until=added + timedelta(days=365),
                added_by=made.lead,
                added_at=added,
                verified_by=organisation.verifier if verified else None,
                verified_at=added + timedelta(days=2) if verified else None,
            )
        )
        rows.tell("evidence.added", evidence, made.use_case, state(evidence, EVIDENCE_SHOWN))


def _add_model(made: Made, chance: Chance, rows: Rows) -> ModelVersion:
    use_case, lead = made.use_case, made.technical_lead
    model = rows.add(AiModel(id=chance.key(), use_case=use_case, name="main", kind="classifier", owner=lead))
    rows.tell("model.registered", model, use_case, state(model, ("name", "kind")))
    live = made.reached("production")
    registered = chance.ago(200)
    version = rows.add(
        ModelVersion(
            id=chance.key(),
            model=model,
            label=f"1.{chance.randint(0, 9)}",
            number=1,
            state=ModelVersion.VersionState.LIVE if live else ModelVersion.VersionState.CANDIDATE,
            bundle={"code": f"{chance.getrandbits(160):040x}", "data": f"{chance.getrandbits(160):040x}"},
            author=lead,
            registered_at=registered,
            live_at=registered if live else None,
        )
    )
    rows.tell("version.registered", version, use_case, state(version, ("label", "number", "state", "bundle")))
    return version


def _add_run(kind: str, made: Made, version: ModelVersion, chance: Chance, rows: Rows) -> None:
    run = rows.add(
        ValidationRun(
            id=chance.key(),
            use_case=made.use_case,
            version=version,
            kind=kind,
            verdict=chance.one((("pass", 8), ("fail", 1), ("inconclusive", 1))),
            metrics={"f1": f"0.{chance.randint(70, 96)}"},
            sample_size=chance.randint(200, 9000),
            independent=kind == "independent_review",
            performed_at=chance.ago(220),
            recorded_by=made.technical_lead,
        )
    )
    rows.tell("validation.recorded", run, made.use_case, state(run, RUN_SHOWN))


def _add_series(
    metric: tuple[str, str, str, str, float, list[str]], made: Made, version: ModelVersion, chance: Chance, rows: Rows
) -> None:
    key, name, unit, direction, baseline, kinds = metric
    drift = 0.15 if chance.happens(0.12) else 0.0
    worse = -1 if direction == "higher" else 1
    values = [
        round(baseline * (1 + worse * drift * day / POINTS + 0.02 * math.sin(day) + chance.uniform(-0.01, 0.01)), 6)
        for day in range(POINTS)
    ]
    series = rows.add(
        Series(
            use_case=made.use_case,
            metric=key,
            name=name,
            unit=unit,
            direction=direction,
            kinds=kinds,
            version=version,
            baseline=baseline,
            baseline_at=version.registered_at,
            created_at=version.registered_at,
            last_time=chance.morning,
            rollup_from=chance.morning - timedelta(days=POINTS - 1),
            rollup_to=chance.morning,
            last_value=values[-1],
            last_n=1000,
            last_received_at=chance.morning,
            silent_after=chance.morning + timedelta(days=2),
            judged_through=chance.morning,
        )
    )
    series.points_to_come = values  # type: ignore[attr-defined]  # written once the series has its number
    rows.tell("series.defined", series, made.use_case, state(series, SERIES_SHOWN))
    op = Rule.Op.GTE if direction == "higher" else Rule.Op.LTE
    warn, act = baseline * (1 + worse * 0.05), baseline * (1 + worse * 0.1)
    rows.add(Rule(id=chance.key(), series=series, name=f"{name} holds", op=op, warn=warn, act=act))


def points_of(series: Series, chance: Chance) -> list[Point]:
    """The last two weeks, a point a day; the series must have been written."""
    values: list[float] = getattr(series, "points_to_come", [])
    return [
        Point(series_id=series.pk, time=chance.morning - timedelta(days=POINTS - 1 - day), value=value, n=1000)
        for day, value in enumerate(values)
    ]
