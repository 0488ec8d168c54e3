"""The number of open items that match a filter is within the limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from gates.criterion import (
    Ask,
    CriterionType,
    Facts,
    Finding,
    Outcome,
    Ref,
    aged,
    criterion_types,
    met,
    missing,
    not_met,
    plain,
)
from gates.measures import days_between
from gates.params import require_some

KINDS = ("assumption", "security", "finding", "condition", "incident_action", "breach", "drift_alert")


@dataclass(frozen=True, slots=True)
class Params:
    """
    kind: What is counted: open issues by kind, `breach` and `drift_alert` (alerts nobody has decided about);
        `condition` counts what is owed after a go with conditions as well.
    severity: Only these severities.
    blocking: Only what blocks.
    overdue: Only what is past its due date.
    due_gate: Only what is due at this gate, or at none in particular.
    last_test_days: A security test is not older than this.
    """

    kind: tuple[str, ...]
    severity: tuple[str, ...] = ()
    blocking: bool = False
    overdue: bool = False
    due_gate: str = ""
    last_test_days: int = 0

    def __post_init__(self) -> None:
        require_some(kind=self.kind)
        for kind in self.kind:
            if kind not in KINDS:
                raise ValueError(f"unknown kind {kind!r} (known: {', '.join(KINDS)})")


@criterion_types.register
class OpenFindings(CriterionType[Params]):
    key = "open_findings"
    label = _("Open items")
    passes_when = _("The number of open items that match the filter is within the limit.")
    accepts = Params
    place = "controls"
    needs = ("issues", "alerts", "validation", "changes", "conditions")
    needs_bound = True

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        assert ask.bound is not None
        tested = self._last_test(facts) if "security" in ask.params.kind else None
        if "security" in ask.params.kind and tested is None:
            return missing(ask, reason="No security test or review is on record, so nobody looked for open items.")
        if (
            tested is not None
            and ask.params.last_test_days
            and days_between(tested["performed_at"], at) > ask.params.last_test_days
        ):
            age = plain(days_between(tested["performed_at"], at))
            reason = f"The last security test is {age} days old; at most {ask.params.last_test_days} are allowed."
            return Finding(Outcome.STALE, f"tested {age} days ago", ask.bound.text(), reason)
        found = [*self._issues(ask, facts, at), *self._conditions(ask, facts, at), *self._alerts(ask, facts)]
        refs = tuple(ref for ref, _since in found[:10])
        if ask.bound.measure == "patch_age":
            return self._oldest(ask, facts, at, found, tested)
        count = Decimal(len(found))
        noun = " and ".join(kind.replace("_", " ") for kind in ask.params.kind)
        observed = f"{len(found)} open ({noun})"
        if not ask.bound.holds(count):
            names = "; ".join(ref.label for ref, _since in found[:3])
            return not_met(ask, observed=observed, reason=f"{len(found)} open: {names}.", evidence=refs)
        finding = met(ask, observed=observed, reason="Nothing that blocks is open.")
        return aged(ask, finding, facts, tested["performed_at"], at, what="The test") if tested else finding

    def remedy(self, ask: Ask[Params]) -> str:
        test = " and log a security test" if ask.params.last_test_days else ""
        return f"Settle the open items of kind {' and '.join(k.replace('_', ' ') for k in ask.params.kind)}{test}."

    def _issues(self, ask: Ask[Params], facts: Facts, at: datetime) -> list[tuple[Ref, Any]]:
        p = ask.params
        return [
            (Ref("issue", str(row["id"]), row["title"]), row["first_seen"])
            for row in facts["issues"]["open"]
            if row["kind"] in p.kind
            and (not p.severity or row["severity"] in p.severity)
            and (not p.blocking or row["blocking"])
            and (not p.due_gate or row["due_gate"] in ("", p.due_gate))
            and (not p.overdue or (row["due_on"] is not None and row["due_on"] < at.date()))
        ]

    def _conditions(self, ask: Ask[Params], facts: Facts, at: datetime) -> list[tuple[Ref, Any]]:
        """What is owed after a go with conditions, whatever the severity asked for: a decision was made on it."""
        wanted = facts["conditions"] if "condition" in ask.params.kind else ()
        return [
            (Ref("condition", str(row["id"]), row["text"].rstrip(".")), row["decided_at"])
            for row in wanted
            if row["owed"] and (not ask.params.overdue or row["due_on"] < at.date())
        ]

    def _alerts(self, ask: Ask[Params], facts: Facts) -> list[tuple[Ref, Any]]:
        wanted = []
        for alert in facts["alerts"]:
            drift = "drift_alert" in ask.params.kind and alert["drift"] and not alert["decided"]
            breach = "breach" in ask.params.kind and alert["level"] == "act" and not alert["decided"]
            if drift or breach:
                wanted.append((Ref("alert", str(alert["id"]), alert["message"]), alert["opened_at"]))
        return wanted

    def _last_test(self, facts: Facts) -> dict[str, Any] | None:
        return next((dict(r) for r in facts["validation"] if r["kind"] in ("security_test", "security_review")), None)

    def _oldest(self, ask: Ask[Params], facts: Facts, at: datetime, found: list[Any], tested: Any) -> Finding:
        assert ask.bound is not None
        refs = tuple(ref for ref, _since in found[:10])
        age = max((days_between(since, at) for _ref, since in found), default=Decimal(0))
        observed = f"oldest open {plain(age)} days" if found else "none open"
        if not ask.bound.holds(age):
            reason = f"The oldest open item is {plain(age)} days old; it may be {ask.bound.text()}."
            return not_met(ask, observed=observed, reason=reason, evidence=refs)
        finding = met(ask, observed=observed, reason="Tests are recent and nothing is open for too long.")
        return aged(ask, finding, facts, tested["performed_at"], at, what="The test") if tested else finding
