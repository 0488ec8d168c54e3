"""Units, use cases and KPIs as the services make them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import factory as factory_boy
from django.utils import timezone
from factory.django import DjangoModelFactory

from ledger import SYSTEM
from portfolio import services
from portfolio.models import BusinessUnit, Kpi, KpiMeasurement, UseCase

factory: Any = factory_boy  # its declarations carry no types


def organisation() -> BusinessUnit:
    """The root of the tree, made when it is first asked for."""
    root = BusinessUnit.objects.filter(parent__isnull=True).first()
    return root or services.create_unit(code="acme", name="Acme Group", by=SYSTEM)


class UnitFactory(DjangoModelFactory[BusinessUnit]):
    """A unit below the organisation, or below ``parent``."""

    class Meta:
        model = BusinessUnit

    code = factory.Sequence(lambda n: f"unit-{n}")
    name = factory.Sequence(lambda n: f"Unit {n}")
    parent = factory.LazyFunction(organisation)
    description = ""

    @classmethod
    def _create(cls, model_class: type[BusinessUnit], *args: Any, **kwargs: Any) -> BusinessUnit:
        return services.create_unit(by=SYSTEM, **kwargs)


class UseCaseFactory(DjangoModelFactory[UseCase]):
    """An idea in a unit of its own. Any field may be given"""

    class Meta:
        model = UseCase

    unit = factory.SubFactory(UnitFactory)
    name = factory.Sequence(lambda n: f"Use case {n}")

    @classmethod
    def _create(cls, model_class: type[UseCase], *args: Any, **kwargs: Any) -> UseCase:
        engine = {name: kwargs.pop(name) for name in _FOUND if name in kwargs}
        use_case = services.create_use_case(by=SYSTEM, **kwargs)
        if engine:
            UseCase.objects.filter(pk=use_case.pk).update(**engine)
            use_case.refresh_from_db()
        return use_case


_FOUND = (
    "assurance",
    "assurance_reason",
    "assurance_since",
    "next_gate",
    "gate_met",
    "gate_required",
    "created_by",
    "created_at",
)
"""Fields that no service sets at creation: written as they are given."""


class KpiFactory(DjangoModelFactory[Kpi]):
    """A KPI with baseline and target, not locked; ``lock=True`` locks it."""

    class Meta:
        model = Kpi

    use_case = factory.SubFactory(UseCaseFactory)
    key = factory.Sequence(lambda n: f"kpi-{n}")
    name = factory.Sequence(lambda n: f"Handling time {n}")
    unit = "minutes"
    direction = "lower"
    baseline = Decimal(12)
    target = Decimal(8)

    @classmethod
    def _create(cls, model_class: type[Kpi], *args: Any, **kwargs: Any) -> Kpi:
        lock = kwargs.pop("lock", False)
        kpi = services.define_kpi(by=SYSTEM, **kwargs)
        return services.lock_kpi(kpi=kpi, by=SYSTEM) if lock else kpi


def measure(kpi: Kpi, value: Decimal | int | str, *, days_ago: int = 1, days: int = 7, **more: Any) -> KpiMeasurement:
    """A measurement whose window of ``days`` ended ``days_ago``."""
    end: date = timezone.localdate() - timedelta(days=days_ago)
    more.setdefault("source", "warehouse")
    return services.record_measurement(
        kpi=kpi, window_start=end - timedelta(days=days - 1), window_end=end, value=Decimal(value), by=SYSTEM, **more
    )
