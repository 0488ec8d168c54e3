"""What happens is recorded with it: one unit of work is one transaction and the events that tell of it.

    with unit_of_work(by=user) as uow:
        use_case.save(update_fields=["name"])
        uow.record("use_case.renamed", subject=use_case, use_case=use_case, before=before, after=after)

The events are written as the last statements of the outermost unit, under the locked head row. If the transaction
commits they are there; if it rolls back nothing of them remains, not even a gap in their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from kernel.database import Statement, carry_out, lock_rows
from ledger.context import SYSTEM, current_context
from ledger.models import PersonalValue
from ledger.recording import Draft, Origin, Overtaken, Subject, Watch, append, next_index, prepare

DEFAULT_KIND = "person"
ATTEMPTS = 8
P = ParamSpec("P")
R = TypeVar("R")


class Actor(Protocol):
    """A person or a machine with an account: ``pk`` is a UUID, ``kind`` (if there is one) says which."""

    @property
    def pk(self) -> Any: ...


class UnitOfWork:
    """Collects the events of one transaction. Made by ``unit_of_work`` only."""

    def __init__(self, by: Actor | str, drafts: list[Draft], watches: list[Watch], owed: list[Statement]) -> None:
        self.by = by
        self._drafts = drafts
        self._watches = watches
        self._owed = owed
        self._open = True

    def record(
        self,
        action: str,
        *,
        subject: models.Model | Subject,
        use_case: object | None = None,
        unit: object | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        note: str = "",
    ) -> None:
        """Tell of one change: ``action`` as ``noun.verb_past``, and the subject's fields before and after.

        ``use_case`` and ``unit`` say under which they are found; without a unit the use case's own is taken. What is
        given is read now: later changes of the objects do not show. Personal values are wrapped in ``Personal``.
        """
        if not self._open:
            raise RuntimeError(f"{action} was recorded after its unit of work had ended.")
        draft = prepare(
            action=action,
            subject=_subject(subject),
            use_case_id=_use_case_id(use_case),
            unit_path=_unit_path(unit if unit is not None else getattr(use_case, "unit", None)),
            origin=_origin(self.by),
            before=before,
            after=after,
            note=str(note),
            earlier=self._drafts,
        )
        self._drafts.append(draft)

    def watch(self, use_case: object) -> None:
        """From here on, what this unit reads of a use case has to be true still when it commits.

        Say it before reading. If somebody else's change of that use case (or of what concerns none, such as a role on
        a unit) is committed between the reading and this unit's own events, the unit ends with ``Overtaken`` and
        leaves nothing behind. Without it PostgreSQL would let a decision rest on facts that were replaced while it
        was made; SQLite knows one writer at a time.
        """
        self._watches.append(Watch(str(_use_case_id(use_case)), next_index()))

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call this once the outermost transaction has committed; never, if this unit is rolled back."""
        if not self._open:
            raise RuntimeError("after_commit was called after its unit of work had ended.")
        transaction.on_commit(callback)

    def write_at_end(self, sql: str, values: Sequence[Any]) -> None:
        """Write this just before the events, on PostgreSQL in one round trip with what numbers them.

        For what is written with each of very many calls and not read again in this unit; until then nobody sees it.
        Whoever may come twice in one unit says ``write_now`` before reading.
        """
        self._owed.append(Statement(sql, values))

    def write_now(self) -> None:
        """Write what was put off until the end."""
        carry_out(self._owed)
        self._owed.clear()

    def close(self) -> None:
        self._open = False


_current: ContextVar[UnitOfWork | None] = ContextVar("ledger_unit_of_work", default=None)


@contextmanager
def unit_of_work(*, by: Actor | str | None) -> Iterator[UnitOfWork]:
    """Open a transaction whose changes are recorded as done by ``by``: an account, or ``ledger.SYSTEM``.

    Inside another unit it joins that one: its events come with the outer ones, and it may leave ``by`` to it. If it
    fails and the outer one goes on, its changes and its events are undone together (it runs in a savepoint).
    """
    outer = _current.get()
    if outer is None:
        with _outermost(_known(by)) as uow:
            yield uow
    else:
        with _joined(outer, by) as uow:
            yield uow


