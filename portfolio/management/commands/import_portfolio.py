"""``manage.py import_portfolio FILE --profile NAME_OR_PATH``: bring an inventory in, or see what that would do."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel.errors import DomainError
from ledger import SYSTEM
from portfolio.importing.jobs import import_at_once
from portfolio.importing.plan import Plan
from portfolio.importing.profiles import find_profile
from portfolio.importing.reading import read_file
from portfolio.importing.runs import preview, read_inventory

PROBLEMS_SHOWN = 50


class Command(BaseCommand):
    help = "Import use cases from a CSV or XLSX file by a profile. Importing the same file again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="CSV or XLSX")
        parser.add_argument("--profile", required=True, metavar="NAME_OR_PATH", help="how the file is read")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            plan = _import(options["file"], options["profile"], dry_run=options["dry_run"])
        except DomainError as error:
            raise CommandError(_in_full(error)) from error
        if options["format"] == "json":
            self.stdout.write(json.dumps(plan.summary(), ensure_ascii=False, indent=2))
        else:
            self.stdout.write(_report(plan, dry_run=options["dry_run"]))


def _import(file: Path, profile_name: str, *, dry_run: bool) -> Plan:
    profile = find_profile(profile_name)
    content = read_file(file)
    read = read_inventory(content, profile)
    return preview(read) if dry_run else import_at_once(read, content, file.name, by=SYSTEM)


def _in_full(error: DomainError) -> str:
    lines = dict.fromkeys([error.message, *(said for messages in error.errors.values() for said in messages)])
    return "\n".join([*lines, *([error.hint] if error.hint else [])])


def _report(plan: Plan, *, dry_run: bool) -> str:
    totals = plan.summary()
    verb = "would be " if dry_run else ""
    counted = f"{totals['created']} {verb}created, {totals['updated']} {verb}updated, {totals['unchanged']} unchanged"
    lines = [f"{totals['rows']} rows: {counted}, {totals['duplicates']} exact duplicates."]
    if plan.new_units:
        lines.append(f"{len(plan.new_units)} business units {verb}added: {', '.join(plan.new_units)}.")
    lines += [f"Row {each.row.number} repeats row {each.repeats}." for each in plan.rows if each.repeats]
    if plan.absent:
        lines.append(f"{len(plan.absent)} use cases of this profile are not in the file; they stay as they are.")
    lines += _problems(plan)
    return "\n".join(lines)


def _problems(plan: Plan) -> list[str]:
    if not plan.problems:
        return ["No problems."]
    by_column = Counter(problem.column for problem in plan.problems)
    lines = [f"{len(plan.problems)} problems:"]
    lines += [f"  {count:>5}  {column}" for column, count in by_column.most_common()]
    lines += [f"Row {each.row}, {each.column}: {each.message}." for each in plan.problems[:PROBLEMS_SHOWN]]
    if len(plan.problems) > PROBLEMS_SHOWN:
        lines.append(f"... and {len(plan.problems) - PROBLEMS_SHOWN} more; --format json lists them all.")
    return lines
