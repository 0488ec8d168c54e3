"""Keys such as UC-0042 for use cases that come without one: never twice, never waiting for another creation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.db import connection

from kernel.database import is_postgresql
from portfolio.models import KeyNumber, UseCase

PREFIX = "UC-"
_NUMBERED = re.compile(rf"{PREFIX}(\d{{1,15}})")
ATTEMPTS = 20


def free_keys() -> Iterator[str]:
    """Keys to try, one after the other: the insert of the use case decides, and a taken one leads to the next.

    A key can be taken because somebody typed or imported it. Then the sequence jumps past the highest there is,
    instead of walking through all of them.
    """
    for attempt in range(ATTEMPTS):
        if attempt == 1:
            _jump()
        yield f"{PREFIX}{KeyNumber.objects.create().pk:04d}"


def _jump() -> None:
    keys = UseCase.objects.filter(key__startswith=PREFIX).values_list("key", flat=True)
    numbers = (int(found[1]) for key in keys.iterator() if (found := _NUMBERED.fullmatch(key)))
    highest = max(numbers, default=0)
    if not is_postgresql():
        # AUTOINCREMENT goes on from the highest number that ever was.
        KeyNumber.objects.get_or_create(pk=highest or 1)
        return
    table = KeyNumber._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence(%s, 'id'), GREATEST(%s, nextval(pg_get_serial_sequence(%s, 'id'))))",
            [table, max(highest, 1), table],
        )
