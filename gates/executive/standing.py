"""Where use cases stand: assurance and stages, now and a month ago."""

from __future__ import annotations

import json
from collections import Counter
from uuid import UUID

from django.utils.translation import gettext as _

from gates.executive.parts import Asked, Line, Section, Standing
from gates.models import Decision
from ledger.models import Event
from portfolio.lifecycle import ENDED, TRACK
from portfolio.models import Assurance, Stage, StageChange

PASSED = (Decision.Outcome.GO, Decision.Outcome.GO_WITH_CONDITIONS)


def assurance(asked: Asked, cases: list[Standing]) -> Section:
    now = Counter(case.assurance for case in cases)
    then = _assurance_then(asked, cases)
    tones = {Assurance.REAPPROVAL: "blocked", Assurance.AT_RISK: "attention", Assurance.IN_FORCE: "met"}
    states = (Assurance.REAPPROVAL, Assurance.AT_RISK, Assurance.IN_FORCE, Assurance.NONE)
    passed = len(cases) - now[Assurance.NONE]
    words = _("%(held)d of %(passed)d approvals hold without question.")
    return Section(
        "assurance",
        _("Systems by assurance"),
        words % {"held": now[Assurance.IN_FORCE], "passed": passed},
        "shield",
        [
            Line(
                state,
                str(state.label),
                now[state],
                then[state],
                tone=tones.get(state, "") if now[state] else "",
                url=asked.url("portfolio:list", assurance=state.value or "none"),
            )
            for state in states
        ],
    )


def _assurance_then(asked: Asked, cases: list[Standing]) -> Counter[str]:
    """States a month ago: of those that turned since, what the first turn says they were before."""
    events = Event.objects.filter(action="use_case.assurance_changed", at__gt=asked.before).order_by("index")
    first: dict[str, str] = {}
    turned = {str(case.pk) for case in cases if case.assurance_since and case.assurance_since > asked.before}
    for key, body in events.values_list("use_case_id", "body").iterator(chunk_size=1000):
        if key in turned and key not in first:
            change = json.loads(body)["changes"].get("assurance", {})
            first[key] = change.get("before") or ""
    approvals = asked.of_cases(Decision.objects.filter(outcome__in=PASSED), "review__use_case")
    approved = set(approvals.filter(decided_at__lte=asked.before).values_list("review__use_case_id", flat=True))
    found: Counter[str] = Counter()
    for case in cases:
        if case.created_at > asked.before:
            continue
        state = first.get(str(case.pk), case.assurance)
        found[state or (Assurance.IN_FORCE if case.pk in approved and case.assurance else Assurance.NONE)] += 1
    return found


def stages(asked: Asked, cases: list[Standing]) -> Section:
    moves = asked.of_cases(StageChange.objects.filter(at__gt=asked.before), "use_case").order_by("at", "pk")
    came_from: dict[UUID, str] = {}
    for pk, stage in moves.values_list("use_case_id", "from_stage"):
        came_from.setdefault(pk, stage)
    now = Counter(case.stage for case in cases)
    then = Counter(came_from.get(case.pk, case.stage) for case in cases if case.created_at <= asked.before)
    live = now[Stage.PRODUCTION] + now[Stage.OPERATIONS]
    words = _("%(live)d of %(total)d are in production or operations.") % {"live": live, "total": len(cases)}
    shown = [*TRACK, *(stage for stage in Stage if stage in ENDED)]
    lines = [
        Line(stage, str(stage.label), now[stage], then[stage], url=asked.url("portfolio:list", stage=stage.value))
        for stage in shown
    ]
    return Section("stages", _("Use cases by stage"), words, "gate", lines)
