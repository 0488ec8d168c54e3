"""However many points there are, those of one series are found by its key and not by reading them all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from kernel.database import is_postgresql
from monitoring.selectors import points as selectors
from tests.factories.monitoring import SeriesFactory

FILL = """
INSERT INTO monitoring_point (series_id, time, step, revision, value, received_at)
SELECT %s, %s - number * interval '1 second', 0, 0, 0.5, %s FROM generate_series(1, 30000) AS number
"""


@pytest.mark.django_db
def test_no_look_back_reads_the_whole_table() -> None:
    if not is_postgresql():
        pytest.skip("SQLite has no statistics that could mislead it here")
    now = timezone.now()
    series = SeriesFactory.create_batch(3)
    starts = {one.pk: now - timedelta(seconds=5) for one in series}
    with connection.cursor() as cursor:
        cursor.execute(FILL, [series[0].pk, now, now])
        cursor.execute("ANALYZE monitoring_point")
    plans: list[str] = []

    def explained(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        with connection.connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}", params)
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        assert len(selectors.points_since(starts)[series[0].pk]) == 5
        assert len(selectors.points_since(starts, before=10)[series[0].pk]) >= 15
        assert len(selectors.points_within((pk, start, now) for pk, start in starts.items())[series[0].pk]) == 5
    assert len(plans) == 3
    for plan in plans:
        assert "Seq Scan on monitoring_point" not in plan, plan
