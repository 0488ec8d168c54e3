"""Sums of floats that come out the same in any order.

Every finite double is a whole multiple of 2^-1074, so a sum of doubles is a whole number of those. Adding whole numbers
is associative; adding doubles is not, and two machines that merge the same partial profiles would disagree.
"""

from __future__ import annotations

import math
from typing import TypeAlias

Exact: TypeAlias = int
"""A whole number of 2^-1074."""

_BITS = 1074
_ONE = 1 << _BITS


def exact(value: float) -> Exact:
    """The double itself. Raises ``OverflowError`` or ``ValueError`` for infinity and NaN."""
    mantissa, exponent = math.frexp(value)
    whole, shift = int(mantissa * 2**53), exponent - 53 + _BITS
    return whole << shift if shift >= 0 else whole >> -shift  # below zero only for subnormals, whose low bits are 0


def rounded(value: Exact) -> float:
    """The nearest double; infinite when it is beyond the largest."""
    try:
        return value / _ONE
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def spelled(value: Exact) -> str:
    """In hexadecimal, without the zeros at its end and with how many bits those were: ``-1a3:1070``."""
    if value == 0:
        return "0:0"
    zeros = (value & -value).bit_length() - 1
    return f"{value >> zeros:x}:{zeros}"


def read(text: str) -> Exact:
    """What ``spelled`` wrote. Raises ``ValueError``."""
    digits, _colon, zeros = text.partition(":")
    if len(digits) > 800 or not 0 <= int(zeros or "0") <= 4300:
        raise ValueError(f"not a sum: {text[:40]}")
    return int(digits, 16) << int(zeros or "0")
