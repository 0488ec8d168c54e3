"""The `tollgate` command.

Exit codes: 0 done, ready or allowed, 1 not ready or denied, 2 wrong input, 3 refused, 4 no answer.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.parse
from collections.abc import Sequence
from typing import Any

from tollgate_client import __version__
from tollgate_client.api import Refused, Tollgate, Unreachable
from tollgate_client.packs import NotAPack, differences, read_pack
from tollgate_client.points import BadFile, batches, form_of, read_points
from tollgate_client.profile import CannotCount, opened, push
from tollgate_client.verdict import ask, lines

DONE, NOT_READY, WRONG_INPUT, REFUSED, NO_ANSWER = range(5)
POINTS_AT_ONCE = 10_000
MOST_SECONDS = 86_400
SETTLED = frozenset({"met", "waived", "not_applicable"})


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.run is verify_pack:  # asks nobody, so it needs neither address nor token
        return int(verify_pack(options))
    token = os.environ.get("TOLLGATE_TOKEN", "")
    if not options.url or not token:
        return _fail(WRONG_INPUT, "Set TOLLGATE_URL and TOLLGATE_TOKEN.")
    try:
        tollgate = Tollgate(options.url, token, timeout=options.timeout)
        return int(options.run(tollgate, options))
    except (BadFile, CannotCount, ValueError, OSError) as error:
        return _fail(WRONG_INPUT, str(error))
    except Refused as error:
        return _fail(REFUSED, str(error))
    except Unreachable as error:
        return _fail(NO_ANSWER, str(error))


def verify_pack(options: argparse.Namespace) -> int:
    """Recompute a decision pack, offline."""
    try:
        pack = read_pack(options.file)
    except (NotAPack, OSError) as error:
        return _fail(WRONG_INPUT, str(error))
    found = differences(pack, options.digest)
    for line in found:
        print(f"differs: {line}")
    if found:
        print(f"{options.file}: {len(found)} differences; do not rely on it")
        return NOT_READY
    review, decision = pack["review"], pack["decision"]
    print(f"{options.file}: whole. {review['label']} {review['use_case']['key']} {review['gate']['key']}:", end=" ")
    print(f"{decision['outcome']}, {decision['decided_at']}")
    print(f"snapshot {pack['snapshot']['digest']}")
    print(f"decision {decision['digest']}")
    return DONE


def push_points(tollgate: Tollgate, options: argparse.Namespace) -> int:
    if options.file == "-":
        points = read_points(sys.stdin, options.format or "ndjson")
    else:
        with open(options.file, encoding="utf-8-sig", newline="") as handle:
            points = read_points(handle, options.format or form_of(options.file))
    if not points:
        raise BadFile("the file holds no points")
    shared = {name: getattr(options, name) for name in ("use_case", "metric", "segment", "version")}
    given = {name: value for name, value in shared.items() if value}
    stored = 0
    for batch in batches(points, POINTS_AT_ONCE):
        stored += tollgate.post("points:batch", {**given, "points": batch}).get("stored", 0)
    print(f"{len(points)} points sent, {stored} of them new")
    return DONE


def push_validation(tollgate: Tollgate, options: argparse.Namespace) -> int:
    body: dict[str, Any] = {}
    if options.file:
        with open(options.file, encoding="utf-8") as handle:
            body = json.load(handle)
        if not isinstance(body, dict):
            raise BadFile(f"{options.file}: a validation run is one JSON object")
    names = (
        "use_case",
        "version",
        "kind",
        "verdict",
        "sample_size",
        "summary",
        "source",
        "external_id",
        "performed_at",
    )
    body.update({name: getattr(options, name) for name in names if getattr(options, name) is not None})
    if options.metric:
        body["metrics"] = {**body.get("metrics", {}), **dict(options.metric)}
    missing = [name for name in ("use_case", "kind", "verdict") if not body.get(name)]
    if missing:
        raise BadFile("say " + ", ".join(f"--{name.replace('_', '-')}" for name in missing))
    run = tollgate.post("validation-runs/", body)
    print(f"validation run {run.get('id', '')}: {body['kind']} {body['verdict']}")
    return DONE


def profile(tollgate: Tollgate, options: argparse.Namespace) -> int:
    """Count newer data where it is and have it compared with the reference in force."""
    names = ("use_case", "name", "version", "window_start", "window_end")
    body = {name: getattr(options, name) for name in names if getattr(options, name)}
    with opened(options.data, options.table or "", options.query or "") as data:
        made = push(tollgate, data, body)
    print(f"profile {made['id']}: {made['rows']} rows, {made['columns']} columns; a worker compares them")
    print(f"{options.url.rstrip('/')}/monitoring/profiles/{made['id']}/")
    return DONE


def findings(tollgate: Tollgate, options: argparse.Namespace) -> int:
    """One gate is judged now; without one, what was last found of every gate that the use case has to do with."""
    asked = {"policy": options.policy} if options.policy else {}
    key = urllib.parse.quote(options.use_case, safe="")
    if options.gate:
        judged = tollgate.get(f"use-cases/{key}/gates/{urllib.parse.quote(options.gate, safe='')}/", asked)
        rows, ready, blockers = judged["findings"], judged["ready"], judged["blockers"]
    else:
        rows = list(tollgate.rows("findings/", {**asked, "use_case": options.use_case}))
        # No finding at all is not a clean one: nothing is known.
        ready, blockers = bool(rows) and not _owed(rows), []
    if options.format == "json":
        print(json.dumps({"ready": ready, "blockers": blockers, "findings": rows}, indent=2))
    else:
        _print_findings(rows, blockers, ready, options)
    return DONE if ready else NOT_READY


def verdict(tollgate: Tollgate, options: argparse.Namespace) -> int:
    """May it be released? The exit code says so, whatever is printed."""
    if options.at and options.wait:
        raise BadFile("--wait and --at exclude each other: the past does not change")
    found = ask(tollgate, options.use_case, options.gate, at=options.at or "", strict=options.strict, wait=options.wait)
    print(json.dumps(found, indent=2) if options.json else "\n".join(lines(found)))
    return DONE if found["allowed"] else NOT_READY


def _owed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["mandatory"] and row["outcome"] not in SETTLED]


def _print_findings(rows: list[dict[str, Any]], blockers: list[str], ready: bool, options: argparse.Namespace) -> None:
    for blocker in blockers:
        print(f"blocked: {blocker}")
    owed = _owed(rows)
    for row in owed:
        gate = row.get("gate") or options.gate
        print(f"{gate:<24} {row['criterion']:<10} {row['outcome']:<10} {row.get('reason', '')}")
        if row.get("required"):
            print(f"{'':<46} observed {row.get('observed') or 'nothing'}, required {row['required']}")
        if row.get("todo"):
            print(f"{'':<46} to do: {row['todo']}")
    where = f"{options.use_case}, {options.gate}" if options.gate else options.use_case
    if not rows:
        print(f"{where}: nothing is known of it yet")
    else:
        state = "ready" if ready else "not ready"
        print(f"{where}: {state}; {len(rows) - len(owed)} of {len(rows)} settled, {len(owed)} owed")


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_SECONDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to {MOST_SECONDS}")
    return int(text)


def _metric(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tollgate", description="Tollgate for CI. The token comes from TOLLGATE_TOKEN."
    )
    parser.add_argument("--version", action="version", version=f"tollgate {__version__}")
    parser.add_argument("--url", default=os.environ.get("TOLLGATE_URL", ""), help="default: TOLLGATE_URL")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds to wait for an answer (default: 30)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("push-points", help="send metric points from a file or standard input")
    command.add_argument("file", help="CSV, JSON or NDJSON; - for standard input")
    command.add_argument("--format", choices=("csv", "json", "ndjson"), help="default: by the file's name")
    for name in ("use-case", "metric", "segment", "version"):
        command.add_argument(f"--{name}", help=f"the {name.replace('-', ' ')} of every point that names none")
    command.set_defaults(run=push_points)

    command = commands.add_parser("push-validation", help="record a validation run")
    command.add_argument("--file", help="a JSON object with the fields of the run; options win over it")
    command.add_argument("--verdict", choices=("pass", "fail", "inconclusive"))
    command.add_argument("--metric", type=_metric, action="append", metavar="NAME=VALUE", help="may be repeated")
    command.add_argument("--sample-size", type=int)
    for name in ("use-case", "version", "kind", "summary", "source", "external-id", "performed-at"):
        command.add_argument(f"--{name}")
    command.set_defaults(run=push_validation)

    _add_profile(commands)

    command = commands.add_parser("findings", help="is a gate ready? exit code 1 while something is owed")
    command.add_argument("use_case", help="the key of the use case")
    command.add_argument("--gate", help="one gate; default: all")
    command.add_argument("--policy", help="one policy; default: all that apply")
    command.add_argument("--format", choices=("text", "json"), default="text")
    command.set_defaults(run=findings)

    command = commands.add_parser("verdict", help="may this be released? exit code 0 when allowed, 1 when denied")
    command.add_argument("use_case", help="the key of the use case")
    command.add_argument("gate", help="the gate, such as pilot_to_production")
    command.add_argument("--wait", type=_seconds, default=0, metavar="SECONDS", help="wait until it is allowed")
    command.add_argument("--at", help="what held then: a date or a moment in the past (ISO 8601)")
    command.add_argument("--strict", action="store_true", help="deny what is at risk, too")
    command.add_argument("--json", action="store_true", help="print the whole answer")
    command.set_defaults(run=verdict)

    command = commands.add_parser("verify-pack", help="recompute a decision pack, offline; exit code 1 on a difference")
    command.add_argument("file", help="the pack as JSON")
    command.add_argument("--digest", default="", help="a digest known from elsewhere that has to be one of the pack's")
    command.set_defaults(run=verify_pack)
    return parser


def _add_profile(commands: Any) -> None:
    command = commands.add_parser("profile", help="count newer data where it is, and have its drift reported")
    command.add_argument(
        "data", help="Parquet or CSV files (or a pattern), a DuckDB file, or postgresql://user@host/name"
    )
    command.add_argument("--use-case", required=True)
    command.add_argument("--name", required=True, help="such as 'Week 47'")
    command.add_argument("--version", help="label of a version of the model")
    command.add_argument("--table", help="of DuckDB or PostgreSQL")
    command.add_argument("--query", help="a SELECT in place of a table")
    command.add_argument("--from", dest="window_start", metavar="TIME", help="the rows are from then on (ISO 8601)")
    command.add_argument("--to", dest="window_end", metavar="TIME", help="and up to then; the report is of this time")
    command.set_defaults(run=profile)


def _fail(code: int, message: str) -> int:
    print(f"tollgate: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
