"""``manage.py ledger_verify``: recompute every event and say whether the ledger still holds."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ledger.verify import Report, verify


class Command(BaseCommand):
    help = (
        "Recomputes the hash of every event, looks for gaps, compares columns, head, personal values and each "
        "subject's states, and prints the number of events and their RFC 6962 root hash. Ends with 1 if anything "
        "does not hold."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify()
        if options["format"] == "json":
            self.stdout.write(json.dumps(report.as_dict(), indent=2))
        else:
            self._print(report)
        if not report.ok:
            raise CommandError(f"The ledger does not hold: {report.problem_count} problem(s) found.")

    def _print(self, report: Report) -> None:
        self.stdout.write(f"{report.events} events, root hash {report.root}")
        self.stdout.write(f"personal values: {report.personal_matching} match, {report.personal_redacted} redacted")
        for problem in report.problems:
            place = "ledger" if problem.index is None else f"event {problem.index}"
            self.stderr.write(f"{place}: {problem.check}: {problem.message}")
        hidden = report.problem_count - len(report.problems)
        if hidden:
            self.stderr.write(f"and {hidden} more")
        if report.ok:
            self.stdout.write("everything holds")
