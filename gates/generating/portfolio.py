"""The portfolio, a batch at a time: each is one unit of work, so an interrupted run leaves whole batches."""

from __future__ import annotations

from collections.abc import Callable

from accounts.services import assign_roles_bulk
from gates.generating.organisation import Organisation, make_organisation
from gates.generating.records import add_records, points_of
from gates.generating.rows import BATCH, Chance, Rows
from gates.generating.use_cases import Made, make_use_case
from kernel.errors import Conflict
from ledger import SYSTEM, Subject, unit_of_work
from monitoring.models import Point, Series
from portfolio.models import UseCase

AT_ONCE = 1000


def generate(count: int, *, seed: int = 1, progress: Callable[[int], object] = lambda done: None) -> list[UseCase]:
    """Add ``count`` synthetic use cases. ``Conflict`` if there are some already: keys and people would be the same."""
    if UseCase.objects.filter(key__startswith="SYN-").exists():
        raise Conflict("There is a synthetic portfolio already.", hint="Use another data directory or database.")
    chance = Chance(seed)
    with unit_of_work(by=SYSTEM):
        organisation = make_organisation()
    made: list[UseCase] = []
    for start in range(0, count, AT_ONCE):
        numbers = range(start + 1, min(start + AT_ONCE, count) + 1)
        made += _batch(numbers, organisation, chance)
        progress(len(made))
    return made


def _batch(numbers: range, organisation: Organisation, chance: Chance) -> list[UseCase]:
    rows = Rows()
    made: list[Made] = []
    for number in numbers:
        each = make_use_case(number, organisation, chance, rows)
        add_records(each, organisation, chance, rows)
        made.append(each)
    series = rows.of(Series)
    with unit_of_work(by=SYSTEM) as uow:
        rows.save(uow)
        points = [point for each in series for point in points_of(each, chance)]
        Point.objects.bulk_create(points, batch_size=BATCH)
        if points:
            batch = Subject("monitoring.points", f"synthetic-{numbers[0]}", f"{len(points)} points")
            uow.record("points.received", subject=batch, after={"points": len(points), "source": "Synthetic portfolio"})
        grants = [grant for each in made for grant in each.grants()]
        assign_roles_bulk(grants=grants, by=SYSTEM, reason="Synthetic portfolio")
    return [each.use_case for each in made]
