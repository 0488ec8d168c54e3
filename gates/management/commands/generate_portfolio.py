"""``manage.py generate_portfolio --use-cases N [--seed S]``: a synthetic portfolio of any size, for benchmarks."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gates.assessment import assess
from gates.generating.portfolio import AT_ONCE, generate
from kernel.errors import DomainError


class Command(BaseCommand):
    help = "Add a synthetic portfolio: units, people, roles, use cases in every stage and tier, and their records."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--use-cases", type=int, required=True, metavar="N")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed makes the same portfolio")
        parser.add_argument("--no-evaluation", action="store_true", help="leave judging the gates to the sweep")

    def handle(self, *args: Any, **options: Any) -> None:
        count: int = options["use_cases"]
        if count < 1:
            raise CommandError("--use-cases takes a number from 1.")
        began = time.monotonic()
        try:
            made = generate(count, seed=options["seed"], progress=lambda done: self.stdout.write(f"{done} use cases"))
        except DomainError as error:
            raise CommandError(f"{error.message} {error.hint}") from error
        if not options["no_evaluation"]:
            ids = [use_case.pk for use_case in made]
            for start in range(0, count, AT_ONCE):
                assess(ids[start : start + AT_ONCE])
        self.stdout.write(f"{count} use cases made in {time.monotonic() - began:.1f} s.")
