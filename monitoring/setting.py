"""What a plugin asks to be filled in: declared once, shown by forms, checked the same from everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing to fill in; with ``choices`` it is one of them."""

    name: str
    label: Any
    help: Any = ""
    required: bool = False
    default: str = ""
    choices: tuple[tuple[str, Any], ...] = ()
    is_long: bool = False
    """Several lines, such as a query."""
    least: int | None = None
    most: int | None = None
    """With either of them it is a whole number."""


def filled_in(
    settings: Sequence[Setting], given: Mapping[str, Any], *, unknown: str
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What was given, complete and trimmed, and what is wrong with it by name. ``unknown`` is said of other names."""
    errors: dict[str, list[str]] = {}
    clean: dict[str, str] = {}
    for name in sorted(given.keys() - {setting.name for setting in settings}):
        errors[name] = [unknown]
    for setting in settings:
        value = given.get(setting.name)
        text = setting.default if value in {None, ""} else str(value).strip()
        if setting.required and not text:
            errors[setting.name] = [_("This is needed.")]
        elif setting.choices and text not in {choice for choice, _label in setting.choices}:
            errors[setting.name] = [_("Choose one of the given values.")]
        elif problem := _number_problem(setting, text):
            errors[setting.name] = [problem]
        elif text:
            clean[setting.name] = text
    return clean, errors


def _number_problem(setting: Setting, text: str) -> str:
    if not text or (setting.least is None and setting.most is None):
        return ""
    least, most = setting.least or 0, setting.most if setting.most is not None else 10**9
    if text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most:
        return ""
    return _("Give a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}
