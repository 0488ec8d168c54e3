"""Django's admin shows reviews, votes, decisions and policies; it changes none of them: that is for services."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin import ReadOnly
from gates import models


@admin.register(models.PolicyVersion)
class PolicyVersionAdmin(ReadOnly):
    list_display = ("policy", "label", "state", "digest", "published_at", "published_by")
    list_filter = ("state",)
    search_fields = ("policy__key", "label", "digest")
    list_select_related = ("policy", "published_by")


@admin.register(models.Review)
class ReviewAdmin(ReadOnly):
    list_display = ("number", "use_case", "gate", "state", "tier", "round", "digest", "submitted_by", "due_at")
    list_filter = ("state", "gate", "tier")
    search_fields = ("number", "use_case__key", "digest")
    list_select_related = ("use_case", "submitted_by")


@admin.register(models.SignOff)
class SignOffAdmin(ReadOnly):
    list_display = ("review", "role", "person", "verdict", "digest", "signed_at", "lapsed_at")
    list_filter = ("verdict", "role")
    search_fields = ("review__number", "digest")
    list_select_related = ("review", "person")


@admin.register(models.Decision)
class DecisionAdmin(ReadOnly):
    list_display = ("review", "outcome", "digest", "body_digest", "decided_by", "decided_at")
    list_filter = ("outcome",)
    search_fields = ("review__number", "digest", "body_digest")
    list_select_related = ("review", "decided_by")


@admin.register(models.GateAssurance)
class GateAssuranceAdmin(ReadOnly):
    list_display = ("use_case", "gate", "state", "since", "due_at", "review_due_at")
    list_filter = ("state", "gate")
    search_fields = ("use_case__key",)
    list_select_related = ("use_case",)


@admin.register(models.CriterionFinding)
class CriterionFindingAdmin(ReadOnly):
    list_display = ("use_case", "policy", "gate", "criterion", "outcome", "mandatory", "valid_until", "found_at")
    list_filter = ("outcome", "gate", "policy")
    search_fields = ("use_case__key", "criterion")
    list_select_related = ("use_case", "policy")
    show_full_result_count = False


@admin.register(models.Condition)
class ConditionAdmin(ReadOnly):
    list_display = ("use_case", "text", "owner", "due_on", "state", "reported_by", "closed_by")
    list_filter = ("state",)
    search_fields = ("use_case__key", "text")
    list_select_related = ("use_case", "owner", "reported_by", "closed_by")


@admin.register(models.Waiver)
class WaiverAdmin(ReadOnly):
    list_display = ("number", "use_case", "gate", "criterion", "tier", "state", "expires_at", "requested_by")
    list_filter = ("state", "tier", "gate")
    search_fields = ("number", "use_case__key", "criterion")
    list_select_related = ("use_case", "requested_by")


@admin.register(models.WaiverVote)
class WaiverVoteAdmin(ReadOnly):
    list_display = ("waiver", "person", "role", "verdict", "given_at")
    list_filter = ("verdict", "role")
    search_fields = ("waiver__number",)
    list_select_related = ("waiver", "person")


@admin.register(models.Meeting)
class MeetingAdmin(ReadOnly):
    list_display = ("number", "title", "starts_at", "chair", "state", "minutes_digest")
    list_filter = ("state",)
    search_fields = ("number", "title")
    list_select_related = ("chair",)


@admin.register(models.Recusal)
class RecusalAdmin(ReadOnly):
    list_display = ("use_case", "review", "person", "reason", "declared_at", "ended_at")
    search_fields = ("use_case__key", "review__number")
    list_select_related = ("use_case", "review", "person")
