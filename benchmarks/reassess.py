"""Reassessment after one metric alert: the task of one use case among many, and that it touches no other."""

from __future__ import annotations

import argparse
import os
import time

from benchmarks.figures import conditions, figure, headline, percentile, skip
from benchmarks.installation import POSTGRES, Installation, on_postgres, on_sqlite, postgres_answers

USE_CASES = 10_000
UNDER_ASSURANCE = 500
RUNS = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--use-cases", type=int, default=USE_CASES)
    count = parser.parse_args().use_cases
    print(headline())
    with on_sqlite() as installation:
        _measure(installation, "SQLite", count)
    if postgres_answers():
        with on_postgres() as installation:
            _measure(installation, "PostgreSQL", count)
    else:
        skip("reassessment on PostgreSQL", f"nobody answers at {POSTGRES}; name a server with BENCH_DATABASE_URL")
    print(conditions())


def _measure(installation: Installation, where: str, count: int) -> None:
    """In a process of its own, for Django's settings are read once."""
    installation.fill(count)
    child = os.fork()
    if child:
        _pid, status = os.waitpid(child, 0)
        if status:
            raise SystemExit(f"{where}: the benchmark failed")
        return
    code = 1
    try:
        os.environ.update(installation.environment)
        _run(where, count)
        code = 0
    finally:
        os._exit(code)


def _run(where: str, count: int) -> None:
    import django

    django.setup()
    from django.utils import timezone

    from gates.assurance import reassess
    from gates.models import GateAssurance
    from gates.tasks import reassess_use_case
    from monitoring.models import Alert, Rule, Series
    from portfolio.models import UseCase

    ids = list(UseCase.objects.exclude(stage="idea").order_by("pk").values_list("pk", flat=True)[:UNDER_ASSURANCE])
    now = timezone.now()
    GateAssurance.objects.bulk_create([GateAssurance(use_case_id=pk, gate="idea_to_poc", since=now) for pk in ids])
    reassess(ids)
    times: list[float] = []
    touched = 0
    for pk in ids[:RUNS]:
        series = Series.objects.create(use_case_id=pk, metric="f1", segment="benchmark", unit="", direction="higher")
        rule = Rule.objects.create(series=series, name="F1 holds", op=Rule.Op.values[0], act=0.8)
        Alert.objects.create(series=series, rule=rule, level="act", message="F1 is 0.5, needs at least 0.8")
        before = dict(GateAssurance.objects.values_list("use_case_id", "reasons"))
        began = time.perf_counter()
        reassess_use_case(str(pk))
        times.append((time.perf_counter() - began) * 1000)
        after = dict(GateAssurance.objects.values_list("use_case_id", "reasons"))
        turned = {key for key in after if after[key] != before[key]}
        touched += len(turned - {pk}) + (pk not in turned)
    figure(f"{where}: one alert, {count:,} use cases, median", percentile(times, 0.5), "ms", at_most=1000)
    figure("  p95", percentile(times, 0.95), "ms", at_most=1000)
    figure("  use cases touched beside the one, or missed", touched, "", at_most=0)


if __name__ == "__main__":
    main()
