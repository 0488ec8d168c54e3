"""Whether anything was recorded meanwhile: for whoever remembers for a moment what it read."""

from __future__ import annotations

from django.db import connection

from ledger.models import Head

_SINCE = """
SELECT EXISTS (SELECT 1 FROM ledger_event e WHERE e."index" >= %s AND e.action <> %s) FROM ledger_head h WHERE h.id = %s
"""


def quiet_since(index: int, *, but: str) -> bool:
    """Whether no event but those of one action was recorded from ``index`` on, which ``next_index`` gave.

    A change of rights, of a unit or of a use case is recorded in the transaction that makes it, so what was read
    after ``next_index`` answered is true still while this says yes.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, [index, but, Head.SINGLETON])
        row = cursor.fetchone()
    return row is not None and not row[0]
