"""Figures as decimals in text: what is stored is what was said, never a binary approximation of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from kernel.errors import Invalid

LARGEST = Decimal(10) ** 15
PLACES = 9


def decimals(figures: Mapping[str, object], *, field: str = "metrics") -> dict[str, str]:
    """Key -> decimal as plain text. Refused: what is no number, NaN, infinity, absurd sizes; floats by their text."""
    found: dict[str, str] = {}
    wrong: list[str] = []
    for key, value in figures.items():
        number = _number(value)
        if not str(key).strip() or len(str(key)) > 100 or number is None:
            wrong.append(_("%(key)s: %(value)s is not a number that can be kept.") % {"key": key, "value": value})
        else:
            found[str(key).strip()] = format(number.normalize(), "f")
    if wrong:
        raise Invalid(_("Some figures are not numbers."), errors={field: wrong})
    return found


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) > LARGEST:
        return None
    return number if number == 0 or number.as_tuple().exponent >= -PLACES else round(number, PLACES)  # type: ignore[operator]