def again_when_overtaken(service: Callable[P, R]) -> Callable[P, R]:
    """A service that watches what it reads begins again when somebody else was faster, a few times at most.

    Inside somebody else's unit of work it cannot: there ``Overtaken`` ends all of that unit.
    """

    @wraps(service)
    def carried_out(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return service(*args, **kwargs)
            except Overtaken:
                if attempt == ATTEMPTS or _current.get() is not None:
                    raise
        raise AssertionError("unreachable")

    return carried_out


def erase_personal_values(
    values: models.QuerySet[PersonalValue], *, by: Actor | str, subject: models.Model | Subject, note: str = ""
) -> int:
    """Erase personal values for good, salts included; the events keep digests that nothing can be matched with.

    ``subject`` is whom or what the erasure is about. Returns how many values were erased.
    """
    with unit_of_work(by=by) as uow:
        ids = list(lock_rows(values.filter(erased_at__isnull=True)).values_list("pk", flat=True))
        if ids:
            PersonalValue.objects.filter(pk__in=ids).update(salt="", value="", erased_at=timezone.now())
            uow.record("personal_values.erased", subject=subject, after={"values": len(ids)}, note=note)
    return len(ids)


@contextmanager
def _outermost(by: Actor | str) -> Iterator[UnitOfWork]:
    drafts: list[Draft] = []
    watches: list[Watch] = []
    owed: list[Statement] = []
    uow = UnitOfWork(by, drafts, watches, owed)
    with transaction.atomic():
        # Reset before the transaction ends: what runs on commit is no part of this unit.
        token = _current.set(uow)
        try:
            yield uow
        finally:
            uow.close()
            _current.reset(token)
        if drafts:
            append(drafts, watches, owed)
        else:
            carry_out(owed)


@contextmanager
def _joined(outer: UnitOfWork, by: Actor | str | None) -> Iterator[UnitOfWork]:
    drafts = outer._drafts
    before = len(drafts)
    outer.write_now()  # what is put off from here on belongs to this unit and is undone with it
    uow = UnitOfWork(outer.by if by is None else _known(by), drafts, outer._watches, outer._owed)
    token = _current.set(uow)
    try:
        with transaction.atomic():
            yield uow
    except BaseException:
        del drafts[before:]
        outer._owed.clear()
        raise
    finally:
        uow.close()
        _current.reset(token)


def _known(by: Actor | str | None) -> Actor | str:
    if by is None or (isinstance(by, str) and by != SYSTEM) or getattr(by, "pk", SYSTEM) is None:
        raise TypeError(f"a unit of work needs an account or ledger.SYSTEM, not {by!r}")
    return by


def _origin(by: Actor | str) -> Origin:
    context = current_context()
    if isinstance(by, str):
        return Origin(None, SYSTEM, context)
    actor_id = by.pk if isinstance(by.pk, UUID) else UUID(str(by.pk))
    return Origin(actor_id, str(getattr(by, "kind", DEFAULT_KIND)), context)


def _subject(subject: models.Model | Subject) -> Subject:
    if isinstance(subject, Subject):
        return subject
    if subject.pk is None:
        raise ValueError(f"{subject._meta.label} has no key yet: save it before recording it")
    # Labels cannot be erased: a model that would print a person's name declares ``ledger_label`` instead.
    label = getattr(subject, "ledger_label", None)
    text = str(subject if label is None else label).replace("\x00", "")
    return Subject(subject._meta.label_lower, str(subject.pk), text[:200])


def _use_case_id(use_case: object | None) -> str | None:
    return None if use_case is None else str(getattr(use_case, "pk", use_case))


def _unit_path(unit: object | None) -> str:
    return "" if unit is None else str(getattr(unit, "path", unit))
