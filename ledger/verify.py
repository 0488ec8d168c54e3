"""Does the ledger still say what it said? Every event is read, recomputed and compared.

Memory does not grow with the number of events: they are read in chunks, the Merkle root needs one hash per bit of
their number, and of the problems only the first are kept.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import F, Max, Q, Subquery, Window
from django.db.models.functions import Lag

from kernel.canonical import canonical_bytes, plain
from ledger.merkle import Frontier, leaf_hash
from ledger.models import Event, Head, PersonalValue
from ledger.recording import FORMAT_VERSION, sealed_digest
from ledger.triggers import NAMES, TABLE

CHUNK = 500
KEPT = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not hold. ``index`` is None for what concerns the ledger as a whole."""

    index: int | None
    check: str
    message: str


@dataclass(slots=True)
class Report:
    """What was found. ``root`` is the RFC 6962 root hash over the bodies as they are stored now."""

    events: int = 0
    root: str = ""
    personal_matching: int = 0
    personal_redacted: int = 0
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.problem_count == 0

    def add(self, index: int | None, check: str, message: str) -> None:
        self.problem_count += 1
        if len(self.problems) < KEPT:
            self.problems.append(Problem(index, check, message))

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "events": self.events,
            "root": self.root,
            "personal": {"matching": self.personal_matching, "redacted": self.personal_redacted},
            "problem_count": self.problem_count,
            "problems": [{"index": p.index, "check": p.check, "message": p.message} for p in self.problems],
        }


def verify() -> Report:
    """Check the events that were there when it began; writers may go on meanwhile."""
    report = Report()
    size = _check_head(report)
    _check_triggers(report)
    frontier = Frontier()
    expected = 0
    for events in _chunks(size):
        personal = _personal_of(events)
        for event in events:
            if event.index != expected:
                report.add(expected, "gap", f"index {expected} is missing: the next event is {event.index}")
            expected = event.index + 1
            frontier.append(leaf_hash(event.body.encode()))
            _check_event(event, personal.get(event.index, []), report)
    if expected < size:
        report.add(expected, "gap", f"index {expected} is missing: the head counts {size} events")
    _check_chains(size, report)
    report.events = frontier.size
    report.root = frontier.root().hex()
    return report


def _check_head(report: Report) -> int:
    """How many events there are to check: as many as the head says, or as there are."""
    stored = Event.objects.aggregate(last=Max("index"))["last"]
    head = Head.objects.filter(pk=Head.SINGLETON).annotate(last=_last_index()).values_list("next_index", "last").first()
    if head is None:
        if stored is not None:
            report.add(None, "head", "the head row is missing although there are events")
        return 0 if stored is None else int(stored) + 1
    next_index, last = head
    if next_index != (-1 if last is None else last) + 1:
        report.add(None, "head", f"the head says that {next_index} comes next, the last event is {last}")
    return max(int(next_index), 0 if last is None else int(last) + 1)


def _last_index() -> Any:
    """The last index as a subquery: head and events are then read at one moment."""
    return Subquery(Event.objects.order_by("-index").values("index")[:1])


def _check_triggers(report: Report) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled IN ('O', 'A')", [TABLE]
            )
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [TABLE])
        present = {str(name) for (name,) in cursor.fetchall()}
    for name in NAMES.get(connection.vendor, ()):
        if name not in present:
            report.add(None, "trigger", f"the trigger {name} is missing or disabled: events are not protected")


def _chunks(size: int) -> Iterator[list[Event]]:
    start = 0
    while chunk := list(Event.objects.filter(index__gte=start, index__lt=size).order_by("index")[:CHUNK]):
        yield chunk
        start = chunk[-1].index + 1


def _personal_of(events: list[Event]) -> Mapping[int, list[PersonalValue]]:
    found: dict[int, list[PersonalValue]] = defaultdict(list)
    for value in PersonalValue.objects.filter(event_id__gte=events[0].index, event_id__lte=events[-1].index):
        found[value.event_id].append(value)
    return found


def _check_event(event: Event, personal: list[PersonalValue], report: Report) -> None:
    body = event.body.encode()
    if leaf_hash(body).hex() != event.leaf_hash:
        report.add(event.index, "leaf_hash", "the body does not have the leaf hash that was stored with it")
    try:
        content = json.loads(body)
        canonical = canonical_bytes(content) == body
    except (ValueError, TypeError):
        report.add(event.index, "body", "the body is not canonical JSON")
        return
    if not canonical or not isinstance(content, dict) or content.get("v") != FORMAT_VERSION:
        report.add(event.index, "body", f"the body is not canonical JSON of version {FORMAT_VERSION}")
        return
    try:
        told = _columns_told_by(content)
        for column, value in told.items():
            if _stored(event, column) != value:
                report.add(event.index, "columns", f"{column} is not what the body says")
        _check_personal(event, content, personal, report)
    except (KeyError, TypeError, AttributeError):
        report.add(event.index, "body", "the body lacks what an event has")


