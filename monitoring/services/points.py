"""Taking in points: pushed by machines in batches, or entered by hand one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import for_user
from accounts.models import User
from kernel.canonical import digest as canonical_digest
from kernel.errors import Invalid
from ledger import UnitOfWork, unit_of_work
from monitoring import ingest, tasks, wire
from monitoring.addressing import Target, find, make_series, version_of
from monitoring.catalogue import metric
from monitoring.ingest import Home, Stored
from monitoring.models import Series
from monitoring.newest import Row
from monitoring.wire import Address, Batch
from portfolio.models import UseCase
from portfolio.services.rights import Actor, demand, person

INGEST, CONFIGURE, VIEW = "monitor.ingest", "monitor.configure", "use_case.view"


def push_points(
    *,
    batch: Batch | Sequence[Mapping[str, Any]],
    by: Actor,
    digest: str = "",
    received_at: datetime | None = None,
    known: dict[Address, Target] | None = None,
) -> Stored:
    """Store a batch, all of it or nothing; rules are judged within seconds.

    ``batch`` was read by ``wire.read``, or is a list of points as mappings (``series`` or ``use_case``, ``metric``,
    ``segment``, ``version``; ``time``, ``value``, ``step``, ``n``, ``unit``). A metric of the catalogue gets its series
    made on the first point. ``digest`` is the SHA-256 of what was sent. ``received_at`` is for histories that are
    taken over from elsewhere, which only the product itself may do. ``known`` are series that the sender was found to
    be allowed to send to, by somebody who knows that this is true still; what is found now is added to it.

    Raises ``Invalid`` that names the point, or ``PermissionDenied``: points are sent by whoever may ``monitor.ingest``
    or ``monitor.configure`` on the use case.
    """
    if received_at is not None and isinstance(by, User):
        raise PermissionDenied(_("When points were received is not for the sender to say."))
    now = received_at or timezone.now()
    checked = batch if isinstance(batch, Batch) else wire.check(batch, now=now)
    found = {} if known is None else known
    if missing := [address for address in checked.addresses if address not in found]:
        found.update(_found(missing, by))
    with unit_of_work(by=by) as uow:
        targets = [found.get(address) or _made(uow, checked, address, by) for address in checked.addresses]
        _check_units(checked, targets)
        stored = Stored()
        for home, rows in _by_home(checked, targets):
            sha256 = digest or canonical_digest([[*row[:3], repr(row[3])] for row in rows])
            stored.add(ingest.store(uow, rows, home=home, digest=sha256, now=now, sent_by=person(by)))
        uow.after_commit(lambda: tasks.judge_soon(stored.to_judge))
    return stored


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was stored, and of what was not: its place in what was sent, and why."""

    stored: Stored
    refused: dict[int, str]


def push_fitting_points(
    *, points: Sequence[Mapping[str, Any]], by: Actor, digest: str, known: dict[Address, Target] | None = None
) -> Fitted:
    """Store what can be stored of ``points`` (mappings as in ``push_points``) and say why the rest cannot.

    For protocols whose senders repeat everything or nothing, such as OpenTelemetry's.
    """
    now = timezone.now()
    batch, kept, refused = wire.check_each(points, now=now)
    found = {} if known is None else known
    if missing := [address for address in batch.addresses if address not in found]:
        found.update(_found_each(missing, by))
    with unit_of_work(by=by) as uow:
        fitting: dict[Home, dict[tuple[int, str, int], Row]] = {}
        targets = [_target_or_reason(uow, batch, address, found, by) for address in range(len(batch.addresses))]
        for place, (address, time, step, value, n) in zip(kept, batch.entries, strict=True):
            target = targets[address]
            if isinstance(target, str):
                refused[place] = target
                continue
            row = (target.series_id, time, step, value, n)
            if fitting.setdefault(target.home, {}).setdefault(row[:3], row) != row:
                refused[place] = _("It contradicts an earlier point with the same series, time and step.")
        stored = Stored()
        for home in sorted(fitting, key=lambda home: home.use_case_id):
            rows = list(fitting[home].values())
            stored.add(ingest.store(uow, rows, home=home, digest=digest, now=now, sent_by=person(by)))
        uow.after_commit(lambda: tasks.judge_soon(stored.to_judge))
    return Fitted(stored, dict(sorted(refused.items())))


def _found_each(addresses: Sequence[Address], by: Actor) -> dict[Address, Target]:
    """As ``_found``; an address that fits several series spoils only itself."""
    try:
        return _found(addresses, by)
    except Invalid:
        if len(addresses) == 1:
            return {}
        return {key: target for address in addresses for key, target in _found_each([address], by).items()}


