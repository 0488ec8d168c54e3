"""The five steps of a use case: passed gates with date and decision, where it is, what lies ahead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from portfolio.lifecycle import ENDED, TRACK, position
from portfolio.models import Stage, StageChange, Status, UseCase
from portfolio.panel import DecisionName, decision_names


def changes_of(use_case: UseCase) -> list[StageChange]:
    """Every move of a use case, oldest first. One query."""
    return list(use_case.stage_changes.order_by("at", "pk"))


def steps(use_case: UseCase, changes: Sequence[StageChange] = ()) -> list[dict[str, Any]]:
    """Steps for the stage track component. With ``changes`` the passed ones carry date and decision.

    A use case that has ended shows how far it came: the last stage of the way forward is marked as stopped.
    """
    ended = use_case.stage in ENDED
    here = _last_stage(changes) if ended else position(use_case.stage)
    passed = _passed(changes)
    return [
        {"label": stage.label, "state": "future"}
        if place > here
        else {"label": stage.label, "state": "passed", **passed.get(stage, {})}
        if place < here
        else _current(use_case, stage)
        for place, stage in enumerate(TRACK)
    ]


def gate_name(key: str) -> str:
    """ "idea_to_poc" is "Idea to PoC"; a gate named otherwise is spelt out."""
    start, _to, end = key.partition("_to_")
    if start in Stage.values and end in Stage.values:
        return _("%(start)s to %(end)s") % {"start": Stage(start).label, "end": Stage(end).label}
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]


def _current(use_case: UseCase, stage: Stage) -> dict[str, Any]:
    if use_case.stage in ENDED:
        return {"label": stage.label, "state": "stopped", "note": Stage(use_case.stage).label}
    note = _("On hold") if use_case.status == Status.ON_HOLD else ""
    return {"label": stage.label, "state": "current", "note": note}


def _passed(changes: Sequence[StageChange]) -> dict[str, dict[str, Any]]:
    """Stage -> when it was left for the next one, and by which decision."""
    left = _left(changes)
    names = _decisions(change.decision_id for change in left.values())
    nothing = DecisionName("")
    found = {}
    for stage, change in left.items():
        name = names.get(change.decision_id, nothing) if change.decision_id else nothing
        found[stage] = {"date": change.at, "url": name.url, "reference": name.label}
    return found


def _left(changes: Sequence[StageChange]) -> dict[str, StageChange]:
    """Stage -> the last move forward out of it."""
    return {
        change.from_stage: change
        for change in changes
        if change.from_stage in TRACK and position(change.to_stage) > position(change.from_stage)
    }


def _last_stage(changes: Sequence[StageChange]) -> int:
    for change in reversed(changes):
        if change.from_stage in TRACK:
            return position(change.from_stage)
    return 0


def _decisions(ids: Iterable[UUID | None]) -> dict[UUID, DecisionName]:
    wanted = [each for each in ids if each]
    found: dict[UUID, DecisionName] = {}
    if wanted:
        for source in decision_names:
            found.update(source().names(wanted))
    return found
