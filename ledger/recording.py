"""How an event is made: prepared while the unit of work runs, numbered and inserted as its last statements.

Everything that takes time (spelling values, salting, digests) happens in ``prepare``, before the head row is locked.
Under the lock remain two statements and one hash per event, so that writers queue for as little as possible.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from kernel.canonical import canonical_bytes, digest, plain, plain_bytes
from kernel.database import Statement, carry_out, checking_references, insertion
from kernel.errors import Conflict
from ledger.context import LedgerContext
from ledger.merkle import leaf_hash
from ledger.models import Event, Head, PersonalValue
from ledger.states import Personal, diff, safe

FORMAT_VERSION = 1
ACTION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
BATCH = 500


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about: a row (``type`` is then "app.model") or something that has no row."""

    type: str
    id: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who did it, and through which request."""

    actor_id: UUID | None
    actor_kind: str
    context: LedgerContext


@dataclass(frozen=True, slots=True)
class SealedValue:
    """A personal value beside its event; ``field`` is the field of the subject that it belongs to."""

    field: str
    path: str
    salt: str
    value: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that lacks only its index and time."""

    action: str
    subject: Subject
    use_case_id: str | None
    unit_path: str
    origin: Origin
    note: str
    changes: dict[str, Any]
    unchanged: list[str]
    before_digest: str | None
    after_digest: str | None
    sealed: list[SealedValue] = field(default_factory=list)

    def event(self, index: int, at: datetime) -> Event:
        origin, subject = self.origin, self.subject
        body = plain_bytes(self._content(index, at))
        return Event(
            index=index,
            at=at,
            action=self.action,
            subject_type=subject.type,
            subject_id=subject.id,
            subject_label=subject.label,
            use_case_id=self.use_case_id,
            unit_path=self.unit_path,
            actor_id=origin.actor_id,
            actor_kind=origin.actor_kind,
            auth_method=origin.context.auth_method,
            request_id=origin.context.request_id,
            before_digest=self.before_digest,
            after_digest=self.after_digest,
            body=body.decode(),
            leaf_hash=leaf_hash(body).hex(),
        )

    def _content(self, index: int, at: datetime) -> dict[str, Any]:
        """The body, its keys in canonical order already (what nests in it went through ``safe``)."""
        origin, subject = self.origin, self.subject
        return {
            "action": self.action,
            "actor": {
                "auth": origin.context.auth_method,
                "id": str(origin.actor_id) if origin.actor_id else None,
                "kind": origin.actor_kind,
            },
            "after": self.after_digest,
            "at": safe(at),
            "before": self.before_digest,
            "changes": self.changes,
            "index": index,
            "note": self.note,
            "personal": [value.path for value in self.sealed],
            "request": origin.context.request_id,
            "subject": {"id": subject.id, "label": subject.label, "type": subject.type},
            "unchanged": self.unchanged,
            "unit": self.unit_path or None,
            "use_case": self.use_case_id,
            "v": FORMAT_VERSION,
        }


def prepare(
    *,
    action: str,
    subject: Subject,
    use_case_id: str | None,
    unit_path: str,
    origin: Origin,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    note: str,
    earlier: Iterable[Draft],
) -> Draft:
    """A draft of the event. ``earlier`` are the drafts of the same unit: they share salts with this one."""
    if not ACTION.fullmatch(action):
        raise ValueError(f"an action reads like use_case.created, not {action!r}")
    fields = sorted({*(before or {}), *(after or {})})
    sealer = _Sealer(subject, earlier)
    changes = {
        name: {side: sealer.seal(name, value, path=f"/changes/{_escaped(name)}/{side}") for side, value in pair.items()}
        for name, pair in diff(before, after).items()
    }
    return Draft(
        action=action,
        subject=subject,
        use_case_id=use_case_id,
        unit_path=unit_path,
        origin=origin,
        note=note,
        changes=cast(dict[str, Any], plain(changes)),
        unchanged=[name for name in fields if name not in changes],
        before_digest=sealer.digest_of(before, fields),
        after_digest=sealer.digest_of(after, fields),
        sealed=sealer.values,
    )


class Overtaken(Conflict):
    """Somebody else recorded something about what this unit of work read, before it could commit.

    All of it is undone. Whoever can decide anew on what is there now begins again (``again_when_overtaken``).
    """

    code = "overtaken"


@dataclass(frozen=True, slots=True)
class Watch:
    """What one unit of work has read: the record of a use case as it stood before the event ``index`` was written."""

    use_case_id: str
    index: int


def next_index() -> int:
    """The index that the next event gets. Everything below it is committed and can be read."""
    found = Head.objects.filter(pk=Head.SINGLETON).values_list("next_index", flat=True).first()
    return 0 if found is None else int(found)


