"""Write the reference part of docs/policy-format.md from the criterion types."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gates.policy_reference import PAGE, with_reference


class Command(BaseCommand):
    help = "Write the reference part of docs/policy-format.md from the criterion types; --check only says if it is old."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 when it is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        page = PAGE.read_text(encoding="utf-8")
        fresh = with_reference(page)
        if fresh == page:
            self.stdout.write(f"{PAGE.name} is up to date.")
        elif options["check"]:
            raise CommandError(f"{PAGE.name} is out of date; run manage.py document_policy_format.")
        else:
            PAGE.write_text(fresh, encoding="utf-8")
            self.stdout.write(f"{PAGE.name} is written.")
