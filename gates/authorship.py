"""Who gave what a snapshot rests on, and who wrote the scope: what stands against a signature of one's own work.

Everything is loaded for however many reviews in a constant number of queries. What a snapshot points to never
changes, so it is read once a process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from gates.models import Review, Snapshot
from governance.models import Document, Evidence, ValidationRun
from ledger.models import Event

SCOPE_ACTIONS = ("use_case.edited", "plan.edited", "kpi.defined", "kpi.edited", "kpi.revised")
"""Events that change what a use case is meant to be, to promise and to cost."""


@dataclass(frozen=True, slots=True)
class Given:
    """One piece of evidence in a snapshot that nobody but its author stands for."""

    author: UUID
    criterion: str
    owner: str
    """Role that answers for the criterion."""
    attested_as: str = ""
    """Role in which it was attested; empty for what is no attestation."""


@dataclass(frozen=True, slots=True)
class _Pointer:
    kind: str
    id: UUID
    criterion: str
    owner: str


def given_in(reviews: Iterable[Review]) -> dict[UUID, tuple[Given, ...]]:
    """review -> evidence, documents and test runs that its snapshot rests on and nobody but their author verified.

    Four queries at most: an attestation is somebody's own word, a document counts as verified once another person
    reviewed or approved it, evidence once another verified it, a run once another signed it.
    """
    wanted = list(reviews)
    pointers = _pointers(wanted)
    ids: dict[str, set[UUID]] = {}
    for found in pointers.values():
        for pointer in found:
            ids.setdefault(pointer.kind, set()).add(pointer.id)
    authors = {kind: load(ids[kind]) for kind, load in _LOADERS.items() if ids.get(kind)}
    return {pk: tuple(_unverified(found, authors)) for pk, found in pointers.items()}


def scope_editors(use_cases: Iterable[UUID]) -> dict[UUID, dict[UUID, datetime]]:
    """use case -> person -> when they last changed its scope, as the ledger has it. One query."""
    rows = Event.objects.filter(
        use_case_id__in=[str(pk) for pk in use_cases], action__in=SCOPE_ACTIONS, actor_id__isnull=False
    )
    found: dict[UUID, dict[UUID, datetime]] = {}
    for use_case, person, at in rows.order_by().values_list("use_case_id", "actor_id").annotate(Max("at")):
        found.setdefault(UUID(use_case), {})[person] = at
    return found


def _unverified(
    pointers: Iterable[_Pointer], authors: Mapping[str, Mapping[UUID, tuple[UUID, str]]]
) -> Iterable[Given]:
    for pointer in pointers:
        author = authors.get(pointer.kind, {}).get(pointer.id)
        if author is not None:
            yield Given(author[0], pointer.criterion, pointer.owner, author[1])


def _evidence(ids: set[UUID]) -> dict[UUID, tuple[UUID, str]]:
    rows = Evidence.objects.filter(pk__in=ids, verified_by__isnull=True)
    return {
        pk: (author, role if kind == "attestation" else "")
        for pk, author, kind, role in rows.values_list("pk", "added_by_id", "kind", "role")
    }


def _documents(ids: set[UUID]) -> dict[UUID, tuple[UUID, str]]:
    rows = Document.objects.filter(pk__in=ids, reviewed_by__isnull=True, approved_by__isnull=True)
    return {pk: (author, "") for pk, author in rows.values_list("pk", "written_by_id")}


def _runs(ids: set[UUID]) -> dict[UUID, tuple[UUID, str]]:
    recorded = ValidationRun.objects.filter(pk__in=ids, recorded_by__isnull=False)
    rows = recorded.values_list("pk", "recorded_by_id", "signed_by_id")
    return {pk: (author, "") for pk, author, signer in rows if signer in (None, author)}


_LOADERS: Mapping[str, Any] = {"evidence": _evidence, "document": _documents, "validation_run": _runs}


def _pointers(reviews: list[Review]) -> dict[UUID, tuple[_Pointer, ...]]:
    """review -> what its current snapshot points to; one query for the snapshots not read before, none otherwise."""
    found = {r.digest: _read.get(r.digest) for r in reviews}
    unread = [r for r in reviews if found[r.digest] is None]
    if unread:
        rows = Snapshot.objects.filter(review__in=[r.pk for r in unread], digest__in={r.digest for r in unread})
        for digest, body in rows.values_list("digest", "body"):
            found[digest] = _parse(body)
            _read.add(digest, found[digest] or ())
    return {r.pk: found[r.digest] or () for r in reviews}


def _parse(body: str) -> tuple[_Pointer, ...]:
    return tuple(
        _Pointer(ref["kind"], UUID(ref["id"]), row["criterion"], row["owner"])
        for row in json.loads(body)["findings"]
        for ref in row["evidence"]
        if ref["kind"] in _LOADERS
    )


class _Read:
    """What snapshots point to, by digest; the oldest are forgotten."""

    MOST = 4000

    def __init__(self) -> None:
        self._kept: dict[str, tuple[_Pointer, ...]] = {}

    def get(self, digest: str) -> tuple[_Pointer, ...] | None:
        return self._kept.get(digest)

    def add(self, digest: str, pointers: tuple[_Pointer, ...]) -> None:
        while len(self._kept) >= self.MOST:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[digest] = pointers


_read = _Read()
