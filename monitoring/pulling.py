"""Pulling a source: lease, fetch, store, with nothing lost or doubled wherever a worker dies.

1. A lease is taken by a conditional UPDATE; its row count says who has it. Two workers never pull the same window.
2. The fetch runs outside any transaction, as long as the connector allows.
3. Points, watermark and the end of the lease are one transaction, which first makes sure that the lease is still ours.
   A worker that died before leaves a lease that runs out; one that was slower than its lease stores nothing.

Every pull asks again for some time before the watermark (``overlap``): late points are taken in, and what is there
already changes nothing. After ``BREAK_AFTER`` failures in a row the breaker opens: the source is BROKEN, people are
told, and it is tried again after a cool-down only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID, uuid4

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.people import holders
from kernel.canonical import digest
from kernel.database import lock_rows
from kernel.errors import Invalid
from ledger import SYSTEM, UnitOfWork, state, unit_of_work
from monitoring import ingest, wire
from monitoring.addressing import find, make_series, version_of
from monitoring.connector import Connector, ConnectorError, Sample, connectors
from monitoring.models import Series, Source
from monitoring.secrets import SecretLost, redact, unseal
from notify.services import tell

LEASE = timedelta(minutes=5)
"""Longer than a fetch and its store may take: the fetch has its own limit, the task another."""
BREAK_AFTER = 5
COOL_DOWN = timedelta(minutes=30)
MOST_SAMPLES = 100_000
LEAST_OVERLAP = timedelta(minutes=10)
TOLD = ("technical_lead", "it_operations")
HEALTH_FIELDS = ("health", "failures", "last_error", "next_due_at")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to: points stored (new and revised), and the series to judge."""

    fetched: int = 0
    stored: int = 0
    to_judge: list[int] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """The first samples that a source gives, or why it gives none."""

    samples: list[Sample]
    error: str = ""
    more: bool = False


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
        samples = list(_fetched(source))
    except ConnectorError as error:
        _failed(source, lease, error)
        return Pulled(error=error.message)
    try:
        with unit_of_work(by=SYSTEM) as uow:
            return _store(uow, source, lease, samples)
    except Invalid as error:
        failure = ConnectorError("content", error.message)
        _failed(source, lease, failure)
        return Pulled(fetched=len(samples), error=failure.message)


def preview(connector: str, config: Mapping[str, str], secret: Mapping[str, str], *, limit: int = 20) -> Preview:
    """The first samples of a source that need not be stored yet. Nothing is stored."""
    try:
        samples = list(islice(_made(connector, config, secret).fetch(None), limit + 1))
    except ConnectorError as error:
        return Preview([], redact(error.message, secret))
    return Preview(samples[:limit], more=len(samples) > limit)


def backoff(every_seconds: int, failures: int) -> timedelta:
    """How long to wait after so many failures in a row: doubling, then the cool-down of the breaker."""
    if failures >= BREAK_AFTER:
        return max(COOL_DOWN, timedelta(seconds=every_seconds))
    return min(timedelta(seconds=every_seconds * 2**failures), COOL_DOWN)


def overlap(source: Source) -> timedelta:
    return max(2 * timedelta(seconds=source.every_seconds), LEAST_OVERLAP)


def secret_of(source: Source) -> dict[str, str]:
    """The decrypted secret. Raises ``ConnectorError``."""
    try:
        return unseal(source.secret)
    except SecretLost:
        raise ConnectorError("secret", _("Its secret can no longer be decrypted; enter it again.")) from None


def _claimable(now: datetime) -> QuerySet[Source]:
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    return Source.objects.filter(free, enabled=True, next_due_at__lte=now)


def _claim(source_id: UUID) -> UUID | None:
    now, lease = timezone.now(), uuid4()
    claimed = _claimable(now).filter(pk=source_id).update(lease=lease, leased_until=now + LEASE, last_pull_at=now)
    return lease if claimed else None


