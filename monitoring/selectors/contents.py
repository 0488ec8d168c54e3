"""What pages of texts and embeddings show: those that are watched, the newest result, the past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from monitoring.models import ContentComparison, ContentSetup
from portfolio.models import UseCase

MOST = 200
DONE = ContentComparison.JobState.DONE


def watched(use_case: UseCase) -> Sequence[ContentSetup]:
    """Setups in force, each with ``newest``: its newest comparison that is done, or None. Two queries."""
    last = ContentComparison.objects.filter(setup=OuterRef("pk"), state=DONE).order_by("-as_of", "-created_at")
    rows = list(
        ContentSetup.objects.filter(use_case=use_case, in_force=True)
        .select_related("version")
        .annotate(newest_pk=Subquery(last.values("pk")[:1]))
    )
    newest = ContentComparison.objects.in_bulk([row.newest_pk for row in rows if row.newest_pk])
    for row in rows:
        row.newest = newest.get(row.newest_pk)  # type: ignore[attr-defined]  # for the page alone
    return rows


def newest(setup: ContentSetup) -> ContentComparison | None:
    return setup.comparisons.filter(state=DONE).select_related("setup").order_by("-as_of", "-created_at").first()


def first(setup: ContentSetup) -> ContentComparison | None:
    """The comparison that the reference was first read for."""
    return setup.comparisons.filter(state=DONE).order_by("finished_at").first()


def last_place(setup: ContentSetup) -> dict[str, Any]:
    """Where the last comparison found its rows, to begin the next form with."""
    last = setup.comparisons.order_by("-created_at").first()
    return {"path": last.path, "source": last.source_id, "query": last.query} if last else {}


def history(setup: ContentSetup) -> dict[str, Any]:
    """The AUC of this column over time with the bounds of its interval, as a chart's JSON."""
    rows = (
        ContentComparison.objects.filter(
            setup__use_case_id=setup.use_case_id,
            setup__column=setup.column,
            setup__version_id=setup.version_id,
            auc__isnull=False,
        )
        .order_by("-as_of")
        .values_list("as_of", "auc", "auc_low", "auc_high")[:MOST]
    )
    told = [
        (at.astimezone(UTC).isoformat().replace("+00:00", "Z"), [round(value or 0.0, 4) for value in values])
        for at, *values in reversed(rows)
    ]
    names = (_("AUC"), _("lower bound (95 %)"), _("upper bound (95 %)"))
    limits = ((setup.warn, _("watch"), "attention"), (setup.act, _("drift"), "blocked"))
    return {
        "kind": "line",
        "unit": "",
        "x": {"type": "time"},
        "y": {"type": "value", "min": 0.3, "max": 1},
        "series": [
            {"name": name, "points": [[at, values[place]] for at, values in told]} for place, name in enumerate(names)
        ],
        "thresholds": [{"value": value, "label": label, "tone": tone} for value, label, tone in limits],
    }
