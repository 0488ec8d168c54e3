"""Sources: connected, tried out, paused, resumed. Their secrets are taken in here and come out for a pull only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.errors import Conflict, Invalid
from ledger import state, unit_of_work
from monitoring import pulling, tasks
from monitoring.connector import Connector, ConnectorError, connectors
from monitoring.models import Source
from monitoring.pulling import Preview
from monitoring.secrets import seal
from portfolio.models import UseCase
from portfolio.services.checks import assign, locked, refuse_unknown
from portfolio.services.rights import Actor, demand, person

FIELDS = ("use_case", "name", "connector", "config", "every_seconds", "enabled")
"""What events tell. The secret is not among them: they only say that it was set."""
LEAST_SECONDS = 10
MOST_SECONDS = 31 * 86_400


def connect_source(
    *,
    use_case: UseCase,
    name: str,
    connector: str,
    config: Mapping[str, Any],
    by: Actor,
    secret: Mapping[str, str] | None = None,
    every_seconds: int = 300,
    enabled: bool = True,
) -> Source:
    """Pull metrics from somewhere on a schedule. Raises ``Invalid`` for settings the connector does not accept."""
    demand(by, "monitor.configure", use_case)
    plugin = _connector(connector)
    source = Source(
        use_case=use_case,
        connector=connector,
        config=plugin.check(config),
        secret=seal(plugin.check_secret(secret or {})),
        enabled=enabled,
        created_by=person(by),
    )
    assign(source, {"name": name, "every_seconds": _every(every_seconds)})
    with unit_of_work(by=by) as uow:
        _save(source, force_insert=True)
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
    """Change name, settings or schedule. ``secret`` replaces the stored one; {} takes it away; None keeps it."""
    demand(by, "monitor.configure", source)
    refuse_unknown(changes, ("name", "config", "every_seconds"))
    plugin = _connector(source.connector)
    changes = dict(changes)
    if "config" in changes:
        changes["config"] = plugin.check(changes["config"])
        if secret is None:
            _refuse_another_destination(source, plugin, changes["config"])
    if "every_seconds" in changes:
        changes["every_seconds"] = _every(changes["every_seconds"])
    sealed = None if secret is None else seal(plugin.check_secret(secret))
    with unit_of_work(by=by) as uow:
        source = locked(Source, source.pk, "use_case__unit")
        before = state(source, FIELDS)
        assign(source, changes)
        if state(source, FIELDS) == before and sealed is None:
            return source
        if sealed is not None:
            source.secret = sealed
        _give_a_new_start(source)
        _save(source)
        after = {**state(source, FIELDS), "secret_replaced": sealed is not None}
        uow.record("source.edited", subject=source, use_case=source.use_case, before=before, after=after)
    return source


def pause_source(*, source: Source, by: Actor) -> Source:
    """Stop pulling; a pull under way is finished."""
    return _switch(source, enabled=False, by=by)


def resume_source(*, source: Source, by: Actor) -> Source:
    """Pull again, at once, with a closed breaker."""
    return _switch(source, enabled=True, by=by)


def pull_now(*, source: Source, by: Actor) -> Source:
    """Make the source due and wake a worker."""
    demand(by, "monitor.configure", source)
    with unit_of_work(by=by) as uow:
        source = locked(Source, source.pk, "use_case__unit")
        if not source.enabled:
            raise Conflict(_("The source is paused: resume it first."))
        source.next_due_at = timezone.now()
        source.save(update_fields=["next_due_at"])
        uow.record("source.pull_asked", subject=source, use_case=source.use_case)
        uow.after_commit(lambda: tasks.pull_soon(source.pk))
    return source


def try_source(
    *,
    by: Actor,
    source: Source | None = None,
    use_case: UseCase | None = None,
    connector: str = "",
    config: Mapping[str, Any] | None = None,
    secret: Mapping[str, str] | None = None,
    limit: int = 20,
) -> Preview:
    """The first points of a source, stored or only filled in (use case, connector, config); nothing is stored.

    With a stored source, ``config`` and ``secret`` replace what it has for the try. It speaks to the network: never
    call it inside a transaction.
    """
    demand(by, "monitor.configure", source or use_case)
    plugin = _connector(source.connector if source else connector)
    settings = plugin.check(config if config is not None else source.config if source else {})
    if source and not secret:
        _refuse_another_destination(source, plugin, settings)
    try:
        known = pulling.secret_of(source) if source and not secret else {}
    except ConnectorError as error:
        return Preview([], error.message)
    return pulling.preview(plugin.key, settings, plugin.check_secret(secret) if secret else known, limit=limit)


def _switch(source: Source, *, enabled: bool, by: Actor) -> Source:
    demand(by, "monitor.configure", source)
    with unit_of_work(by=by) as uow:
        source = locked(Source, source.pk, "use_case__unit")
        if source.enabled == enabled:
            raise Conflict(_("The source is running already.") if enabled else _("The source is paused already."))
        source.enabled = enabled
        if enabled:
            _give_a_new_start(source)
            uow.after_commit(lambda: tasks.pull_soon(source.pk))
        _save(source)
        action = "source.resumed" if enabled else "source.paused"
        uow.record(
            action,
            subject=source,
            use_case=source.use_case,
            before={"enabled": not enabled},
            after={"enabled": enabled},
        )
    return source


def _refuse_another_destination(source: Source, plugin: type[Connector], config: Mapping[str, str]) -> None:
    """Who may change an address must not learn the secret by sending it to an address of theirs."""
    if source.secret and plugin.destination(config) != plugin.destination(source.config):
        said = _("The address leads elsewhere: enter the secret again.")
        raise Invalid(said, errors={"url": [said]})


def _give_a_new_start(source: Source) -> None:
    """What failed before may work now: due at once, the breaker closed until it fails again."""
    source.next_due_at, source.failures = timezone.now(), 0


def _save(source: Source, *, force_insert: bool = False) -> None:
    # The lease and the watermark belong to whoever is pulling at this moment.
    fields = (
        None if force_insert else ["name", "config", "secret", "every_seconds", "enabled", "next_due_at", "failures"]
    )
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


def _every(seconds: int) -> int:
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        said = _("Pull every 10 seconds at most, and once a month at least.")
        raise Invalid(said, errors={"every_seconds": [said]})
    return seconds
