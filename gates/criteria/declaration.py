"""The organisation declares that a practice is in place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from gates.criterion import Ask, CriterionType, Facts, Finding, Outcome, Ref, criterion_types, met, missing, not_met
from gates.params import require_some


@dataclass(frozen=True, slots=True)
class Params:
    """
    practices: Keys of the practices.
    any_of: One of them is enough.
    """

    practices: tuple[str, ...]
    any_of: bool = False

    def __post_init__(self) -> None:
        require_some(practices=self.practices)


@criterion_types.register
class Declaration(CriterionType[Params]):
    """Judges what was declared, not whether it is true: that is what evidence and reviews are for."""

    key = "declaration"
    label = _("Declared practice")
    passes_when = _("Each practice is declared to be in place, waived with its reason, or not applicable.")
    accepts = Params
    place = "controls"
    needs = ("declarations",)

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        rows = {name: facts["declarations"].get(name) for name in ask.params.practices}
        declared = {name: row for name, row in rows.items() if row is not None}
        required = f"declared: {', '.join(ask.params.practices)}"
        refs = tuple(Ref("declaration", str(row["id"]), f"{name}: {row['source']}") for name, row in declared.items())
        absent = [name for name in rows if name not in declared]
        if absent and not (ask.params.any_of and declared):
            return missing(ask, required=required, reason=f"Nothing is declared for {', '.join(absent)}.")
        answers = {name: row["answer"] for name, row in declared.items()}
        observed = ", ".join(f"{name}: {answer.replace('_', ' ')}" for name, answer in answers.items())
        words = "; ".join(row["detail"] for row in declared.values() if row["detail"])[:500]
        if all(answer == "not_applicable" for answer in answers.values()):
            return Finding(Outcome.NOT_APPLICABLE, observed, required, words or "Declared not applicable.", refs)
        holding = [answer in ("yes", "waived", "not_applicable") for answer in answers.values()]
        if not (any(holding) if ask.params.any_of else all(holding)):
            return not_met(
                ask, observed=observed, required=required, reason=words or "Not declared to be in place.", evidence=refs
            )
        if "waived" in answers.values() and "yes" not in answers.values():
            return Finding(Outcome.WAIVED, observed, required, words or "Waived.", refs)
        return met(ask, observed=observed, required=required, reason=words or "Declared to be in place.", evidence=refs)

    def remedy(self, ask: Ask[Params]) -> str:
        return f"Put the practice in place and declare it: {', '.join(ask.params.practices)}."
