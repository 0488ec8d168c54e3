"""Answers to the risk questionnaire in their one normal form; anything the questionnaire does not know is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from governance.risk.questions import questionnaire
from kernel.errors import Invalid

BLANK = (None, "")


def normalise(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Known answers only, lists sorted, factors as whole numbers; raises ``Invalid`` with the errors by question.

    The shape: ``prohibited`` point -> answer, ``factors`` factor -> 0..4 or null, a list for each multiple choice,
    and the value itself for every single question. What was not answered is left out.
    """
    questions = questionnaire()
    errors: dict[str, list[str]] = {}
    known = {"prohibited", "factors", *questions.multiple, *(question.key for question in questions.single)}
    for key in sorted(set(answers) - known):
        errors[key] = [_("The questionnaire has no such question.")]
    found: dict[str, Any] = {
        "prohibited": _prohibited(answers.get("prohibited"), errors),
        "factors": _factors(answers.get("factors"), errors),
    }
    for name, items in questions.multiple.items():
        found[name] = _chosen(name, answers.get(name), [item.key for item in items], errors)
    for question in questions.single:
        value = answers.get(question.key)
        if value not in BLANK:
            _check_option(question.key, value, list(question.options), errors)
            found[question.key] = value
    if errors:
        raise Invalid(_("Some answers are not among those that the questionnaire offers."), errors=errors)
    return found


def _prohibited(given: object, errors: dict[str, list[str]]) -> dict[str, str]:
    rows = _mapping("prohibited", given, errors)
    options = {question.key: list(question.options) for question in questionnaire().prohibited}
    for key, value in rows.items():
        _check_option(f"prohibited.{key}", value, options.get(key, []), errors)
    return {key: rows[key] for key in options if key in rows}


def _factors(given: object, errors: dict[str, list[str]]) -> dict[str, int | None]:
    rows = _mapping("factors", given, errors)
    keys = [factor.key for factor in questionnaire().factors]
    found: dict[str, int | None] = {}
    for key, value in rows.items():
        if key not in keys or str(value) not in {"0", "1", "2", "3", "4"}:
            errors[f"factors.{key}"] = [_("Answer one of the factors with a whole number from 0 to 4.")]
        else:
            found[key] = int(value)
    return {key: found[key] for key in keys if key in found}


def _chosen(name: str, given: object, known: list[str], errors: dict[str, list[str]]) -> list[str]:
    if given in BLANK:
        return []
    if not isinstance(given, list | tuple) or not all(isinstance(value, str) for value in given):
        errors[name] = [_("Give a list of items.")]
        return []
    unknown = sorted(set(given) - set(known))
    # The effects may also be named freely: only whether there are any decides.
    if unknown and name != "effects":
        errors[name] = [_("Unknown: %(items)s.") % {"items": ", ".join(unknown)}]
    return [key for key in known if key in given] + (unknown if name == "effects" else [])


def _mapping(name: str, given: object, errors: dict[str, list[str]]) -> dict[str, Any]:
    if given in BLANK:
        return {}
    if not isinstance(given, Mapping):
        errors[name] = [_("Give an answer for each question by its key.")]
        return {}
    return {str(key): value for key, value in given.items() if value not in BLANK}


def _check_option(key: str, value: object, options: list[str], errors: dict[str, list[str]]) -> None:
    if value not in options:
        offered = ", ".join(options) or _("nothing: there is no such question")
        errors[key] = [_("%(value)s is not an answer; offered: %(options)s.") % {"value": value, "options": offered}]
