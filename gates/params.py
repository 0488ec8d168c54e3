"""Typed parameters of criteria: one dataclass validates policy files, forms and API alike."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

P = TypeVar("P")


class ParamError(ValueError):
    """One wrong parameter: ``key`` names it, the message says what is accepted."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key
        self.message = message


def parse_params(kind: type[P], raw: Mapping[str, Any]) -> P:
    """Build the dataclass ``kind`` from plain data; unknown, missing and mistyped keys raise ``ParamError``."""
    hints = get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]  # kind is always a dataclass
    for key in raw:
        if key not in fields:
            raise ParamError(key, f"unknown parameter {key!r} (known: {', '.join(sorted(fields)) or 'none'})")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in raw:
            values[name] = _coerce(name, hints[name], raw[name])
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ParamError(name, f"the parameter {name!r} is required")
    try:
        return kind(**values)
    except ValueError as error:
        raise ParamError("", str(error)) from error


def require_some(**lists: tuple[object, ...]) -> None:
    """A list parameter that is empty would be met by anything."""
    for name, items in lists.items():
        if not items:
            raise ValueError(f"{name!r} cannot be empty")


def _coerce(key: str, hint: Any, value: Any) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        return _coerce(key, next(arg for arg in get_args(hint) if arg is not type(None)), value)
    if origin is Literal:
        if value not in get_args(hint):
            raise ParamError(key, f"{value!r} is not one of {', '.join(map(str, get_args(hint)))}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise ParamError(key, f"has to be a list, not {value!r}")
        return tuple(_coerce(key, get_args(hint)[0], item) for item in value)
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise ParamError(key, f"has to be a mapping, not {value!r}")
        return parse_params(hint, value)  # type: ignore[arg-type]  # is_dataclass narrows to an instance too
    return _plain(key, hint, value)


def _plain(key: str, hint: Any, value: Any) -> Any:
    if hint is Decimal:
        if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
            raise ParamError(key, f"has to be a number, not {value!r}")
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise ParamError(key, f"has to be a number, not {value!r}") from None
        if not number.is_finite():
            raise ParamError(key, "has to be a finite number")
        return number
    if hint is bool and not isinstance(value, bool):
        raise ParamError(key, f"has to be true or false, not {value!r}")
    if hint is int and (isinstance(value, bool) or not isinstance(value, int)):
        raise ParamError(key, f"has to be a whole number, not {value!r}")
    if hint is str and not isinstance(value, str):
        raise ParamError(key, f"has to be text, not {value!r}")
    return value
