"""The lifecycle as data: which stage may follow which, and why a move is refused.

A move forward goes one stage at a time, a pivot goes back to an earlier one, anything still open may be stopped, and
what has run may be retired. What has ended stays ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext as _

from kernel.errors import Conflict
from portfolio.models import Stage

TRACK: tuple[Stage, ...] = (Stage.IDEA, Stage.POC, Stage.PILOT, Stage.PRODUCTION, Stage.OPERATIONS)
"""The stages of the way forward, in order."""

ENDED: frozenset[str] = frozenset({Stage.RETIRED, Stage.STOPPED})

TRANSITIONS: Mapping[str, tuple[Stage, ...]] = MappingProxyType(
    {
        Stage.IDEA: (Stage.POC, Stage.STOPPED),
        Stage.POC: (Stage.PILOT, Stage.IDEA, Stage.STOPPED),
        Stage.PILOT: (Stage.PRODUCTION, Stage.POC, Stage.IDEA, Stage.STOPPED),
        Stage.PRODUCTION: (Stage.OPERATIONS, Stage.PILOT, Stage.POC, Stage.IDEA, Stage.RETIRED, Stage.STOPPED),
        Stage.OPERATIONS: (Stage.PRODUCTION, Stage.PILOT, Stage.POC, Stage.IDEA, Stage.RETIRED, Stage.STOPPED),
        Stage.RETIRED: (),
        Stage.STOPPED: (),
    }
)
"""Stage -> stages that may follow it: the next one, the earlier ones (a pivot), and the ends."""


def check_move(from_stage: str, to_stage: str) -> None:
    """Raise ``Conflict``, naming what is allowed, unless ``to_stage`` may follow ``from_stage``."""
    allowed = TRANSITIONS[from_stage]
    if to_stage in allowed:
        return
    here, there = Stage(from_stage).label, Stage(to_stage).label if to_stage in Stage.values else to_stage
    if not allowed:
        raise Conflict(
            _("A use case in stage %(here)s has ended: it cannot move to %(there)s.") % {"here": here, "there": there}
        )
    names = ", ".join(str(stage.label) for stage in allowed)
    raise Conflict(
        _("A use case in stage %(here)s cannot move to %(there)s.") % {"here": here, "there": there},
        hint=_("From here it can move to: %(names)s.") % {"names": names},
    )


def position(stage: str) -> int:
    """How far along the track a stage is, from 0; the ends are -1."""
    return TRACK.index(Stage(stage)) if stage in TRACK else -1