def _fetched(source: Source) -> list[Sample]:
    """All samples of one pull, past any transaction. Raises ``ConnectorError`` whose message holds no secret."""
    secret = secret_of(source)
    since = source.watermark - overlap(source) if source.watermark else None
    try:
        samples = list(islice(_made(source.connector, source.config, secret).fetch(since), MOST_SAMPLES + 1))
    except ConnectorError as error:
        raise ConnectorError(error.kind, redact(error.message, secret)) from None
    if len(samples) > MOST_SAMPLES:
        raise ConnectorError("content", _("It gives more than %(most)d points at once.") % {"most": MOST_SAMPLES})
    return samples


def _made(key: str, config: Mapping[str, str], secret: Mapping[str, str]) -> Connector:
    if key not in connectors:
        raise ConnectorError("content", _("The connector %(key)s is not installed.") % {"key": key})
    return connectors.get(key)(config, secret)


def _store(uow: UnitOfWork, source: Source, lease: UUID, samples: Sequence[Sample]) -> Pulled:
    """Points, watermark and the end of the lease together, or nothing when the lease was lost."""
    source = lock_rows(Source.objects.filter(pk=source.pk).select_related("use_case__unit")).get()
    if source.lease != lease:
        return Pulled(fetched=len(samples), error=_("It took so long that another worker took over."))
    now = timezone.now()
    stored = _store_samples(uow, source, samples, now) if samples else ingest.Stored()
    if samples:
        newest = max(sample.time for sample in samples)
        source.watermark = max(newest, source.watermark or newest)
    _note_success(uow, source, stored.stored, now)
    return Pulled(len(samples), stored.stored, stored.to_judge)


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


def _note_success(uow: UnitOfWork, source: Source, stored: int, now: datetime) -> None:
    before = state(source, HEALTH_FIELDS)
    recovered = source.health in {Source.Health.FAILING, Source.Health.BROKEN}
    source.health, source.failures, source.last_error = Source.Health.OK, 0, ""
    source.last_success_at, source.last_count = now, stored
    _release(source, now + timedelta(seconds=source.every_seconds))
    if recovered:
        after = state(source, HEALTH_FIELDS)
        uow.record("source.recovered", subject=source, use_case=source.use_case, before=before, after=after)


def _failed(source: Source, lease: UUID, error: ConnectorError) -> None:
    """Note a failure; recorded when the health changes, not once more every few minutes."""
    now = timezone.now()
    with unit_of_work(by=SYSTEM) as uow:
        source = lock_rows(Source.objects.filter(pk=source.pk).select_related("use_case__unit")).get()
        if source.lease != lease:
            return
        before, health = state(source, HEALTH_FIELDS), source.health
        source.failures += 1
        source.last_error = error.message[:1000]
        is_broken = source.failures >= BREAK_AFTER
        source.health = Source.Health.BROKEN if is_broken else Source.Health.FAILING
        _release(source, now + backoff(source.every_seconds, source.failures))
        if source.health != health:
            action = "source.broken" if is_broken else "source.failed"
            after = state(source, HEALTH_FIELDS)
            uow.record(action, subject=source, use_case=source.use_case, before=before, after=after)
            if is_broken:
                _tell_broken(source, now)


def _release(source: Source, next_due_at: datetime) -> None:
    source.lease = source.leased_until = None
    source.next_due_at = next_due_at
    source.save(
        update_fields=[
            *HEALTH_FIELDS,
            "watermark",
            "last_success_at",
            "last_count",
            "lease",
            "leased_until",
        ]
    )


def _tell_broken(source: Source, now: datetime) -> None:
    people = {person.pk: person for role in TOLD for person in holders(role=role, use_case=source.use_case)}
    tell(
        recipients=people.values(),
        kind="alert.source_broken",
        title=_("Source stopped after repeated failures: %(name)s") % {"name": source.name},
        body=source.last_error,
        url=reverse("monitoring:source", args=[source.pk]),
        dedupe_key=f"source.broken:{source.pk}:{now.isoformat()}",
    )
