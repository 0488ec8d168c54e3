"""Reports on texts and embeddings: the verdict, the seal, and the series that rules watch."""

from __future__ import annotations

import hashlib
from importlib.metadata import version as version_of_package
from typing import Any

from kernel.canonical import canonical_bytes
from ledger import UnitOfWork, state
from monitoring import reporting
from monitoring.contents import classifier, sampling
from monitoring.contents.classifier import Told
from monitoring.contents.sides import Side
from monitoring.models import ContentComparison, ContentSetup

FORMAT = "tollgate-content-report/1"
EMBEDDING_AUC = "embedding_auc"
WATCHED = (EMBEDDING_AUC, reporting.SCHEMA_CHANGE)
"""Series that every report feeds, with the column as segment."""
REPORTED = ("use_case", "setup", "name", "as_of", "verdict", "auc", "auc_low", "auc_high", "sha256")
Outcome = ContentComparison.Outcome


def finish(uow: UnitOfWork, row: ContentComparison, before: Side, now: Side, told: Told | None) -> list[int]:
    """Keep what was found, sealed; returns the series to judge. ``told`` is None where nothing could be compared."""
    setup = row.setup
    row.end(ContentComparison.JobState.DONE)
    row.progress = 100
    row.warn, row.act = setup.warn, setup.act
    row.verdict = Outcome.MISMATCH if told is None else verdict(told.auc, setup)
    if told is not None:
        row.auc, row.auc_low, row.auc_high = (float(reporting.rounded(x)) for x in (told.auc, told.low, told.high))
    row.measured = {"reference": _counts(before), "current": _counts(now), "method": method(setup)}
    row.sha256 = hashlib.sha256(document(row)).hexdigest()
    row.save()
    uow.record("content.compared", subject=row, use_case=row.use_case, after=state(row, REPORTED))
    values = [(reporting.SCHEMA_CHANGE, setup.column, float(told is None))]
    if told is not None and row.auc is not None:
        values.append((EMBEDDING_AUC, setup.column, row.auc))
    return reporting.feed(uow, values, use_case=row.use_case, version=setup.version, as_of=row.as_of, rows=now.used)


def verdict(auc: float, setup: ContentSetup) -> Outcome:
    """By the setup's limits."""
    if auc >= setup.act:
        return Outcome.DRIFT
    return Outcome.WATCH if auc >= setup.warn else Outcome.STABLE


def document(row: ContentComparison) -> bytes:
    """Everything the report says, as canonical JSON. Its SHA-256 is the report's."""
    numbers = {
        name: None if value is None else reporting.rounded(value)
        for name, value in (("auc", row.auc), ("low", row.auc_low), ("high", row.auc_high))
    }
    limits = {"warn": reporting.rounded(row.warn or 0), "act": reporting.rounded(row.act or 0)}
    return canonical_bytes(
        {
            "format": FORMAT,
            "use_case": row.use_case.key,
            "version": row.setup.version.label if row.setup.version else None,
            "column": row.setup.column,
            "kind": str(row.setup.kind),
            "name": row.name,
            "as_of": row.as_of,
            "made_at": row.finished_at,
            "from": row.window_start,
            "to": row.window_end,
            "verdict": str(row.verdict),
            **numbers,
            "limits": limits,
            **row.measured,
        }
    )


def method(setup: ContentSetup) -> dict[str, Any]:
    """What somebody needs to do the same again."""
    is_text = setup.kind == ContentSetup.Kind.TEXT
    features = {
        True: f"words, pairs of words and 3 letters of words, hashed to {classifier.HASHES} places each, length one",
        False: "standardised by mean and spread",
    }[is_text]
    return {
        "classifier": f"scikit-learn {version_of_package('scikit-learn')} LogisticRegression, L2",
        "cost": str(classifier.TEXT_COST if is_text else classifier.VECTOR_COST),
        "features": features,
        "folds": classifier.FOLDS,
        "seed": classifier.SEED,
        "sampled_at_most": sampling.MOST,
        "characters": sampling.LONGEST if is_text else None,
        "interval": "Hanley-McNeil, bounds by Newcombe 2006 method 5, of half the rows, 95 %",
    }


def _counts(side: Side) -> dict[str, Any]:
    return {
        "rows": side.rows,
        "sampled": side.sampled,
        "used": side.used,
        "empty": side.empty,
        "unusable": side.unusable,
        "size": side.size or None,
        "columns": len(side.columns),
        "sha256": side.sha256,
    }
