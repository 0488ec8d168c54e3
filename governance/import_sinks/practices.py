"""The section ``practices`` of an import profile: what an inventory declares about the practices of a framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from governance.models import PracticeDeclaration
from ledger import UnitOfWork
from portfolio.importing.sink import Declared, DeclaredChange, Sink, sinks

BATCH = 500
ANSWERS: dict[str, Any] = dict(PracticeDeclaration.Answer.choices)


@sinks.register
class Practices(Sink):
    """One declaration a use case and practice; a new answer takes the place of the old one, the event has both."""

    key = "practices"
    target = "practice"
    answers: ClassVar[dict[str, Any]] = ANSWERS

    def standing(self, use_case_ids: Sequence[UUID]) -> dict[UUID, dict[str, Declared]]:
        found: dict[UUID, dict[str, Declared]] = {}
        wanted = set(use_case_ids)
        # Asking for thousands of keys by name costs more than passing over the rest.
        rows = PracticeDeclaration.objects.values_list("use_case_id", "practice", "answer", "detail")
        for use_case_id, practice, answer, detail in rows.iterator():
            if use_case_id in wanted:
                found.setdefault(use_case_id, {})[practice] = Declared(answer, detail)
        return found

    def write(self, changes: Sequence[DeclaredChange], *, uow: UnitOfWork) -> None:
        for start in range(0, len(changes), BATCH):
            _withdraw([each for each in changes[start : start + BATCH] if each.after is None])
        by = None if isinstance(uow.by, str) else uow.by
        rows = [
            PracticeDeclaration(
                use_case_id=each.use_case_id,
                practice=each.target,
                answer=each.after.answer,
                detail=each.after.detail,
                source=each.source,
                declared_at=timezone.now(),
                declared_by_id=by.pk if by else None,
            )
            for each in changes
            if each.after
        ]
        PracticeDeclaration.objects.bulk_create(
            rows,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=("use_case", "practice"),
            update_fields=("answer", "detail", "source", "declared_at", "declared_by"),
        )


def _withdraw(changes: Sequence[DeclaredChange]) -> None:
    """Declarations that the inventory no longer makes."""
    chosen = Q(pk__in=())
    for each in changes:
        chosen |= Q(use_case_id=each.use_case_id, practice=each.target)
    if changes:
        PracticeDeclaration.objects.filter(chosen).delete()
