"""Texts and embeddings: a column is watched, newer rows are compared. Rows are read by workers alone."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from governance.models import ModelVersion
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, state, unit_of_work
from monitoring import content_reports, tasks
from monitoring.addressing import make_series
from monitoring.models import ContentComparison, ContentSetup
from monitoring.rules import LTE
from monitoring.services.places import Where, Window, set_place, set_window
from monitoring.services.rules import define_rule
from portfolio.models import UseCase
from portfolio.services.checks import assign, locked, refuse
from portfolio.services.rights import Actor, demand, person

CONFIGURE = "monitor.configure"
WARN, ACT = 0.6, 0.7
"""The catalogue's limits of ``embedding_auc``."""
WATCHED = (
    "use_case",
    "version",
    "kind",
    "column",
    "origin",
    "path",
    "source",
    "query",
    "warn",
    "act",
    "in_force",
)
ASKED = ("use_case", "setup", "name", "origin", "path", "source", "query", "window_start", "window_end", "state")


@dataclass(frozen=True, slots=True)
class Content:
    """What is watched: texts or embeddings, in which column or columns, and from which AUC on it matters."""

    kind: str
    column: str
    warn: float = WARN
    act: float = ACT


def watch_content(
    *, use_case: UseCase, content: Content, where: Where, by: Actor, version: ModelVersion | None = None
) -> ContentSetup:
    """Remember where the reference rows of a column lie; the setup before it of the same column is replaced.

    Raises ``Invalid`` for a place, a column or limits that cannot be.
    """
    demand(by, CONFIGURE, use_case)
    if version is not None and version.model.use_case_id != use_case.pk:
        said = _("This version belongs to another use case.")
        raise Invalid(said, errors={"version": [said]})
    _check(content)
    setup = ContentSetup(use_case=use_case, version=version, created_by=person(by))
    assign(
        setup,
        {"kind": content.kind, "column": content.column.strip(), "warn": content.warn, "act": content.act},
    )
    set_place(setup, where)
    with unit_of_work(by=by) as uow:
        earlier = ContentSetup.objects.filter(
            use_case=use_case, version=version, column=setup.column, in_force=True
        ).select_related("use_case__unit")
        for row in lock_rows(earlier):
            _end(uow, row)
        setup.save(force_insert=True)
        uow.record("content.watched", subject=setup, use_case=use_case, after=state(setup, WATCHED))
        _make_rules(uow, setup, by)
    return setup


def unwatch_content(*, setup: ContentSetup, by: Actor) -> ContentSetup:
    """Compare no more newer rows with it. Reports and series stay."""
    demand(by, CONFIGURE, setup)
    with unit_of_work(by=by) as uow:
        setup = locked(ContentSetup, setup.pk, "use_case__unit")
        if not setup.in_force:
            raise Conflict(_("It is not watched any more."))
        _end(uow, setup)
    return setup


def compare_content(
    *, setup: ContentSetup, name: str, where: Where, by: Actor, window: Window | None = None
) -> ContentComparison:
    """Have a worker read newer rows and the reference, and tell how well they can be told apart.

    ``Conflict`` when the column is not watched any more.
    """
    demand(by, CONFIGURE, setup)
    if not setup.in_force:
        raise Conflict(_("It is not watched any more."), hint=_("Watch the column anew, then compare."))
    row = ContentComparison(use_case=setup.use_case, setup=setup, requested_by=person(by))
    assign(row, {"name": name})
    set_place(row, where)
    set_window(row, window or Window())
    row.as_of = row.window_end or row.created_at
    with unit_of_work(by=by) as uow:
        row.save(force_insert=True)
        _ask(uow, row)
    return row


def cancel_content_comparison(*, comparison: ContentComparison, by: Actor) -> ContentComparison:
    """Stop a comparison that is not done; its worker notices within seconds."""
    demand(by, CONFIGURE, comparison)
    with unit_of_work(by=by) as uow:
        row = locked(ContentComparison, comparison.pk, "use_case__unit")
        if not row.is_open:
            raise Conflict(_("It is over already."))
        row.end(ContentComparison.JobState.CANCELLED)
        row.save(update_fields=ContentComparison.ENDS)
        uow.record("content.comparison_cancelled", subject=row, use_case=row.use_case, after=state(row, ASKED))
    return row


def retry_content_comparison(*, comparison: ContentComparison, by: Actor) -> ContentComparison:
    """Try a comparison again that failed or was cancelled."""
    demand(by, CONFIGURE, comparison)
    with unit_of_work(by=by) as uow:
        row = locked(ContentComparison, comparison.pk, "use_case__unit")
        if row.state not in {ContentComparison.JobState.FAILED, ContentComparison.JobState.CANCELLED}:
            raise Conflict(_("Only what ended is retried."))
        row.state, row.error, row.attempts, row.progress = ContentComparison.JobState.WAITING, "", 0, 0
        row.finished_at = row.lease = row.leased_until = None
        row.save(update_fields=[*ContentComparison.ENDS, "attempts", "progress"])
        _ask(uow, row)
    return row


def _check(content: Content) -> None:
    errors: dict[str, list[str]] = {}
    if content.kind not in ContentSetup.Kind.values:
        errors["kind"] = [_("Choose text or embedding.")]
    column = content.column.strip()
    if not column or len(column) > 100:
        errors["column"] = [_("Name the column, in up to 100 characters.")]
    elif "*" in column and content.kind == ContentSetup.Kind.TEXT:
        errors["column"] = [_("Texts are compared by one column: a pattern is for embeddings.")]
    if not 0.5 <= content.warn <= content.act <= 1:
        errors["warn"] = [_("Give limits from 0.5 to 1, the first not above the second.")]
    refuse(errors)


def _end(uow: UnitOfWork, setup: ContentSetup) -> None:
    setup.in_force = False
    setup.save(update_fields=["in_force"])
    uow.record("content.unwatched", subject=setup, use_case=setup.use_case, after=state(setup, WATCHED))


def _ask(uow: UnitOfWork, row: ContentComparison) -> None:
    uow.record("content.comparison_requested", subject=row, use_case=row.use_case, after=state(row, ASKED))
    uow.after_commit(lambda: tasks.compare_content_soon(row.pk))


def _make_rules(uow: UnitOfWork, setup: ContentSetup, by: Actor) -> None:
    """The series that reports feed, each with a rule unless it has one: drift without a rule is mute."""
    for metric in content_reports.WATCHED:
        series = make_series(
            uow,
            use_case=setup.use_case,
            metric_key=metric,
            segment=setup.column,
            version=setup.version,
            expected_every_seconds=0,
        )
        if not series.rules.exists():
            own = {"op": LTE, "warn": setup.warn, "act": setup.act}
            define_rule(series=series, by=by, **(own if metric == content_reports.EMBEDDING_AUC else {}))
