"""What the codes of a classification mean, in words for people who decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from governance.risk.questions import questionnaire
from governance.risk.rule import classify

OBSTACLES = {
    "profiling": lazy("it profiles people, or nobody ruled that out"),
    "material_influence": lazy("it influences decisions materially, or nobody ruled that out"),
    "no_condition": lazy("none of the conditions for an exemption holds"),
    "not_documented": lazy("the exemption is not written down and approved"),
}
WORDS = {
    "SCORE": lazy("The score of the internal factors reaches this tier."),
    "ANNEX-I": lazy("It is, or secures, a product that needs third-party assessment."),
    "ANNEX-III-EXEMPT": lazy("It works in an area of high risk, but the documented exemption holds."),
    "GPAI-PROVIDER": lazy("We provide a general-purpose model."),
    "GPAI-SYSTEMIC": lazy("We provide a general-purpose model with systemic risk."),
    "HIGH-IMPACT": lazy("Its output is a principal basis for decisions with effect on what is listed, or may be."),
    "PRESUMED": lazy("It is one of the uses that are presumed to be of high impact."),
    "PRESUMED-REBUTTED": lazy("It is a presumed use, but a written determination says otherwise."),
    "PRESUMED-2024": lazy("It is one of the uses of the older list that we keep as a caution."),
    "X1": lazy("The worst credible harm is to life, liberty or the whole system."),
    "X2": lazy("It acts alone, what it does can hardly be undone, and people are harmed if it errs."),
    "X3": lazy("Vulnerable people are affected, and harm is more than minor."),
    "X4": lazy("It uses the most sensitive data, and harm can be serious."),
    "X5": lazy("It uses the most sensitive data and acts after routine confirmation or alone."),
    "X6": lazy("It acts alone without review, at large scale."),
    "X7": lazy("It depends on an opaque vendor, and harm is more than minor."),
    "X8": lazy("It is an agent that acts through tools, in the hands of many."),
}
DUTIES = {
    "EU-4.1": lazy("AI literacy of everybody who works with it"),
    "EU-6.4": lazy("Documented assessment of the exemption"),
    "EU-9.1": lazy("Risk management system"),
    "EU-14.1": lazy("Human oversight by design"),
    "EU-26.2": lazy("Oversight by competent people at the deployer"),
    "EU-27.1": lazy("Fundamental-rights impact assessment, to be checked"),
    "EU-43.3": lazy("Conformity assessment with the product"),
    "EU-49.2": lazy("Registration of the exempted system"),
    "EU-50.1": lazy("People are told that they deal with an AI"),
    "EU-50.2": lazy("Generated content is marked as such"),
    "EU-50.3": lazy("People exposed are told"),
    "EU-50.4": lazy("Deepfakes and public-interest text are disclosed"),
    "EU-53.1": lazy("Documentation of the general-purpose model"),
    "EU-55.1": lazy("Evaluation and mitigation of systemic risk"),
}


def explain(codes: Iterable[str], answers: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each rule that fired: its code and what it says."""
    details = {trigger.code: trigger.detail for trigger in classify(answers).triggers}
    return [{"code": code, "text": _reason(code, details.get(code, ""))} for code in codes]


def flag_words(codes: Iterable[str]) -> list[str]:
    asked = questionnaire()
    factors = {factor.key: factor.text for factor in asked.factors}
    words = []
    for code in codes:
        unknown = code.removeprefix("UNKNOWN-")
        known = asked.flags.get(code) or code
        words.append(_("Not answered: %(factor)s.") % {"factor": factors[unknown]} if unknown in factors else _(known))
    return words


def duty_words(codes: Iterable[str]) -> list[dict[str, str]]:
    return [{"code": code, "text": str(DUTIES.get(code, ""))} for code in codes]


def inconsistencies(answers: Mapping[str, Any], use_case: Any) -> list[str]:
    """Answers that sit badly with each other or with the profile; a person has to look, nothing is changed."""
    return list(_inconsistencies(answers, use_case))


def _inconsistencies(answers: Mapping[str, Any], use_case: Any) -> Iterator[str]:
    factors = answers.get("factors", {})
    annex, transparency = answers.get("annex_iii", []), answers.get("transparency", [])
    if "emotion_biometric" in transparency and not {"1b", "1c"} & set(annex):
        yield _("It recognises emotions or sorts by biometrics, but no such area of high risk is ticked.")
    words = f"{use_case.summary} {use_case.target_users} {use_case.problem_statement}".lower()
    if factors.get("F-VULN") == 0 and any(word in words for word in ("child", "patient", "minor ", "pupil")):
        yield _("The intake names children or patients, but vulnerable groups are answered with none.")
    if use_case.personal_data and factors.get("F-DATA") is not None and factors["F-DATA"] < 2:
        yield _("The profile says that personal data is used, but data sensitivity is below personal.")
    if use_case.generative_or_agentic and factors.get("F-NOVEL") == 4 and (factors.get("F-AUTONOMY") or 0) < 2:
        yield _("It is an agent with tools, but autonomy is answered as suggesting only.")
    if annex and answers.get("principal_basis") == "no" and answers.get("exemption", "none") == "none":
        yield _("It works in an area of high risk and decides nothing, but no exemption is claimed.")


def answered(answers: Mapping[str, Any]) -> list[dict[str, str]]:
    """Question and answer in words, in the order of the form; what was not answered says so."""
    asked = questionnaire()
    rows: list[dict[str, str]] = []
    given = answers.get("prohibited", {})
    rows.extend(_row(each.text, each.options.get(given.get(each.key, ""))) for each in asked.prohibited)
    rows.extend(_row(each.text, each.options.get(answers.get(each.key, ""))) for each in asked.single)
    for name, items in asked.multiple.items():
        chosen = [item.text for item in items if item.key in answers.get(name, [])]
        rows.append(_row(name.replace("_", " ").capitalize(), "; ".join(chosen) or _("None of them")))
    for factor in asked.factors:
        value = answers.get("factors", {}).get(factor.key)
        rows.append(_row(factor.text, None if value is None else f"{value}: {factor.options[value]}"))
    return rows


def _row(label: str, value: str | None) -> dict[str, str]:
    return {"label": _(label), "value": _(value) if value else _("Not answered")}


def _reason(code: str, detail: str) -> str:
    asked = questionnaire()
    if code == "ANNEX-III":
        return _("It works in an area of high risk, and %(why)s.") % {"why": str(OBSTACLES.get(detail, ""))}
    if code in WORDS:
        return str(WORDS[code])
    kind, _dash, key = code.partition("-")
    if kind == "ART50":
        text = next((item.text for item in asked.transparency if item.key == key), key)
        return _("People have to be told: %(what)s.") % {"what": _(text).lower()}
    text = next((question.text for question in asked.prohibited if question.key == key), key)
    said = {
        "PROHIBITED": _("Answered yes: %(question)s"),
        "HOLD": _("Nobody is sure: %(question)s"),
        "EXCEPTION": _("Only a named exception keeps this from being prohibited: %(question)s"),
    }
    return said.get(kind, "%(question)s") % {"question": _(text)}
