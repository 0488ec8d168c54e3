"""What the ledger holds of a verdict, and when: two who review one output must not read each other there either.

A verdict on an output whose other review is owed is recorded by its digest alone, over all that was said and a salt.
When no review of the output waits any more, a second event tells what was said, and the salt: whoever hashes it gets
the digest of the first. So nothing can be changed in between, and nothing can be read before its time.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import timezone

from kernel.canonical import digest
from ledger import UnitOfWork, state
from monitoring.models import Output, ReviewItem, Verdict

SAID = ("item", "kind", "reason_code", "reason", "corrected", "reviewer", "at", "seconds", "takes_back")
UNTOLD = ("item", "reviewer", "at", "seconds")
WAITING = ReviewItem.ItemState.WAITING


def seal(uow: UnitOfWork, verdict: Verdict, action: str) -> None:
    """Store a new verdict with its digest, and record it: in full, or by its digest while somebody may not read it."""
    output = verdict.item.output
    others = ReviewItem.objects.filter(output=output, state=WAITING).exclude(pk=verdict.item_id)
    is_secret = verdict.kind != Verdict.Kind.WITHDRAWN and others.exists()
    verdict.salt = secrets.token_hex(16) if is_secret else ""
    verdict.told_at = None if is_secret else verdict.at
    verdict.sha256 = digest(sealed_content(verdict))
    verdict.save(force_insert=True)
    after = _told(verdict) if not is_secret else {**state(verdict, UNTOLD), **_bound(verdict)}
    uow.record(action, subject=verdict, use_case=output.use_case, after=after)


def tell(uow: UnitOfWork, outputs: Sequence[UUID]) -> int:
    """Tell the ledger what was said of these outputs where no review is owed any more. Returns of how many verdicts."""
    owed = ReviewItem.objects.filter(output=OuterRef("item__output"), state=WAITING)
    rows = Verdict.objects.filter(item__output__in=outputs, told_at__isnull=True).exclude(Exists(owed))
    untold = list(rows.select_related("item__output__use_case__unit").order_by("at", "pk"))
    for verdict in untold:
        verdict.told_at = timezone.now()
        verdict.save(update_fields=["told_at"])
        uow.record("output.verdict_told", subject=verdict, use_case=verdict.item.output.use_case, after=_told(verdict))
    return len(untold)


def sealed_content(verdict: Verdict) -> dict[str, Any]:
    """What the digest of a verdict is made of: its canonical JSON, hashed with SHA-256."""
    output: Output = verdict.item.output
    content = {"output": output.content_sha256, "external_id": output.external_id, **state(verdict, SAID)}
    return {**content, "salt": verdict.salt} if verdict.salt else content


def _told(verdict: Verdict) -> dict[str, Any]:
    salt = {"salt": verdict.salt} if verdict.salt else {}
    return {**state(verdict, SAID), **_bound(verdict), **salt}


def _bound(verdict: Verdict) -> dict[str, Any]:
    output = verdict.item.output
    return {"sha256": verdict.sha256, "output": str(output.pk), "output_sha256": output.content_sha256}
