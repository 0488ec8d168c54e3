"""The pages that people open all day, at 10,000 use cases: time of the server alone, and number of queries."""

from __future__ import annotations

import argparse
import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Max
from django.utils import timezone

from benchmarks.figures import conditions, figure, headline, percentile, skip
from benchmarks.installation import POSTGRES, Installation, on_postgres, on_sqlite, postgres_answers

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User
    from gates.models import Review
    from portfolio.models import UseCase

REVIEWS = 20
PAGES = {
    "home": "/",
    "portfolio list": "/portfolio/",
    "portfolio list, filtered": "/portfolio/?stage=pilot&tier=high",
    "portfolio list, searched": "/portfolio/?q=fraud",
    "portfolio list, sorted": "/portfolio/?sort=-updated",
    "portfolio list, searched and sorted": "/portfolio/?q=claims&sort=name",
    "board": "/portfolio/board/",
    "use case": "/use-cases/{key}/",
    "gate tab of a use case": "/use-cases/{key}/gate/",
    "review": "/gates/reviews/{review}/",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--use-cases", type=int, default=10_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=40, metavar="N", help="calls of each page")
    parser.add_argument("--sqlite", action="store_true", help="on SQLite instead of PostgreSQL")
    parser.add_argument("--database-url", metavar="URL", help="a database to use and keep; default: one of its own")
    asked = parser.parse_args()
    print(headline())
    if asked.sqlite or (asked.database_url is None and not postgres_answers()):
        if not asked.sqlite:
            skip("pages on PostgreSQL", f"nobody answers at {POSTGRES}; on SQLite instead")
        with on_sqlite() as installation:
            _run(installation, asked.use_cases, asked.rounds)
    else:
        with on_postgres(asked.database_url) as installation:
            _run(installation, asked.use_cases, asked.rounds)
    print(conditions())


def _run(installation: Installation, use_cases: int, rounds: int) -> None:
    os.environ.update(installation.environment)
    if took := installation.fill(use_cases):
        figure(f"generating {use_cases:,} use cases", took, "s")
    import django

    django.setup()
    from django.db import connection

    figures_of_pages(rounds)
    connection.close()


def figures_of_pages(rounds: int) -> None:
    """In this process: no network and no web server. CPU beside it, for the machine may have other work."""
    from django.db import connection
    from django.test import Client

    from benchmarks.people import somebody_who_sees_everything
    from gates.assessment import assess
    from portfolio.models import UseCase

    person = somebody_who_sees_everything()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as PostgreSQL does by itself after such a load
    client = Client(headers={"host": "localhost"})
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    chosen = list(UseCase.objects.exclude(next_gate="").filter(reviews=None).order_by("?")[:rounds])
    assess([use_case.pk for use_case in chosen])  # what the worker does within seconds of a change
    reviews = [_open_review(use_case, person) for use_case in chosen[:REVIEWS]]
    for name, address in PAGES.items():
        asked = [
            address.format(key=use_case.key, review=reviews[number % len(reviews)].number)
            for number, use_case in enumerate(chosen)
        ]
        _measure(client, name, asked)
    _after_a_change(client, chosen)


def _measure(client: Client, name: str, addresses: list[str], *, most_queries: int | None = 30) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(addresses[0])  # templates are compiled once a process
    times, cpu, queries = [], [], []
    for address in addresses:
        with CaptureQueriesContext(connection) as captured:
            began, busy = time.perf_counter(), time.process_time()
            answer = client.get(address)
            times.append((time.perf_counter() - began) * 1000)
            cpu.append((time.process_time() - busy) * 1000)
        queries.append(len(captured))
        if answer.status_code != 200:
            print(f"{name}: {address} answers {answer.status_code}")
            return
    figure(f"{name}, p50", percentile(times, 0.5), "ms")
    figure(f"{name}, p95", percentile(times, 0.95), "ms", at_most=200)
    figure("  CPU of this process, p50", percentile(cpu, 0.5), "ms")
    figure("  most queries", max(queries), "", at_most=most_queries)


def _after_a_change(client: Client, use_cases: list[UseCase]) -> None:
    """A page that is asked for before the worker came judges its use case itself: dearer, and once for each change."""
    from gates.assessment import ask_again

    ask_again([use_case.pk for use_case in use_cases])
    addresses = [f"/use-cases/{use_case.key}/" for use_case in use_cases]
    _measure(client, "use case, its facts just changed", addresses, most_queries=None)


def _open_review(use_case: UseCase, person: User) -> Review:
    """As submitting makes it, without asking whether every criterion is met: of made-up use cases few are ready."""
    from gates.in_force import primary
    from gates.models import Review, Snapshot
    from gates.snapshots import freeze

    now = timezone.now()
    version, policy = primary()
    frozen = freeze(use_case.pk, policy.gates[use_case.next_gate], policy, now)
    slots = policy.slots(use_case.next_gate, frozen.result.tier)
    review = Review.objects.create(
        number=(Review.objects.aggregate(last=Max("number"))["last"] or 0) + 1,
        use_case=use_case,
        gate=use_case.next_gate,
        policy_version=version,
        tier=frozen.result.tier,
        digest=frozen.digest,
        slots=[{"role": role} for role in (slots.signers if slots else ())],
        submitted_by=person,
        submitted_at=now,
        due_at=now + timedelta(days=10),
    )
    Snapshot.objects.create(review=review, digest=frozen.digest, body=frozen.body, taken_at=now)
    return review


if __name__ == "__main__":
    main()
