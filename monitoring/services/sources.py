"""Sources: connected, changed, tried out. Their secrets are taken in here and come out for a pull only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, state, unit_of_work
from monitoring import pulling, tasks
from monitoring.connector import Connector, ConnectorError, connectors
from monitoring.mapping import checked
from monitoring.models import Source
from monitoring.pulling import Preview
from monitoring.secrets import seal
from portfolio.models import UseCase
from portfolio.services.checks import assign, locked, refuse_unknown
from portfolio.services.rights import Actor, demand, person

FIELDS = ("use_case", "name", "connector", "config", "mapping", "every_seconds", "history_days", "enabled")
"""What events tell. The secret is not among them: they only say that it was set."""
OWN_FIELDS = (
    "name",
    "config",
    "mapping",
    "secret",
    "every_seconds",
    "history_days",
    "enabled",
    "next_due_at",
    "failures",
)
LEAST_SECONDS = 10
MOST_SECONDS = 31 * 86_400
MOST_DAYS = 3660


def connect_source(
    *,
    use_case: UseCase,
    name: str,
    connector: str,
    config: Mapping[str, Any],
    by: Actor,
    secret: Mapping[str, str] | None = None,
    every_seconds: int = 300,
    history_days: int = 7,
    mapping: Sequence[Mapping[str, Any]] = (),
    enabled: bool = True,
) -> Source:
    """Pull metrics from somewhere on a schedule. Raises ``Invalid`` for settings the connector does not accept."""
    demand(by, "monitor.configure", use_case)
    plugin = _connector(connector)
    source = Source(
        use_case=use_case,
        connector=connector,
        config=plugin.check(config),
        mapping=checked(mapping),
        history_days=_days(history_days),
        secret=seal(plugin.check_secret(secret or {})),
        enabled=enabled,
        created_by=person(by),
    )
    assign(source, {"name": name, "every_seconds": _every(every_seconds)})
    with unit_of_work(by=by) as uow:
        save(source, force_insert=True)
        uow.record(
            "source.connected",
            subject=source,
            use_case=use_case,
            after={**state(source, FIELDS), "has_secret": bool(source.secret)},
        )
        if enabled:
            uow.after_commit(lambda: tasks.pull_soon(source.pk))
    return source


def edit_source(
    *, source: Source, changes: Mapping[str, Any], by: Actor, secret: Mapping[str, str] | None = None
) -> Source:
    """Change name, settings, mapping or schedule. ``secret`` replaces the stored one; {} takes it away; None keeps it.

    Under other settings the source is read again as far back as a first pull would.
    """
    demand(by, "monitor.configure", source)
    refuse_unknown(changes, ("name", "config", "mapping", "every_seconds", "history_days"))
    plugin = _connector(source.connector)
    changes = dict(changes)
    if "config" in changes:
        changes["config"] = plugin.check(changes["config"])
        if secret is None:
            _refuse_another_destination(source, plugin, changes["config"])
    if "mapping" in changes:
        changes["mapping"] = checked(changes["mapping"])
    if "every_seconds" in changes:
        changes["every_seconds"] = _every(changes["every_seconds"])
    if "history_days" in changes:
        changes["history_days"] = _days(changes["history_days"])
    sealed = None if secret is None else seal(plugin.check_secret(secret))
    with unit_of_work(by=by) as uow:
        source = locked(Source, source.pk, "use_case__unit")
        before = state(source, FIELDS)
        assign(source, changes)
        if state(source, FIELDS) == before and sealed is None:
            return source
        if sealed is not None:
            source.secret = sealed
        give_a_new_start(source)
        if any(before[name] != state(source, (name,))[name] for name in ("config", "mapping")):
            _begin_anew(uow, source)
        save(source)
        after = {**state(source, FIELDS), "secret_replaced": sealed is not None}
        uow.record("source.edited", subject=source, use_case=source.use_case, before=before, after=after)
    return source


def try_source(
    *,
    by: Actor,
    source: Source | None = None,
    use_case: UseCase | None = None,
    connector: str = "",
    config: Mapping[str, Any] | None = None,
    secret: Mapping[str, str] | None = None,
    mapping: Sequence[Mapping[str, Any]] | None = None,
    limit: int = 20,
) -> Preview:
    """The first points of a source, stored or only filled in (use case, connector, config); nothing is stored.

    With a stored source, ``config`` and ``secret`` replace what it has for the try. It speaks to the network: never
    call it inside a transaction.
    """
    demand(by, "monitor.configure", source or use_case)
    plugin = _connector(source.connector if source else connector)
    named = checked(mapping if mapping is not None else source.mapping if source else ())
    settings = plugin.check(config if config is not None else source.config if source else {})
    if source and not secret:
        _refuse_another_destination(source, plugin, settings)
    try:
        known = pulling.secret_of(source) if source and not secret else {}
    except ConnectorError as error:
        return Preview([], error.message, kind=error.kind)
    given = plugin.check_secret(secret) if secret else known
    return pulling.preview(plugin.key, settings, given, named=named, limit=limit)


def _refuse_another_destination(source: Source, plugin: type[Connector], config: Mapping[str, str]) -> None:
    """Who may change an address must not learn the secret by sending it to an address of theirs."""
    if source.secret and plugin.destination(config) != plugin.destination(source.config):
        said = _("The address leads elsewhere: enter the secret again.")
        raise Invalid(said, errors={"url": [said]})


def _begin_anew(uow: UnitOfWork, source: Source) -> None:
    """What an earlier configuration gave says nothing of this one: read again, and let no pull of the former store."""
    if source.read_through:
        earliest = timezone.now() - timedelta(days=source.history_days)
        source.read_through = source.catching_up_from = min(source.read_through, earliest)
    pulling.take_back(source)
    source.save(update_fields=["read_through", "catching_up_from", "lease", "leased_until"])
    uow.after_commit(lambda: tasks.pull_soon(source.pk))


def give_a_new_start(source: Source) -> None:
    """What failed before may work now: due at once, the breaker closed until it fails again."""
    source.next_due_at, source.failures = timezone.now(), 0


def save(source: Source, *more: str, force_insert: bool = False) -> None:
    """Save what people set, and ``more``. Lease and watermark otherwise belong to whoever is pulling at this moment."""
    fields = None if force_insert else [*OWN_FIELDS, *more]
    try:
        with transaction.atomic():
            source.save(force_insert=force_insert, update_fields=fields)
    except IntegrityError:
        raise Conflict(_("The use case has a source called %(name)s already.") % {"name": source.name}) from None


def _connector(key: str) -> type[Connector]:
    if key not in connectors:
        said = _("Choose one of: %(known)s.") % {"known": ", ".join(connectors.keys())}
        raise Invalid(said, errors={"connector": [said]})
    return connectors.get(key)


def _days(days: int) -> int:
    if not 0 <= days <= MOST_DAYS:
        said = _("Give 0 to %(most)d days.") % {"most": MOST_DAYS}
        raise Invalid(said, errors={"history_days": [said]})
    return days


def _every(seconds: int) -> int:
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        said = _("Pull every 10 seconds at most, and once a month at least.")
        raise Invalid(said, errors={"every_seconds": [said]})
    return seconds
