"""Pulling a source: lease, fetch, store, with nothing lost or doubled wherever a worker dies.

1. A lease is taken by a conditional UPDATE; its row count says who has it. Two workers never pull the same window.
2. The fetch runs outside any transaction, as long as the connector allows.
3. Points, watermark and the end of the lease are one transaction, which first makes sure that the lease is still ours.
   A worker that died before leaves a lease that runs out; one that was slower than its lease stores nothing.

What is asked for says ``windows``, what a failure leads to ``breaker``. Each attempt is a ``PullRun``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID, uuid4

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.canonical import digest
from kernel.database import lock_rows
from kernel.errors import Invalid
from ledger import SYSTEM, UnitOfWork, unit_of_work
from monitoring import breaker, ingest, mapping, wire
from monitoring.addressing import find, make_series, version_of
from monitoring.connector import Connector, ConnectorError, Sample, connectors
from monitoring.mapping import Words
from monitoring.models import PullRun, Series, Source
from monitoring.secrets import SecretLost, redact, unseal
from monitoring.windows import Window, next_window, remember

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""Longer than a fetch and its store may take: the fetch has its own limit, the task another."""
MOST_SAMPLES = 100_000
LOOKED_AT = 2000
"""Samples of a preview in which names are looked for."""
KEPT_RUNS = 5000
"""Of one source; older ones are dropped."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to: points stored (new and revised), and the series to judge."""

    fetched: int = 0
    stored: int = 0
    to_judge: list[int] = field(default_factory=list)
    error: str = ""
    more: bool = False
    """It is catching up: there is more to read at once."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The first samples that a source gives, or why it gives none; ``names`` are those that a mapping can be for."""

    samples: list[Sample]
    error: str = ""
    more: bool = False
    names: list[Words] = field(default_factory=list)
    kind: str = ""


@dataclass(frozen=True, slots=True)
class _Fetched:
    connector: Connector
    window: Window
    samples: list[Sample]


class _TooMany(ConnectorError):
    """More points than one pull may bring; a narrower window may do."""

    def __init__(self) -> None:
        super().__init__("content", _("It gives more than %(most)d points at once.") % {"most": MOST_SAMPLES})


def due(now: datetime) -> list[UUID]:
    """Sources whose time has come and that nobody is pulling."""
    rows = _claimable(now).order_by("next_due_at")
    return list(rows.values_list("pk", flat=True)[:1000])


def pull(source_id: UUID) -> Pulled | None:
    """Pull one source now; None when it is not due or somebody else is pulling it."""
    lease = _claim(source_id)
    if lease is None:
        return None
    source = Source.objects.select_related("use_case__unit").get(pk=source_id)
    try:
        fetched = _fetched(source, lease)
    except ConnectorError as error:
        return _failed(source_id, lease, error)
    try:
        with unit_of_work(by=SYSTEM) as uow:
            return _store(uow, source_id, lease, fetched)
    except Invalid as error:
        return _failed(source_id, lease, ConnectorError("content", error.message), fetched=len(fetched.samples))


def preview(
    connector: str,
    config: Mapping[str, str],
    secret: Mapping[str, str],
    *,
    named: Sequence[Mapping[str, object]] = (),
    limit: int = 20,
) -> Preview:
    """The first samples of a source that need not be stored yet, under our names. Nothing is stored."""
    try:
        with _explained(secret):
            made = _made(connector, config, secret)
            found = list(islice(made.fetch(None, timezone.now()), LOOKED_AT + 1))
    except ConnectorError as error:
        return Preview([], error.message, kind=error.kind)
    shown = list(islice(mapping.mapped(found, mapping.read(named)), limit))
    return Preview(shown, more=len(found) > limit, names=mapping.names(found)[:100])


def secret_of(source: Source) -> dict[str, str]:
    """The decrypted secret. Raises ``ConnectorError``."""
    try:
        return unseal(source.secret)
    except SecretLost:
        raise ConnectorError("secret", _("Its secret can no longer be decrypted; enter it again.")) from None


def take_back(source: Source) -> None:
    """Take the lease from whoever is pulling this locked source: what it brings is not stored. The caller saves."""
    if source.lease is not None:
        said = _("The source was changed meanwhile; it is pulled again as it is now.")
        PullRun.objects.filter(pk=source.lease, outcome=PullRun.Outcome.RUNNING).update(
            outcome=PullRun.Outcome.LOST, finished_at=timezone.now(), error=said, error_kind="changed"
        )
    source.lease = source.leased_until = None


def _claimable(now: datetime) -> QuerySet[Source]:
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    return Source.objects.filter(free, enabled=True, next_due_at__lte=now)


def _claim(source_id: UUID) -> UUID | None:
    """Take the lease, begin the run, and say of runs that a worker left behind that it did."""
    now, lease = timezone.now(), uuid4()
    with transaction.atomic():
        claimed = _claimable(now).filter(pk=source_id).update(lease=lease, leased_until=now + LEASE, last_pull_at=now)
        if not claimed:
            return None
        runs = PullRun.objects.filter(source_id=source_id)
        said = _("The worker ended before the pull did; nothing of it was stored, and it was pulled again.")
        runs.filter(outcome=PullRun.Outcome.RUNNING).update(
            outcome=PullRun.Outcome.LOST, finished_at=now, error=said, error_kind="lost"
        )
        oldest_kept = runs.order_by("-started_at").values_list("started_at", flat=True)[KEPT_RUNS : KEPT_RUNS + 1]
        for moment in oldest_kept:
            runs.filter(started_at__lte=moment).delete()
        PullRun.objects.create(pk=lease, source_id=source_id, started_at=now)
    return lease


