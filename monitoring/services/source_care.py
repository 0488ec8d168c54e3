"""What is done with a source that is there: paused, resumed, pulled, read again, cloned, deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.errors import Conflict, Invalid
from ledger import state, unit_of_work
from monitoring import pulling, tasks, windows
from monitoring.models import Source
from monitoring.services.sources import FIELDS, MOST_DAYS, give_a_new_start, save
from portfolio.models import UseCase
from portfolio.services.checks import locked
from portfolio.services.rights import Actor, demand, person


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


def backfill_source(*, source: Source, since: datetime, by: Actor) -> Source:
    """Read everything from ``since`` on once more, in chunks; what is there already changes nothing."""
    demand(by, "monitor.configure", source)
    if not timezone.now() - timedelta(days=MOST_DAYS) <= since < timezone.now():
        said = _("Give a moment in the past, at most %(most)d days ago.") % {"most": MOST_DAYS}
        raise Invalid(said, errors={"since": [said]})
    with unit_of_work(by=by) as uow:
        source = locked(Source, source.pk, "use_case__unit")
        if not source.enabled:
            raise Conflict(_("The source is paused: resume it first."))
        pulling.take_back(source)
        windows.read_again(source, since)
        give_a_new_start(source)
        save(source, "read_through", "catching_up_from", "lease", "leased_until")
        after = {"since": since.isoformat()}
        uow.record("source.backfill_asked", subject=source, use_case=source.use_case, after=after)
        uow.after_commit(lambda: tasks.pull_soon(source.pk))
    return source


def clone_source(*, source: Source, by: Actor, name: str = "", use_case: UseCase | None = None) -> Source:
    """The same settings once more, paused. The secret is not copied: who clones a source need not know it."""
    target = use_case or source.use_case
    demand(by, "monitor.configure", source)
    demand(by, "monitor.configure", target)
    clone = Source(
        use_case=target,
        name=(name.strip() or _free_name(source, target))[:200],
        connector=source.connector,
        config=source.config,
        mapping=source.mapping,
        every_seconds=source.every_seconds,
        history_days=source.history_days,
        enabled=False,
        created_by=person(by),
    )
    with unit_of_work(by=by) as uow:
        save(clone, force_insert=True)
        after = {**state(clone, FIELDS), "has_secret": False, "cloned_from": str(source.pk)}
        uow.record("source.connected", subject=clone, use_case=target, after=after)
    return clone


def delete_source(*, source: Source, by: Actor) -> None:
    """Take the source and its history of pulls away. Its series and their points stay, and will fall silent."""
    demand(by, "monitor.configure", source)
    with unit_of_work(by=by) as uow:
        source = locked(Source, source.pk, "use_case__unit")
        uow.record("source.deleted", subject=source, use_case=source.use_case, before=state(source, FIELDS))
        source.delete()


def _switch(source: Source, *, enabled: bool, by: Actor) -> Source:
    demand(by, "monitor.configure", source)
    with unit_of_work(by=by) as uow:
        source = locked(Source, source.pk, "use_case__unit")
        if source.enabled == enabled:
            raise Conflict(_("The source is running already.") if enabled else _("The source is paused already."))
        source.enabled = enabled
        if enabled:
            give_a_new_start(source)
            uow.after_commit(lambda: tasks.pull_soon(source.pk))
        save(source)
        action = "source.resumed" if enabled else "source.paused"
        uow.record(
            action,
            subject=source,
            use_case=source.use_case,
            before={"enabled": not enabled},
            after={"enabled": enabled},
        )
    return source


def _free_name(source: Source, use_case: UseCase) -> str:
    taken = set(Source.objects.filter(use_case=use_case).values_list("name", flat=True))
    names = [source.name, *(f"{source.name[:190]} ({number})" for number in range(2, 1000))]
    return next((name for name in names if name not in taken), source.name)
