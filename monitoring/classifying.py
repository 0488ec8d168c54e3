"""Comparing texts or embeddings: lease, read both sides, classify, store, with nothing half done wherever it ends.

Rows are read and classified outside any transaction and forgotten with it: what is stored are counts, digests and the
AUC (``monitoring.content_reports``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from ledger import SYSTEM, state, unit_of_work
from monitoring import content_reports
from monitoring.connector import ConnectorError
from monitoring.content_reading import read
from monitoring.contents.classifier import LEAST_ROWS, Told, texts_told_apart, vectors_told_apart
from monitoring.contents.sides import Side
from monitoring.leasing import MOST_ATTEMPTS, Lost, claim, claimable, held, teller
from monitoring.models import ContentComparison, ContentSetup
from monitoring.profiling import explained

log = logging.getLogger(__name__)
FAILED = ("use_case", "setup", "name", "state")
Tell = Callable[[int, int], None]


def owed(now: datetime) -> list[UUID]:
    """Comparisons that wait for a worker, or whose worker was lost."""
    rows = claimable(ContentComparison.objects.all(), now)
    return list(rows.order_by("created_at").values_list("pk", flat=True)[:100])


def compare(pk: UUID) -> list[int]:
    """Make one comparison; returns the series to judge."""
    lease = claim(ContentComparison.objects.all(), pk)
    if lease is None:
        return []
    row = ContentComparison.objects.select_related("setup__source", "source").get(pk=pk)
    if row.attempts > MOST_ATTEMPTS:
        _fail(pk, lease, _("The worker was lost each time it was tried; the data may be too large for it."))
        return []
    try:
        before, now, told = _compared(row, teller(ContentComparison.objects.all(), pk, lease))
        with unit_of_work(by=SYSTEM) as uow:
            return content_reports.finish(uow, _held(pk, lease), before, now, told)
    except Lost:
        return []
    except ConnectorError as error:
        _fail(pk, lease, error.message)
        return []


def _compared(row: ContentComparison, tell: Tell) -> tuple[Side, Side, Told | None]:
    """Both sides and what the classifier made of them; nothing for vectors that are not of one kind."""
    before = _read(_("Reference"), lambda: read(row.setup, row.setup, _within(tell, 0, 20)))
    now = _read(_("Newer rows"), lambda: read(row, row.setup, _within(tell, 20, 20)))
    is_text = row.setup.kind == ContentSetup.Kind.TEXT
    if not is_text and before.used and now.used and (before.size, before.columns) != (now.size, now.columns):
        return before, now, None
    for label, side in ((_("Reference"), before), (_("Newer rows"), now)):
        if side.used < LEAST_ROWS:
            raise ConnectorError("content", _few_words(label, side))
    with explained():
        call = texts_told_apart if is_text else vectors_told_apart
        return before, now, call(before.values, now.values, _within(tell, 40, 60))


def _read(label: str, call: Callable[[], Side]) -> Side:
    try:
        return call()
    except ConnectorError as error:
        raise ConnectorError("content", f"{label}: {error.message}") from None


def _few_words(label: str, side: Side) -> str:
    said = _(
        "%(label)s: of %(sampled)d rows looked at %(used)d can be used (%(empty)d empty, %(unusable)d with NaN or"
        " infinite numbers). At least %(least)d are needed on either side: with fewer, chance decides."
    )
    return said % {
        "label": label,
        "sampled": side.sampled,
        "used": side.used,
        "empty": side.empty,
        "unusable": side.unusable,
        "least": LEAST_ROWS,
    }


def _within(tell: Tell, start: int, span: int) -> Tell:
    """Progress of a part of the work."""
    return lambda done, total: tell(start + (span * done // total if total else 0), 100)


def _fail(pk: UUID, lease: UUID, said: str) -> None:
    try:
        with unit_of_work(by=SYSTEM) as uow:
            row = _held(pk, lease)
            row.end(ContentComparison.JobState.FAILED, said)
            row.save(update_fields=ContentComparison.ENDS)
            uow.record(
                "content.comparison_failed", subject=row, use_case=row.use_case, after=state(row, FAILED), note=said
            )
    except Lost:
        log.info("comparison %s was taken from its worker", pk)


def _held(pk: UUID, lease: UUID) -> ContentComparison:
    rows = ContentComparison.objects.select_related("use_case__unit", "setup__version")
    return held(rows, pk, lease)