def _target_or_reason(
    uow: UnitOfWork, batch: Batch, index: int, found: Mapping[Address, Target], by: Actor
) -> Target | str:
    address = batch.addresses[index]
    try:
        target = found.get(address) or _made(uow, batch, address, by)
    except Invalid as error:
        return wire.reason_of(error)
    except PermissionDenied as error:
        return str(error)
    if index in batch.units and batch.units[index][0] != target.unit:
        return _wrong_unit(target.unit, batch.units[index][0])
    return target


def record_point(
    *, series: Series, time: datetime, value: float, by: Actor, step: int = 0, n: int | None = None
) -> Stored:
    """Enter one value by hand. A value for a time that has one already becomes its next revision."""
    demand(by, CONFIGURE, series)
    point = {"series": series.pk, "time": time, "value": value, "step": step, "n": n}
    return push_points(batch=[point], by=by)


def _found(addresses: Sequence[Address], by: Actor) -> dict[Address, Target]:
    """The series that the sender may send to."""
    if not isinstance(by, User):
        return find(Series.objects.all(), addresses)
    found = find(for_user(Series.objects.all(), by, INGEST), addresses)
    missing = [address for address in addresses if address not in found]
    return found | find(for_user(Series.objects.all(), by, CONFIGURE), missing) if missing else found


def _made(uow: UnitOfWork, batch: Batch, address: Address, by: Actor) -> Target:
    """The series of an address that was not found, made now if that is allowed; else the reason why not."""
    index = next(i for i, entry in enumerate(batch.entries) if batch.addresses[entry[0]] == address)
    if address.series is not None:
        if _sees(by, address.series):
            raise PermissionDenied(_("You may see series %(pk)d but not send to it.") % {"pk": address.series})
        batch.refuse(index, "series", _("There is no series %(pk)d.") % {"pk": address.series})
    use_case = _use_case(batch, index, address.use_case, by)
    if metric(address.metric) is None:
        said = _("%(key)s has no series %(metric)s, and the catalogue has no such metric.")
        batch.refuse(index, "metric", said % {"key": use_case.key, "metric": address.metric})
    try:
        version = version_of(use_case, address.version)
    except Invalid as error:
        batch.refuse(index, "version", error.message)
    series = make_series(uow, use_case=use_case, metric_key=address.metric, segment=address.segment, version=version)
    return Target(series.pk, series.unit, Home(use_case.pk, use_case.unit.path))


def _sees(by: Actor, series_id: int) -> bool:
    return isinstance(by, User) and for_user(Series.objects.filter(pk=series_id), by, VIEW).exists()


def _use_case(batch: Batch, index: int, key: str, by: Actor) -> UseCase:
    rows = UseCase.objects.filter(key=key).select_related("unit")
    if not isinstance(by, User):
        use_case = rows.first()
    else:
        use_case = for_user(rows, by, INGEST).first() or for_user(rows, by, CONFIGURE).first()
        if use_case is None and for_user(rows, by, VIEW).exists():
            raise PermissionDenied(_("You may see %(key)s but not send metrics to it.") % {"key": key})
    if use_case is None:
        batch.refuse(index, "use_case", _("There is no use case %(key)s.") % {"key": key})
    return use_case


def _check_units(batch: Batch, targets: Sequence[Target]) -> None:
    for address, (unit, index) in batch.units.items():
        expected = targets[address].unit
        if unit != expected:
            batch.refuse(index, "unit", _wrong_unit(expected, unit))


def _wrong_unit(expected: str, unit: str) -> str:
    said = _("The series is in %(expected)s, not in %(unit)s.")
    return said % {"expected": expected or _("no unit"), "unit": unit or _("no unit")}


def _by_home(batch: Batch, targets: Sequence[Target]) -> list[tuple[Home, Sequence[Row]]]:
    """The rows of each use case, every key once, in the order in which everybody stores them."""
    ids = [target.series_id for target in targets]
    rows, contradiction = ingest.unique(
        [(ids[address], time, step, value, n) for address, time, step, value, n in batch.entries]
    )
    if contradiction is not None:
        said = _("It contradicts an earlier point of the batch with the same series, time and step.")
        batch.refuse(contradiction, "value", said)
    homes = {target.series_id: target.home for target in targets}
    if len(set(homes.values())) == 1:
        return [(targets[0].home, rows)]
    grouped: dict[Home, list[Row]] = {}
    for row in rows:
        grouped.setdefault(homes[row[0]], []).append(row)
    return sorted(grouped.items(), key=lambda group: group[0].use_case_id)