def _fetched(source: Source, lease: UUID) -> _Fetched:
    """All samples of one pull, past any transaction. Raises ``ConnectorError`` whose message holds no secret."""
    secret = secret_of(source)
    with _explained(secret):
        connector = _made(source.connector, source.config, secret)
        window: Window | None = next_window(source, connector, timezone.now())
        while window is not None:
            PullRun.objects.filter(pk=lease).update(since=window.since, until=window.until)
            samples = list(islice(connector.fetch(window.since, window.until), MOST_SAMPLES + 1))
            if len(samples) <= MOST_SAMPLES:
                return _Fetched(connector, window, samples)
            window = window.halved()
    raise _TooMany


@contextmanager
def _explained(secret: Mapping[str, str]) -> Iterator[None]:
    """Whatever goes wrong in a connector becomes a ``ConnectorError`` without a secret, so that the breaker sees it.

    Of an error that nobody foresaw only its type is told: its text may quote what was sent.
    """
    try:
        yield
    except ConnectorError as error:
        raise ConnectorError(error.kind, redact(error.message, secret)) from None
    except SoftTimeLimitExceeded:
        raise ConnectorError("slow", _("Reading it took too long.")) from None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        said = _("Its answer is not built as the connector expects (%(what)s).")
        raise ConnectorError("content", said % {"what": type(error).__name__}) from None
    except Exception as error:  # a connector that fails in its own way must not fail for ever unseen
        log.error("a connector failed with %s", type(error).__name__)  # noqa: TRY400  # a trace may hold a secret
        raise ConnectorError("crash", _("The connector failed: %(what)s.") % {"what": type(error).__name__}) from None


def _made(key: str, config: Mapping[str, str], secret: Mapping[str, str]) -> Connector:
    if key not in connectors:
        raise ConnectorError("content", _("The connector %(key)s is not installed.") % {"key": key})
    return connectors.get(key)(config, secret)


def _store(uow: UnitOfWork, source_id: UUID, lease: UUID, fetched: _Fetched) -> Pulled:
    """Points, watermark and the end of the lease together, or nothing when the lease was lost."""
    source = _held(source_id, lease)
    if source is None:
        return Pulled(len(fetched.samples), error=_("It took so long that another worker took over."))
    now = timezone.now()
    samples = list(mapping.mapped(fetched.samples, mapping.read(source.mapping)))
    stored = _store_samples(uow, source, samples, now) if samples else ingest.Stored()
    if samples:
        newest = max(sample.time for sample in samples)
        source.watermark = max(newest, source.watermark or newest)
    more = remember(source, fetched.window, fetched.connector)
    source.last_count = stored.stored
    breaker.note_success(uow, source, now, now if more else now + timedelta(seconds=source.every_seconds))
    _end(source, lease, now, fetched=len(fetched.samples), stored=stored)
    return Pulled(len(fetched.samples), stored.stored, stored.to_judge, more=more)


def _store_samples(uow: UnitOfWork, source: Source, samples: Sequence[Sample], now: datetime) -> ingest.Stored:
    key = source.use_case.key
    points = [
        {
            "use_case": key,
            "metric": sample.metric,
            "segment": sample.segment,
            "version": sample.version,
            "time": sample.time,
            "value": sample.value,
            "step": sample.step,
            "n": sample.n,
        }
        for sample in samples
    ]
    batch = wire.check(points, now=now)
    targets = find(Series.objects.filter(use_case=source.use_case), batch.addresses)
    series_ids = [
        targets[address].series_id if address in targets else _made_series(uow, source, address)
        for address in batch.addresses
    ]
    rows = [(series_ids[address], time, step, value, n) for address, time, step, value, n in batch.entries]
    kept, contradiction = ingest.unique(rows)
    if contradiction is not None:
        raise Invalid(
            _("Point %(number)d contradicts an earlier one of the same time.") % {"number": contradiction + 1}
        )
    home = ingest.Home(source.use_case_id, source.use_case.unit.path)
    sha256 = digest([[*row[:3], repr(row[3])] for row in kept])
    return ingest.store(uow, kept, home=home, digest=sha256, now=now, source=source)


def _made_series(uow: UnitOfWork, source: Source, address: wire.Address) -> int:
    use_case = source.use_case
    version = version_of(use_case, address.version)
    series = make_series(
        uow, use_case=use_case, metric_key=address.metric, segment=address.segment, version=version, source=source
    )
    return series.pk


def _failed(source_id: UUID, lease: UUID, error: ConnectorError, fetched: int = 0) -> Pulled:
    now = timezone.now()
    with unit_of_work(by=SYSTEM) as uow:
        source = _held(source_id, lease)
        if source is not None:
            breaker.note_failure(uow, source, error, now)
            _end(source, lease, now, fetched=fetched, error=error)
    return Pulled(fetched, error=error.message)


def _held(source_id: UUID, lease: UUID) -> Source | None:
    """The source, locked, while the lease is still ours; None when another worker has it or it was deleted."""
    return lock_rows(Source.objects.filter(pk=source_id, lease=lease).select_related("use_case__unit")).first()


def _end(
    source: Source,
    lease: UUID,
    now: datetime,
    *,
    fetched: int,
    stored: ingest.Stored | None = None,
    error: ConnectorError | None = None,
) -> None:
    """End lease and run."""
    source.lease = source.leased_until = None
    source.save(update_fields=[*breaker.HEALTH, *READING, "last_success_at", "last_count", "lease", "leased_until"])
    PullRun.objects.filter(pk=lease).update(
        outcome=PullRun.Outcome.FAILED if error else PullRun.Outcome.DONE,
        finished_at=now,
        fetched=fetched,
        stored=stored.stored if stored else 0,
        revised=stored.revised if stored else 0,
        error=error.message[:1000] if error else "",
        error_kind=error.kind if error else "",
    )


READING = ("watermark", "read_through", "catching_up_from")
