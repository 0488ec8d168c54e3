"""Addresses of monitoring below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from monitoring.api.alerts import AlertViewSet
from monitoring.api.comparisons import ComparisonViewSet
from monitoring.api.contents import ContentComparisonViewSet, ContentSetupViewSet
from monitoring.api.dashboards import DashboardViewSet
from monitoring.api.otlp import OtlpMetricsView
from monitoring.api.outputs import (
    OutputBatchView,
    OutputReviewViewSet,
    OutputViewSet,
    SamplingPlanViewSet,
    VerdictViewSet,
)
from monitoring.api.points import PointBatchView
from monitoring.api.profiles import DataProfileViewSet, DriftReportViewSet
from monitoring.api.receivers import RetrainingReceiverViewSet
from monitoring.api.responses import ResponseTimesView, ResponseTimeView
from monitoring.api.retraining import RetrainingRequestViewSet
from monitoring.api.series import RuleViewSet, SeriesViewSet
from monitoring.api.sources import SourceViewSet

router = SimpleRouter()
router.register("series", SeriesViewSet, basename="series")
router.register("rules", RuleViewSet, basename="rule")
router.register("alerts", AlertViewSet, basename="alert")
router.register("dashboards", DashboardViewSet, basename="dashboard")
router.register("retraining-requests", RetrainingRequestViewSet, basename="retraining-request")
router.register("retraining-receivers", RetrainingReceiverViewSet, basename="retraining-receiver")
router.register("sources", SourceViewSet, basename="source")
router.register("comparisons", ComparisonViewSet, basename="comparison")
router.register("outputs", OutputViewSet, basename="output")
router.register("output-reviews", OutputReviewViewSet, basename="output-review")
router.register("verdicts", VerdictViewSet, basename="verdict")
router.register("sampling-plans", SamplingPlanViewSet, basename="sampling-plan")
router.register("profiles", DataProfileViewSet, basename="data-profile")
router.register("drift-reports", DriftReportViewSet, basename="drift-report")
router.register("content-setups", ContentSetupViewSet, basename="content-setup")
router.register("content-comparisons", ContentComparisonViewSet, basename="content-comparison")

urlpatterns: list[URLPattern | URLResolver] = [
    path("points:batch", PointBatchView.as_view(), name="points-batch"),
    path("outputs:batch", OutputBatchView.as_view(), name="outputs-batch"),
    path("otlp/v1/metrics", OtlpMetricsView.as_view(), name="otlp-metrics"),
    path("response-times/", ResponseTimesView.as_view(), name="response-times"),
    path("response-times/<slug:tier>/<slug:level>/", ResponseTimeView.as_view(), name="response-time"),
    *router.urls,
]
