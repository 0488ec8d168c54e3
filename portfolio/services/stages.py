"""Where a use case is in its lifecycle, and how it got there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, state, unit_of_work
from portfolio.lifecycle import ENDED, check_move
from portfolio.models import Stage, StageChange, Status, UseCase
from portfolio.services.checks import locked
from portfolio.services.rights import Actor, demand, person
from portfolio.signals import announce_change

FIELDS = ("stage", "stage_since", "status")


def move_stage(*, use_case: UseCase, to_stage: str, decision_id: UUID | None, by: Actor, reason: str = "") -> UseCase:
    """Move a use case as a gate decision says. The decision is the right to do it, so none is asked for here.

    ``Conflict`` without a decision, and for a move that the lifecycle does not know (it names those it knows).
    """
    if decision_id is None:
        raise Conflict(
            _("A stage changes only by a gate decision."), hint=_("Submit the use case for review at its next gate.")
        )
    with unit_of_work(by=by) as uow:
        fresh = locked(UseCase, use_case.pk, "unit")
        check_move(fresh.stage, to_stage)
        _move(uow, fresh, to_stage, by=by, reason=reason, decision_id=decision_id, at=timezone.now())
    return fresh


def declare_stage(*, use_case: UseCase, to_stage: str, by: Actor, reason: str, at: datetime | None = None) -> UseCase:
    """Take over the stage that an imported inventory states, for a use case that no gate has decided about yet."""
    demand(by, "discovery.import", use_case)
    if to_stage not in Stage.values:
        raise Invalid(_("There is no stage %(stage)s.") % {"stage": to_stage})
    with unit_of_work(by=by) as uow:
        fresh = locked(UseCase, use_case.pk, "unit")
        if fresh.stage_changes.filter(decision_id__isnull=False).exists():
            raise Conflict(
                _("The stage of %(key)s was decided at a gate: an inventory can no longer change it.")
                % {"key": fresh.key}
            )
        if fresh.stage != to_stage:
            _move(uow, fresh, to_stage, by=by, reason=reason, decision_id=None, at=at or timezone.now())
    return fresh


def _move(
    uow: UnitOfWork,
    use_case: UseCase,
    to_stage: str,
    *,
    by: Actor,
    reason: str,
    decision_id: UUID | None,
    at: datetime,
) -> None:
    before = state(use_case, FIELDS)
    change = StageChange(
        use_case=use_case,
        from_stage=use_case.stage,
        to_stage=to_stage,
        at=at,
        by=person(by),
        reason=reason[:500],
        decision_id=decision_id,
    )
    change.save(force_insert=True)
    use_case.stage, use_case.stage_since = to_stage, at
    if to_stage in ENDED:
        use_case.status = Status.CLOSED
    elif use_case.status == Status.CLOSED:
        use_case.status = Status.ACTIVE
    use_case.save(update_fields=[*FIELDS, "updated_at"])
    after = {**state(use_case, FIELDS), "decision_id": decision_id}
    uow.record(
        "use_case.stage_moved", subject=use_case, use_case=use_case, before=before, after=after, note=change.reason
    )
    announce_change(uow, use_case.pk, "stage")
