"""Judge gates and print counts per gate, criterion and finding. Changes nothing."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections import Counter
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gates.criterion import Outcome
from gates.engine import FactBase, GateResult, count_outcomes, evaluate_facts
from gates.in_force import all_published, published
from gates.moments import read_moment
from gates.policy import PolicyBody
from kernel.errors import DomainError
from portfolio.models import UseCase


class Command(BaseCommand):
    help = (
        "Judge use cases against the published policies: without --gate each at its next gate. A use case is counted "
        "as ready when no mandatory criterion is open except the signatures of the gate itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--policy", help="key of one policy; default: every published policy")
        parser.add_argument("--gate", help="judge this gate for every use case instead of each one's next gate")
        parser.add_argument("--at", help="judge for this date or moment (ISO 8601, UTC)")
        parser.add_argument("--use-case", dest="use_case", metavar="KEY", help="only this use case")
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = run(options["policy"], options["gate"], read_moment(options["at"]), options["use_case"])
        except DomainError as wrong:
            raise CommandError(str(wrong)) from wrong
        if options["format"] == "json":
            self.stdout.write(json.dumps(report, indent=2))
        else:
            self._print(report)

    def _print(self, report: dict[str, Any]) -> None:
        head = f"{report['use_cases']} use cases, {report['queries']} queries, {report['seconds']} s"
        self.stdout.write(head)
        for policy, gates in report["policies"].items():
            for gate, row in gates.items():
                self.stdout.write(f"\n{policy} · {gate}: {row['ready']} ready, {row['blocked']} blocked")
                for criterion, counts in row["criteria"].items():
                    shown = "  ".join(f"{name} {count}" for name, count in counts.items() if count)
                    self.stdout.write(f"  {criterion:8} {shown or '–'}")


def run(policy: str | None, gate: str | None, at: datetime, key: str | None) -> dict[str, Any]:
    """The report as plain data."""
    bodies = [published(policy)[1]] if policy else [body for _version, body in all_published()]
    if gate:
        bodies = _with_gate(bodies, gate)
    ids = None
    if key:
        found = UseCase.objects.filter(key=key).values_list("pk", flat=True).first()
        if found is None:
            raise CommandError(f"There is no use case with the key {key!r}.")
        ids = [found]
    started = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        base = FactBase(ids, {need for body in bodies for need in body.needs()}, at)
        results = {body.key: (body, evaluate_facts(base, gate, body)) for body in bodies}
    return {
        "use_cases": len(base.ids),
        "queries": len(captured),
        "seconds": round(time.perf_counter() - started, 3),
        "policies": {name: _gates(body, found, gate) for name, (body, found) in results.items()},
    }


def _gates(body: PolicyBody, results: list[GateResult], only: str | None) -> dict[str, Any]:
    report = {}
    for gate in body.gates.values():
        if only and gate.key != only:
            continue
        mine = [r for r in results if r.gate.key == gate.key]
        counted = count_outcomes(mine)
        ready = sum(1 for r in mine if r.ready)
        report[gate.key] = {
            "ready": ready,
            "blocked": len(mine) - ready,
            "criteria": {c.id: {str(o): counted.get(c.id, Counter())[str(o)] for o in Outcome} for c in gate.criteria},
        }
    return report


def _with_gate(bodies: list[PolicyBody], gate: str) -> list[PolicyBody]:
    having = [body for body in bodies if gate in body.gates]
    if not having:
        known = ", ".join(sorted({key for body in bodies for key in body.gates}))
        raise CommandError(f"There is no gate {gate!r} (there are: {known}).")
    return having
