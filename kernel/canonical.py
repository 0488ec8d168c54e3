"""Canonical JSON: one value, one sequence of bytes, so that a digest means the same everywhere.

A subset of RFC 8785 (JSON Canonicalization Scheme): keys sorted by their UTF-16 code units, no white space,
UTF-8, the escapes of ECMAScript, and whole numbers within ±(2^53 - 1). Floats are refused, not rounded: two
languages may print the same float differently, and a threshold that decides a gate must not depend on that.
Decimals, dates, times and UUIDs become strings in one spelling each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import TypeAlias
from uuid import UUID

MAX_SAFE_INTEGER = 2**53 - 1

Plain: TypeAlias = "str | int | bool | list[Plain] | dict[str, Plain] | None"


def canonical_bytes(value: object) -> bytes:
    """The canonical UTF-8 JSON of a value.

    Raises ``TypeError`` for a type that has no canonical form (floats, sets, naive times, keys that are not
    strings) and ``ValueError`` for a value that has none (a lone surrogate, NaN, an integer beyond 2^53 - 1).
    """
    return plain_bytes(plain(value))


def digest(value: object) -> str:
    """SHA-256, in hexadecimal, of the canonical bytes."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def plain(value: object) -> Plain:
    """The same value made of strings, whole numbers, booleans, nulls, lists and sorted dictionaries only."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _spelled(value)


def plain_bytes(value: Plain) -> bytes:
    """Canonical bytes of a value that went through ``plain`` already."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


def _integer(value: int) -> int:
    if abs(value) > MAX_SAFE_INTEGER:
        raise ValueError(f"canonical JSON holds no integer beyond 2^53 - 1: {value}; give it as a string")
    return int(value)


def _object(value: Mapping[object, object]) -> dict[str, Plain]:
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"canonical JSON needs keys that are strings, not {type(key).__name__}: {key!r}")
    keys = [str.__str__(key) for key in value if isinstance(key, str)]
    # Only characters beyond the basic plane sort differently by UTF-16 code unit than by code point.
    in_order = sorted(keys) if all(map(str.isascii, keys)) else sorted(keys, key=_utf16)
    return {key: plain(value[key]) for key in in_order}


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")


def _spelled(value: object) -> str:
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise TypeError(f"canonical JSON needs times with a time zone: {value!r}")
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON: {value!r}")


def _decimal(value: Decimal) -> str:
    """Plain digits without trailing zeros and without an exponent: 1.50 is "1.5", 1E+2 is "100", -0 is "0"."""
    if not value.is_finite():
        raise ValueError(f"canonical JSON holds no {value}")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
