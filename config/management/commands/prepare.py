"""`manage.py prepare`: everything between a fresh checkout and the first page. Done twice, it changes nothing."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.entrance import provide_people
from gates.assessment import assess
from gates.models import CriterionFinding, PolicyVersion
from gates.services.policies import install_policies
from kernel.errors import DomainError
from portfolio.models import UseCase

DEMONSTRATION = "make_demonstration"


class Command(BaseCommand):
    help = "Brings the tables up to date, loads the gate policies and, where there are none, the first use cases."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--portfolio", type=Path, help="an inventory of your own (CSV or XLSX) to start with")
        parser.add_argument("--profile", help="how to read it: the name of an import profile, or a path to one")

    def handle(self, *args: Any, portfolio: Path | None, profile: str | None, **options: Any) -> None:
        if portfolio is not None and not profile:
            raise CommandError("--portfolio needs --profile: how its columns are to be read.")
        try:
            self.prepare(portfolio, profile)
        except DomainError as error:
            raise CommandError(f"{error.message} {error.hint}".strip()) from error

    def prepare(self, portfolio: Path | None, profile: str | None) -> None:
        self.migrate()
        self.install_policies()
        if portfolio is not None:
            self.bring_in(portfolio, profile)
        elif settings.TOLLGATE_DEMO:
            self.demonstrate()
        self.evaluate()

    def migrate(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            with self.step("Bringing the tables up to date"):
                call_command("migrate", verbosity=0, interactive=False)

    def install_policies(self) -> None:
        before = PolicyVersion.objects.count()
        install_policies()
        if published := PolicyVersion.objects.count() - before:
            self.stdout.write(f"Published {published} gate policies")

    def bring_in(self, portfolio: Path, profile: str | None) -> None:
        """Import, say the totals, and keep the whole report: an inventory of thousands has hundreds of problems."""
        if not UseCase.objects.exists():
            with self.step(f"Importing {portfolio.name}"):
                answer = StringIO()
                call_command("import_portfolio", str(portfolio), profile=profile, format="json", stdout=answer)
                report = json.loads(answer.getvalue())
                kept = settings.TOLLGATE_DATA_DIR / "import-report.json"
                kept.write_text(answer.getvalue())
                counts = (
                    f"{report['rows']} rows: {report['created']} use cases, {report['duplicates']} exact duplicates"
                )
                self.stdout.write(f"  {counts}, {len(report['problems'])} values not taken; each is named in {kept}")
        if settings.TOLLGATE_DEMO and (people := provide_people()):
            self.stdout.write(f"Somebody to be for each of {len(people)} roles")

    def demonstrate(self) -> None:
        if not UseCase.objects.exists():
            with self.step("Making the demonstration portfolio"):
                call_command(DEMONSTRATION, stdout=self.stdout)

    def evaluate(self) -> None:
        """Judge every gate once; from then on what changes is judged when it changes."""
        if UseCase.objects.exists() and not CriterionFinding.objects.exists():
            with self.step("Evaluating every gate"):
                assess()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        began = time.monotonic()
        self.stdout.write(f"{title} ...")
        yield
        self.stdout.write(f"  done in {time.monotonic() - began:.1f} s")