def append(drafts: Sequence[Draft], watches: Iterable[Watch] = (), owed: Sequence[Statement] = ()) -> None:
    """Carry out what is owed, number the drafts and insert them. From then on to the end other writers wait.

    Raises ``Overtaken`` when an event about something that is watched, or about no use case at all (a role on a unit,
    a policy), was written since: whoever changes a fact records it under this same lock, so what nobody recorded until
    now will be recorded after this unit.
    """
    first = _take(len(drafts), owed)
    for watch in watches:
        _refuse_if_overtaken(watch, first)
    at = timezone.now()
    events = [draft.event(first + n, at) for n, draft in enumerate(drafts)]
    for start in range(0, len(events), BATCH):
        carry_out([insertion(events[start : start + BATCH])])
    personal = [
        PersonalValue(event_id=first + n, path=value.path, salt=value.salt, value=value.value)
        for n, draft in enumerate(drafts)
        for value in draft.sealed
    ]
    if personal:
        PersonalValue.objects.bulk_create(personal, batch_size=BATCH)


def _refuse_if_overtaken(watch: Watch, until: int) -> None:
    since = Event.objects.filter(index__gte=watch.index, index__lt=until)
    if since.filter(Q(use_case_id=watch.use_case_id) | Q(use_case_id__isnull=True)).exists():
        raise Overtaken(
            "Something else about this was recorded at the same moment.", hint="Reload and read what changed."
        )


def _take(count: int, owed: Sequence[Statement]) -> int:
    """Lock the head row and take the next indexes; the first of them is returned."""
    # One statement locks, counts and answers; the lock lasts until the transaction ends.
    numbering = [*checking_references(), Statement(_TAKE, [count, Head.SINGLETON])]
    rows = carry_out([*owed, *numbering])
    if not rows:
        # The very first event. Whoever else is first as well meets this row or waits for it.
        last = Event.objects.order_by("-index").values_list("index", flat=True).first()
        head = Head(id=Head.SINGLETON, next_index=0 if last is None else last + 1)
        Head.objects.bulk_create([head], ignore_conflicts=True)
        rows = carry_out(numbering)
    if not rows:
        raise RuntimeError("the ledger has no head row and none could be made")
    return int(rows[0][0]) - count


_TAKE = "UPDATE ledger_head SET next_index = next_index + %s WHERE id = %s RETURNING next_index"


class _Sealer:
    """Replaces personal values by salted digests, and keeps what was replaced.

    The salt belongs to one field of one subject and is used again as long as it is not erased: otherwise the state
    after one event and before the next would never have the same digest.
    """

    def __init__(self, subject: Subject, earlier: Iterable[Draft]) -> None:
        self.values: list[SealedValue] = []
        self._subject = subject
        self._earlier = earlier
        self._salts: dict[str, str] = {}

    def seal(self, field_name: str, value: Any, *, path: str | None) -> Any:
        """The value with each ``Personal`` in it sealed; with a path, what was sealed is kept for storing."""
        if isinstance(value, Personal):
            salt = self._salt(field_name)
            content = canonical_bytes(value.value)
            if path is not None:
                self.values.append(SealedValue(field_name, path, salt, content.decode()))
            return {"sha256": sealed_digest(salt, content)}
        if isinstance(value, dict):
            return {
                key: self.seal(field_name, item, path=path and f"{path}/{_escaped(key)}") for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.seal(field_name, item, path=path and f"{path}/{n}") for n, item in enumerate(value)]
        return value

    def digest_of(self, state: Mapping[str, Any] | None, fields: Sequence[str]) -> str | None:
        """The digest of a whole state over these fields, personal values sealed: nobody can guess a name from it."""
        if state is None:
            return None
        return digest({name: self.seal(name, safe(state.get(name)), path=None) for name in fields})

    def _salt(self, field_name: str) -> str:
        if field_name not in self._salts:
            self._salts[field_name] = self._known_salt(field_name) or secrets.token_hex(16)
        return self._salts[field_name]

    def _known_salt(self, field_name: str) -> str | None:
        for draft in self._earlier:
            if draft.subject.type == self._subject.type and draft.subject.id == self._subject.id:
                for value in draft.sealed:
                    if value.field == field_name:
                        return value.salt
        stored = PersonalValue.objects.filter(
            event__subject_type=self._subject.type,
            event__subject_id=self._subject.id,
            path__startswith=f"/changes/{_escaped(field_name)}/",
            erased_at__isnull=True,
        )
        return stored.order_by("-event_id").values_list("salt", flat=True).first()


def sealed_digest(salt: str, content: bytes) -> str:
    """What an event holds in place of a personal value: SHA-256 over the salt's bytes and the canonical value."""
    return hashlib.sha256(bytes.fromhex(salt) + content).hexdigest()


def _escaped(token: str) -> str:
    """A key as one token of a JSON Pointer (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")
