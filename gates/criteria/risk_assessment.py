"""The risk questionnaire or the register satisfies the rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from django.utils.translation import gettext_lazy as _

from accounts.roles import catalogue, role_name
from gates.criterion import (
    Ask,
    CriterionType,
    Facts,
    Finding,
    Ref,
    aged,
    criterion_types,
    met,
    missing,
    not_met,
    plain,
    with_unit,
)
from gates.measures import days_between

RANK = {"low": 0, "medium": 1, "high": 2, "critical": 3}


@dataclass(frozen=True, slots=True)
class Params:
    """
    questionnaire: Reads the risk classification.
    register: Reads the risk register.
    section: `prohibited`: the threshold counts prohibited practices instead of unknown answers.
    complete: Without a threshold, no answer may be unknown.
    confirmed_by: Role that has to confirm the tier.
    max_residual: Highest level that may remain after treatment.
    acceptance: `by_matrix`: what remains at medium or above is accepted by somebody.
    """

    questionnaire: bool = False
    register: bool = False
    section: Literal["", "prohibited"] = ""
    complete: bool = False
    confirmed_by: str = ""
    max_residual: Literal["", "low", "medium", "high"] = ""
    acceptance: Literal["", "by_matrix"] = ""

    def __post_init__(self) -> None:
        if not (self.questionnaire or self.register):
            raise ValueError("needs 'questionnaire' or 'register'")
        if self.confirmed_by and self.confirmed_by not in catalogue().roles:
            raise ValueError(f"unknown role {self.confirmed_by!r} in 'confirmed_by'")


@dataclass(slots=True)
class Seen:
    """What the parts of one judgement looked at."""

    dates: list[datetime] = field(default_factory=list)
    refs: list[Ref] = field(default_factory=list)
    observed: list[str] = field(default_factory=list)


@criterion_types.register
class RiskAssessment(CriterionType[Params]):
    key = "risk_assessment"
    label = _("Risk assessment")
    passes_when = _("The risk classification or the risk register satisfies the rule.")
    accepts = Params
    place = "risk"
    needs = ("risks", "changes")

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        seen = Seen()
        for part in (self._classification, self._register):
            finding = part(ask, facts, at, seen)
            if finding is not None:
                return finding
        words = "; ".join(seen.observed)
        passed = met(ask, observed=words, reason="The assessment satisfies the rule.", evidence=tuple(seen.refs))
        return aged(ask, passed, facts, min(seen.dates), at, what="The assessment") if seen.dates else passed

    def remedy(self, ask: Ask[Params]) -> str:
        if ask.params.register and not ask.params.questionnaire:
            return "Rate every risk of the register, treat it, and have what remains accepted."
        confirm = f" and have {role_name(ask.params.confirmed_by)} confirm the tier" if ask.params.confirmed_by else ""
        return f"Answer the risk questionnaire completely{confirm}."

    def _classification(self, ask: Ask[Params], facts: Facts, at: datetime, seen: Seen) -> Finding | None:
        if not ask.params.questionnaire:
            return None
        row = facts["risks"]["classification"]
        if row is None:
            return missing(ask, reason="The risk questionnaire has not been answered.")
        tier = row["override_tier"] or row["tier"]
        seen.refs.append(Ref("risk_classification", str(row["id"]), f"{tier}, score {row['score']}"))
        seen.observed.append(f"{tier}, score {row['score']}")
        seen.dates.append(row["classified_at"])
        if row["legal_hold"]:
            return not_met(
                ask,
                observed=seen.observed[0],
                reason="Legal has to decide an unsure prohibited answer.",
                evidence=tuple(seen.refs),
            )
        if ask.params.section == "prohibited":
            count = Decimal(row["prohibited_hits"])
        elif ask.bound and ask.bound.measure == "days_since_assessment":
            count = days_between(row["classified_at"], at)
        else:
            count = Decimal(row["unknown_count"])
        if ask.bound and not ask.params.register and not ask.bound.holds(count):
            return self._over(ask, count, seen)
        if ask.bound and ask.bound.measure == "days_since_assessment" and not ask.bound.holds(count):
            return self._over(ask, count, seen)
        if ask.params.complete and ask.bound is None and row["unknown_count"]:
            reason = f"{row['unknown_count']} answers are unknown."
            return missing(ask, observed=seen.observed[0], reason=reason, evidence=tuple(seen.refs))
        if ask.params.confirmed_by and (row["confirmed_at"] is None or row["confirmed_at"] > at):
            reason = f"The tier is not confirmed by {role_name(ask.params.confirmed_by)}."
            return missing(ask, observed=seen.observed[0], reason=reason, evidence=tuple(seen.refs))
        return None

    def _over(self, ask: Ask[Params], value: Decimal, seen: Seen) -> Finding:
        assert ask.bound is not None
        shown = with_unit(plain(value), ask.bound.unit)
        name = ask.bound.measure.replace("_", " ")
        reason = f"{name.capitalize()}: {shown}, which has to be {ask.bound.text()}."
        return not_met(ask, observed=shown, reason=reason, evidence=tuple(seen.refs))

    def _register(self, ask: Ask[Params], facts: Facts, at: datetime, seen: Seen) -> Finding | None:
        if not ask.params.register:
            return None
        risks = [r for r in facts["risks"]["register"] if r["state"] != "closed"]
        if not facts["risks"]["register"]:
            return missing(ask, reason="The risk register is empty.")
        seen.refs.extend(Ref("risk", str(r["id"]), r["title"]) for r in risks[:10])
        seen.observed.append(f"{len(risks)} risks open")
        limit = RANK[ask.params.max_residual or "medium"]
        if ask.bound and ask.bound.measure == "untreated_high_risks":
            over = [r for r in risks if RANK[r["inherent"]] >= RANK["high"] and r["state"] == "open"]
        else:
            over = [r for r in risks if RANK[r["residual"]] > limit]
        if ask.params.acceptance:
            over += [
                r
                for r in risks
                if r["accepted_by_id"] is None and RANK[r["residual"]] >= RANK["medium"] and r not in over
            ]
        if over and (ask.params.max_residual or ask.params.acceptance):
            names = ", ".join(r["title"] for r in over[:3])
            reason = f"{len(over)} risks are above the limit, untreated or not accepted: {names}."
            return not_met(ask, observed=f"{len(over)} of {len(risks)}", reason=reason, evidence=tuple(seen.refs))
        return None
