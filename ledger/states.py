"""What an object looked like before and after: mappings of field to value, fit for canonical JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models.fields.files import FieldFile
from django.utils.duration import duration_iso_string
from django.utils.functional import Promise

from kernel.canonical import MAX_SAFE_INTEGER, canonical_bytes, plain


@dataclass(frozen=True, slots=True)
class Personal:
    """A value about a person: the event carries its salted digest, the value itself stays erasable."""

    value: object


def state(instance: models.Model, fields: Iterable[str]) -> dict[str, Any]:
    """The chosen fields of a model instance, as they are in memory, each as ``safe`` spells it. No query is made."""
    return {name: safe(_value(instance, name)) for name in fields}


def diff(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """What changed, as ``{field: {"before": …, "after": …}}``; a field that one side lacks is null there.

    Without a before (a creation) or without an after (a deletion) every field is listed. Values are compared by
    their canonical form: ``Decimal("1.50")`` and ``Decimal("1.5")`` are the same, ``True`` and ``1`` are not.
    """
    old, new = before or {}, after or {}
    one_sided = before is None or after is None
    changed: dict[str, dict[str, Any]] = {}
    for name in sorted({*old, *new}):
        was, now = safe(old.get(name)), safe(new.get(name))
        if one_sided or _comparable(was) != _comparable(now):
            changed[name] = {"before": was, "after": now}
    return changed


def safe(value: object) -> Any:
    """The value as canonical JSON can hold it; ``Personal`` values stay marked.

    Decimals, floats and integers beyond 2^53 - 1 become strings, times ISO 8601 in UTC (a naive time is taken for
    UTC), model instances their primary key, files their name, sets sorted lists. ``TypeError`` for anything else.
    """
    if isinstance(value, Personal):
        return Personal(safe(value.value))
    if isinstance(value, Enum):
        return safe(value.value)
    if isinstance(value, Mapping):
        return {str(safe(key)): safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [safe(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((safe(item) for item in value), key=canonical_bytes)
    return plain(_spelled(value))


def _comparable(value: object) -> bytes:
    return canonical_bytes(_exposed(value))


def _exposed(value: object) -> object:
    if isinstance(value, Personal):
        return {"personal": _exposed(value.value)}
    if isinstance(value, dict):
        return {key: _exposed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exposed(item) for item in value]
    return value


def _value(instance: models.Model, name: str) -> object:
    field = instance._meta.get_field(name)
    if isinstance(field, models.ManyToManyField) or not isinstance(field, models.Field):
        raise TypeError(f"{instance._meta.label}.{name} is not a column of its own table")
    return field.value_from_object(instance)  # of a foreign key: the key it holds


def _spelled(value: object) -> object:
    """A single value in a type that canonical JSON knows."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) <= MAX_SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return Decimal(repr(value)) if isfinite(value) else repr(value)
    if isinstance(value, datetime) and value.utcoffset() is None:
        return value.replace(tzinfo=UTC)
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration_iso_string(value)
    return _spelled_django(value)


def _spelled_django(value: object) -> object:
    if isinstance(value, models.Model):
        return value.pk if isinstance(value.pk, UUID | str) else str(value.pk)
    if isinstance(value, FieldFile):
        return value.name or ""
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return value
