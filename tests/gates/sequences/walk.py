"""One sequence: moves drawn by a seed, each carried out or refused, and every rule checked after each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import time_machine
from django.core.exceptions import PermissionDenied
from django.db import transaction

from kernel.errors import DomainError
from tests.gates.sequences.moves import moves_for
from tests.gates.sequences.rules import check
from tests.gates.sequences.stage import START, Cast, Stage, later

REFUSALS = (DomainError, PermissionDenied)
"""What a service may answer."""
STEPS = 16
TRIES = 12
"""Moves that find nothing to move (no open review, no waiver) are drawn again."""


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside is rolled back, so that hundreds of sequences share one database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def walk(seed: int, cast: Cast, steps: int = STEPS) -> Counter[str]:
    """Play one sequence; how often each move succeeded. A broken rule tells the seed and what was done."""
    random = Random(seed)
    succeeded: Counter[str] = Counter()
    with time_machine.travel(START, tick=False) as clock, undone():
        stage = cast.enter(random)
        now = START
        for _step in range(steps):
            now = later(now, random.choice((0, 0, 0, 0, 0.01, 0.5, 1, 3, 12, 35)))
            clock.move_to(now)
            before = stage.now().stage
            name, carried_out = _step_of(stage)
            if carried_out:
                succeeded[name] += 1
                stage.done.append(f"{now:%d %b %H:%M} {name}")
            try:
                check(stage, before)
            except AssertionError as broken:
                told = "\n  ".join(stage.done)
                message = f"seed {seed}: {broken}\nafter\n  {told}\nthe last move was {name}"
                raise AssertionError(message) from broken
    return succeeded


def _step_of(stage: Stage) -> tuple[str, bool]:
    """Draw a move that finds something to move, and make it; a refusal may keep what it has to keep (a snapshot taken
    again), so nothing is rolled back around it."""
    moves = moves_for(stage)
    for _try in range(TRIES):
        move = stage.random.choices([m for m, _w in moves], [w for _m, w in moves])[0]
        try:
            move(stage)
        except IndexError:
            continue
        except REFUSALS:
            return move.__name__, False
        return move.__name__, True
    return "nothing", False