def _columns_told_by(content: Mapping[str, Any]) -> dict[str, Any]:
    """The columns as the body has them, in the body's spelling."""
    return {
        "index": content["index"],
        "at": content["at"],
        "action": content["action"],
        "subject_type": content["subject"]["type"],
        "subject_id": content["subject"]["id"],
        "subject_label": content["subject"]["label"],
        "use_case_id": content["use_case"],
        "unit_path": content["unit"] or "",
        "actor_id": content["actor"]["id"],
        "actor_kind": content["actor"]["kind"],
        "auth_method": content["actor"]["auth"],
        "request_id": content["request"],
        "before_digest": content["before"],
        "after_digest": content["after"],
    }


def _stored(event: Event, column: str) -> object:
    return plain(getattr(event, column))


def _check_personal(event: Event, content: Mapping[str, Any], values: list[PersonalValue], report: Report) -> None:
    stored = {value.path: value for value in values}
    for path in content["personal"]:
        value = stored.pop(path, None)
        if value is None or value.erased_at is not None:
            report.personal_redacted += 1
        elif _matches(content, path, value):
            report.personal_matching += 1
        else:
            report.add(event.index, "personal", f"the personal value at {path} is not the one that was recorded")
    for path in stored:
        report.add(event.index, "personal", f"the event has no personal value at {path}")


def _matches(content: Mapping[str, Any], path: str, value: PersonalValue) -> bool:
    try:
        return bool(_at(content, path) == {"sha256": sealed_digest(value.salt, value.value.encode())})
    except (LookupError, ValueError, TypeError):
        return False


def _at(content: Any, path: str) -> Any:
    """What a JSON Pointer (RFC 6901) points to."""
    for token in path.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        content = content[int(key)] if isinstance(content, list) else content[key]
    return content


def _check_chains(size: int, report: Report) -> None:
    """Each event's before is the after of its subject's previous event, as far as both tell of the same fields.

    The database pairs the events and returns the pairs whose digests differ; most of those speak of other fields.
    """
    of_subject: Any = {"partition_by": [F("subject_type"), F("subject_id")], "order_by": "index"}
    telling = Event.objects.filter(Q(before_digest__isnull=False) | Q(after_digest__isnull=False), index__lt=size)
    broken = (
        telling.annotate(
            previous=Window(Lag("index"), **of_subject), previous_digest=Window(Lag("after_digest"), **of_subject)
        )
        .filter(before_digest__isnull=False, previous_digest__isnull=False)
        .exclude(before_digest=F("previous_digest"))
        .order_by("index")
        .values_list("index", "previous")
    )
    for index, previous in broken.iterator(chunk_size=CHUNK):
        _check_link(Event.objects.get(pk=previous), Event.objects.get(pk=index), report)


def _check_link(previous: Event, event: Event, report: Report) -> None:
    try:
        old, new = previous.content, event.content
        same_fields = _fields(old) == _fields(new)
        # Null is also what a side that leaves a field out has there, so it contradicts nothing.
        was = {name: pair["after"] for name, pair in old["changes"].items() if pair["after"] is not None}
        said = {name: pair["before"] for name, pair in new["changes"].items() if pair["before"] is not None}
        complete = len(was) == len(old["changes"]) and len(said) == len(new["changes"])
        differing = [name for name in was.keys() & said.keys() if was[name] != said[name]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # reported already: the body is not one
    if not (differing or (same_fields and complete)) or _has_redacted_values(event):
        return
    what = f"the fields {', '.join(sorted(differing))}" if differing else "its state"
    report.add(
        event.index, "chain", f"{what} changed between event {previous.index} and this one without an event telling it"
    )


def _fields(content: Mapping[str, Any]) -> set[str]:
    return {*content["changes"], *content["unchanged"]}


def _has_redacted_values(event: Event) -> bool:
    """With the salts erased, states before and after the erasure cannot be compared any more."""
    return PersonalValue.objects.filter(
        event__subject_type=event.subject_type, event__subject_id=event.subject_id, erased_at__isnull=False
    ).exists()
