"""Values checked by the fields that will hold them, and said as ``Invalid`` with the fields that are wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from kernel.database import lock_rows
from kernel.errors import Invalid

M = TypeVar("M", bound=models.Model)


def refuse_unknown(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise ``Invalid`` for names that are no fields of ours: a misspelt field must not be dropped silently."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        said = _("There is no such field.")
        raise Invalid(
            _("Unknown: %(names)s.") % {"names": ", ".join(unknown)}, errors={name: [said] for name in unknown}
        )


def assign(instance: models.Model, values: Mapping[str, Any]) -> None:
    """Set the values on the instance as their fields clean them; all that is wrong is said at once."""
    errors: dict[str, list[str]] = {}
    for name, value in values.items():
        field = instance._meta.get_field(name)
        if not isinstance(field, models.Field) or field.is_relation:
            setattr(instance, name, value)
            continue
        try:
            setattr(instance, name, _cleaned(field, value, instance))
        except ValidationError as error:
            errors[name] = error.messages
    refuse(errors)


def refuse(errors: Mapping[str, Iterable[str]]) -> None:
    """Raise ``Invalid`` if there is any error; its message is the first of them."""
    said = {name: list(messages) for name, messages in errors.items() if messages}
    if said:
        name, messages = next(iter(said.items()))
        raise Invalid(f"{name}: {messages[0]}" if name else messages[0], errors=said)


def locked(model: type[M], pk: object, *related: str) -> M:
    """The row as it is now, held until the transaction ends."""
    manager: models.Manager[M] = model._default_manager
    queryset: models.QuerySet[M, M] = manager.filter(pk=pk)
    return lock_rows(queryset.select_related(*related) if related else queryset).get()


def _cleaned(field: models.Field[Any, Any], value: Any, instance: models.Model) -> Any:
    if isinstance(value, str):
        value = value.strip()
    if value is None and not field.null and field.empty_strings_allowed and field.blank:
        value = ""
    if isinstance(field, models.JSONField):
        return value
    return field.clean(value, instance)
