"""Make the demonstration portfolio in an empty installation; a second time it changes nothing."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gates.demonstration.build import is_made, make_demonstration
from kernel.errors import DomainError


class Command(BaseCommand):
    help = "Make the demonstration portfolio: people, use cases, evidence, metrics, reviews in every state."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail when the story and the policy disagree")

    def handle(self, *args: Any, **options: Any) -> None:
        if is_made():
            self.stdout.write("There is a portfolio already; nothing was changed.")
            return
        try:
            made = make_demonstration(say=lambda text: self.stdout.write(f"  {text} …"))
        except DomainError as wrong:
            raise CommandError(f"{wrong} {wrong.hint}".strip()) from wrong
        self.stdout.write(f"{made.use_cases} use cases, {made.people} people, {made.points} points.")
        if made.misfits and options["check"]:
            raise CommandError("The story does not fit the policy:\n" + "\n".join(made.misfits[:40]))
