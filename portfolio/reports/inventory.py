"""The inventory: every field of every use case, in columns that the profile ``tollgate-inventory`` reads back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from kernel.tables import Column
from portfolio.models import UseCase
from portfolio.report import Report, reports
from portfolio.services.use_cases import INTAKE, PROFILE

FIELDS: tuple[str, ...] = (
    "key",
    "name",
    "unit_code",
    "unit_name",
    "summary",
    "stage",
    "stage_since",
    "status",
    "tier",
    "tier_source",
    "legal_hold",
    "assurance",
    "assurance_reason",
    "next_gate",
    "gate_met",
    "gate_required",
    *INTAKE,
    *PROFILE,
    "created_at",
    "updated_at",
)
"""Heads of the file, in machine words: a translated head could not be read back."""
BATCH = 500


def _value(name: str) -> Callable[[UseCase], object] | None:
    if name == "unit_code":
        return lambda use_case: use_case.unit.code
    if name == "unit_name":
        return lambda use_case: use_case.unit.name
    return None


INVENTORY_COLUMNS: tuple[Column, ...] = tuple(Column(name, name, value=_value(name)) for name in FIELDS)


def inventory_rows(use_cases: QuerySet[UseCase]) -> Iterator[UseCase]:
    """Rows for the columns, streamed."""
    return use_cases.select_related("unit").defer("source_data").iterator(chunk_size=BATCH)


@reports.register
class Inventory(Report):
    key: ClassVar[str] = "inventory"
    title: ClassVar[Any] = _("Inventory")
    description: ClassVar[Any] = _("Every field of every use case. The file can be corrected and imported again.")
    order: ClassVar[int] = 10
    icon: ClassVar[str] = "portfolio"

    def columns(self) -> Sequence[Column]:
        return INVENTORY_COLUMNS

    def rows(self, request: HttpRequest, use_cases: QuerySet[UseCase]) -> Iterator[UseCase]:
        return inventory_rows(use_cases.order_by("key"))
