"""Django's admin shows what governance holds; it changes none of it: that is for services, which record it."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin import ReadOnly
from governance import models


@admin.register(models.Evidence)
class EvidenceAdmin(ReadOnly):
    list_display = ("title", "use_case", "kind", "criterion", "added_by", "added_at", "verified_by", "withdrawn_at")
    list_filter = ("kind",)
    search_fields = ("title", "sha256", "use_case__key")
    list_select_related = ("use_case", "added_by", "verified_by")
    exclude = ("file",)  # files go through a view that asks for permission


@admin.register(models.Document)
class DocumentAdmin(ReadOnly):
    list_display = ("title", "use_case", "doc_type", "revision", "status", "is_current", "written_by")
    list_filter = ("status", "doc_type", "is_current")
    search_fields = ("title", "use_case__key")
    list_select_related = ("use_case", "written_by")


@admin.register(models.RiskClassification)
class RiskClassificationAdmin(ReadOnly):
    list_display = ("use_case", "tier", "override_tier", "score", "is_current", "classified_by", "confirmed_by")
    list_filter = ("tier", "is_current", "provisional")
    search_fields = ("use_case__key",)
    list_select_related = ("use_case", "classified_by", "confirmed_by")


@admin.register(models.ModelVersion)
class ModelVersionAdmin(ReadOnly):
    list_display = ("model", "label", "state", "author", "registered_at", "approved_by")
    list_filter = ("state",)
    search_fields = ("label", "model__name")
    list_select_related = ("model", "author", "approved_by")


@admin.register(models.ValidationRun)
class ValidationRunAdmin(ReadOnly):
    list_display = ("use_case", "kind", "verdict", "performed_at", "recorded_by", "source")
    list_filter = ("verdict", "kind")
    search_fields = ("use_case__key", "external_id")
    list_select_related = ("use_case", "recorded_by")


@admin.register(models.Issue)
class IssueAdmin(ReadOnly):
    list_display = ("title", "use_case", "kind", "severity", "state", "due_on", "owner")
    list_filter = ("kind", "severity", "state")
    search_fields = ("title", "use_case__key")
    list_select_related = ("use_case", "owner")


@admin.register(
    models.AccessReview,
    models.AiModel,
    models.DataAccessRequest,
    models.Dataset,
    models.DecisionType,
    models.Incident,
    models.IntegrationPoint,
    models.IntegrationTest,
    models.OversightPlan,
    models.PostMortem,
    models.PracticeDeclaration,
    models.QuestionnaireResponse,
    models.RiskItem,
    models.SpecialistReview,
    models.TierLowering,
    models.TrainingRecord,
    models.VersionDataset,
)
class RecordAdmin(ReadOnly):
    """The small records, with nothing but their name."""
