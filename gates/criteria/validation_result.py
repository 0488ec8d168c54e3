"""Each listed kind of test has a passing run on the candidate version."""

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
    Ref,
    aged,
    criterion_types,
    listed,
    met,
    missing,
    not_met,
    plain,
    with_unit,
)
from gates.measures import days_between
from gates.params import require_some


@dataclass(frozen=True, slots=True)
class Params:
    """
    kinds: Kinds of test; the newest run of each has to pass.
    independent: The run was made by somebody outside the team.
    max_age_days: Oldest run that counts.
    """

    kinds: tuple[str, ...]
    independent: bool = False
    max_age_days: int = 0

    def __post_init__(self) -> None:
        require_some(kinds=self.kinds)


@criterion_types.register
class ValidationResult(CriterionType[Params]):
    key = "validation_result"
    label = _("Validation result")
    passes_when = _("Each listed kind of test has a passing run on the candidate version.")
    accepts = Params
    place = "validation"
    needs = ("validation", "models", "changes")

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        newest = {kind: self._newest(kind, facts) for kind in ask.params.kinds}
        runs = {kind: run for kind, run in newest.items() if run is not None}
        passed = [kind for kind, run in runs.items() if self._passes(ask, run, at)]
        refs = _refs(runs)
        enough = int(ask.bound.value) if ask.bound and ask.bound.measure == "validation_kinds_passed" else len(newest)
        required = (
            f"{listed(ask.params.kinds)} passed" if enough == len(newest) else f"{enough} of {len(newest)} kinds passed"
        )
        observed = f"{len(passed)} of {len(newest)} passed"
        if len(passed) < enough:
            return self._short(ask, runs, passed, (observed, required))
        counted = [runs[kind] for kind in passed]
        wrong = self._outside(ask, counted, at)
        if wrong:
            return not_met(ask, observed=observed, required=required, reason=wrong, evidence=refs)
        finding = met(ask, observed=observed, required=required, reason="The tests passed.", evidence=refs)
        return aged(ask, finding, facts, min(r["performed_at"] for r in counted), at, what="The oldest run")

    def remedy(self, ask: Ask[Params]) -> str:
        who = " by someone outside the team" if ask.params.independent else ""
        return f"Run {listed(ask.params.kinds)}{who} on the candidate version and log the result."

    def _newest(self, kind: str, facts: Facts) -> dict[str, Any] | None:
        candidate = facts["models"]["candidate"]
        for run in facts["validation"]:  # newest first
            if run["kind"] == kind and (candidate is None or run["version_id"] in (None, candidate["id"])):
                return dict(run)
        return None

    def _passes(self, ask: Ask[Params], run: dict[str, Any], at: datetime) -> bool:
        if run["verdict"] != "pass" or (ask.params.independent and not run["independent"]):
            return False
        return not ask.params.max_age_days or days_between(run["performed_at"], at) <= ask.params.max_age_days

    def _short(self, ask: Ask[Params], runs: dict[str, Any], passed: list[str], shown: tuple[str, str]) -> Finding:
        observed, required = shown
        refs = _refs(runs)
        absent = [kind for kind in ask.params.kinds if kind not in runs]
        if absent:
            reason = f"No run on the candidate version yet: {listed(absent)}."
            return missing(ask, observed=observed, required=required, reason=reason, evidence=refs)
        failed = [kind for kind in ask.params.kinds if kind not in passed]
        cause = (
            "did not pass, is too old or was not independent"
            if ask.params.independent
            else "did not pass or is too old"
        )
        reason = f"{listed(failed).capitalize()}: the newest run {cause}."
        return not_met(ask, observed=observed, required=required, reason=reason, evidence=refs)

    def _outside(self, ask: Ask[Params], runs: list[dict[str, Any]], at: datetime) -> str:
        bound = ask.bound
        if bound is None or bound.measure in ("validation_pass", "validation_kinds_passed"):
            return ""
        value = self._measure(bound.measure, runs, at)
        name = bound.measure.replace("_", " ")
        if value is None:
            return f"The run does not state its {name}."
        if bound.holds(value):
            return ""
        return f"{name.capitalize()} is {with_unit(plain(value), bound.unit)}, which has to be {bound.text()}."

    def _measure(self, name: str, runs: list[dict[str, Any]], at: datetime) -> Decimal | None:
        if name == "expert_reviewers":
            return Decimal(max(r["reviewers"] for r in runs))
        if name == "open_major_findings":
            return Decimal(sum(r["open_major_findings"] for r in runs))
        if name == "validation_age":
            return max(days_between(r["performed_at"], at) for r in runs)
        stated = [Decimal(str(r["metrics"][name])) for r in runs if name in r["metrics"]]
        return max(stated) if stated else None


def _refs(runs: dict[str, Any]) -> tuple[Ref, ...]:
    return tuple(Ref("validation_run", str(r["id"]), r["kind"].replace("_", " ")) for r in runs.values())
