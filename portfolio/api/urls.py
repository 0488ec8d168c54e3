"""Addresses of the portfolio below /api/v1/."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from portfolio.api.kpis import KpiViewSet, MeasurementViewSet
from portfolio.api.units import UnitViewSet
from portfolio.api.use_cases import StageChangeViewSet, UseCaseViewSet

router = SimpleRouter()
router.register("use-cases", UseCaseViewSet, basename="use-case")
router.register("stage-changes", StageChangeViewSet, basename="stage-change")
router.register("kpis", KpiViewSet, basename="kpi")
router.register("measurements", MeasurementViewSet, basename="measurement")
router.register("units", UnitViewSet, basename="unit")

urlpatterns: list[URLPattern | URLResolver] = [
    *([path("", include("portfolio.api.imports"))] if find_spec("portfolio.api.imports") else []),
    *router.urls,
]
