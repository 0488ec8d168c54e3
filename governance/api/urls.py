"""Addresses of governance below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

from governance.api.documents import DocumentViewSet
from governance.api.evidence import EvidenceViewSet, ValidationRunViewSet
from governance.api.issues import IncidentViewSet, IssueViewSet
from governance.api.models import DatasetViewSet, ModelViewSet, VersionViewSet
from governance.api.risk import ClassificationViewSet, QuestionnaireViewSet, RiskViewSet

router = SimpleRouter()
router.register("evidence", EvidenceViewSet, basename="evidence")
router.register("validation-runs", ValidationRunViewSet, basename="validation-run")
router.register("documents", DocumentViewSet, basename="document")
router.register("models", ModelViewSet, basename="model")
router.register("versions", VersionViewSet, basename="version")
router.register("datasets", DatasetViewSet, basename="dataset")
router.register("issues", IssueViewSet, basename="issue")
router.register("incidents", IncidentViewSet, basename="incident")
router.register("risk-classifications", ClassificationViewSet, basename="risk-classification")
router.register("risks", RiskViewSet, basename="risk")
router.register("questionnaires", QuestionnaireViewSet, basename="questionnaire")

urlpatterns: list[URLPattern | URLResolver] = [*router.urls]
