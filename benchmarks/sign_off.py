"""Signing over REST in a session with full checks, at 10,000 use cases on PostgreSQL: the whole request, in process."""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

from benchmarks.figures import conditions, figure, headline, percentile, skip
from benchmarks.installation import POSTGRES, on_postgres, postgres_answers

WARM_UP = 8


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sign_off", description=__doc__)
    parser.add_argument("--use-cases", type=int, default=10_000, metavar="N")
    parser.add_argument(
        "--reviews", type=int, default=40, metavar="N", help="reviews signed by every role they ask for"
    )
    parser.add_argument("--database-url", metavar="URL", help="a database to use and keep; default: one of its own")
    asked = parser.parse_args()
    if not postgres_answers():
        skip("sign-off on PostgreSQL", f"nobody answers at {POSTGRES}; name a server with BENCH_DATABASE_URL")
        return
    print(headline())
    with on_postgres(asked.database_url) as installation:
        os.environ.update(installation.environment)
        installation.fill(asked.use_cases)
        _run(asked.use_cases, asked.reviews)
    print(conditions())


def _run(use_cases: int, count: int) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.ALLOWED_HOSTS = ["testserver"]
    reviews = _open_reviews(count)
    clients = {role: _signed_in(role) for role in {slot["role"] for review in reviews for slot in review.slots}}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    times: list[float] = []
    refused = 0
    for review in reviews:
        for slot in review.slots:
            body = {"role": slot["role"], "verdict": "approve", "digest": review.digest}
            address = f"/api/v1/reviews/{review.number}/sign/"
            began = time.perf_counter()
            answer = clients[slot["role"]].post(address, body, content_type="application/json")
            times.append((time.perf_counter() - began) * 1000)
            refused += answer.status_code != 201
    kept = times[WARM_UP:]
    figure(f"a sign-off with full checks, {use_cases:,} use cases, p50", percentile(kept, 0.5), "ms")
    figure("  p95", percentile(kept, 0.95), "ms", at_most=150)
    figure(f"  of {len(times)}, refused", refused, "", at_most=0)


def _open_reviews(count: int) -> list[Any]:
    """Reviews of use cases in pilot, as ``submit_review`` opens them but for the readiness that nobody signs on."""
    from datetime import timedelta

    from django.utils import timezone

    from benchmarks.people import somebody_who_sees_everything
    from gates.in_force import primary
    from gates.models import Review, Snapshot
    from gates.snapshots import freeze
    from portfolio.models import UseCase

    version, policy = primary()
    lead, now, gate = somebody_who_sees_everything(), timezone.now(), "pilot_to_production"
    found = []
    cases = UseCase.objects.filter(stage="pilot", tier="limited", reviews__isnull=True).order_by("key")
    for number, use_case in enumerate(cases[:count], start=100_000):
        frozen = freeze(use_case.pk, policy.gates[gate], policy, now)
        slots = policy.slots(gate, frozen.result.tier)
        assert slots is not None  # the default policy asks for signatures at every tier
        review = Review.objects.create(
            number=number,
            use_case=use_case,
            gate=gate,
            policy_version=version,
            tier=frozen.result.tier,
            digest=frozen.digest,
            slots=[{"role": role} for role in slots.signers],
            submitted_by=lead,
            due_at=now + timedelta(days=10),
        )
        Snapshot.objects.create(review=review, digest=frozen.digest, body=frozen.body)
        found.append(review)
    return found


def _signed_in(role: str) -> Any:
    """A browser's session of somebody who holds ``role`` in the whole organisation and just entered a password."""
    from allauth.account.internal.userkit import user_id_to_str
    from django.test import Client

    from accounts.services import assign_role
    from accounts.services.people import create_person
    from ledger import SYSTEM
    from portfolio.models import BusinessUnit

    name = role.replace("_", "-")
    person = create_person(email=f"{name}@bench.example.org", full_name=f"Benchmark {name}", by=SYSTEM)
    assign_role(user=person, role=role, on=BusinessUnit.objects.get(parent__isnull=True), by=SYSTEM)
    client = Client()
    client.force_login(person)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = user_id_to_str(person)
    session.save()
    return client


if __name__ == "__main__":
    main()
