"""Small records that gates read: integrations, training, access, specialist reviews, declared practices."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class IntegrationPoint(models.Model):
    """A place where the system touches another one."""

    access_path: ClassVar[str] = "use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="integration_points")
    name = models.CharField(max_length=200)
    critical = models.BooleanField(default=True)
    requirement = models.TextField(blank=True)
    constraint = models.TextField(blank=True)
    failure_mode = models.TextField(blank=True)
    feasible = models.BooleanField(null=True, blank=True)

    class Meta:
        ordering = ("-critical", "name")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "name"), name="integration_point_once"),
        ]

    def __str__(self) -> str:
        return self.name


class IntegrationTest(models.Model):
    """One run of the tests of one integration point. Appended."""

    access_path: ClassVar[str] = "point__use_case"

    point = models.ForeignKey(IntegrationPoint, on_delete=models.CASCADE, related_name="tests")
    version = models.ForeignKey(
        "governance.ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cases_run = models.PositiveIntegerField()
    cases_passed = models.PositiveIntegerField()
    environment = models.CharField(max_length=100, blank=True)
    performed_at = models.DateTimeField(default=timezone.now)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-performed_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(cases_passed__lte=models.F("cases_run")), name="integration_passed_within_run"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cases_passed}/{self.cases_run}"


class TrainingRecord(models.Model):
    """One person owes one course for one use case, and when it was completed."""

    access_path: ClassVar[str] = "use_case"

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="training")
    course = models.SlugField(max_length=60)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="training"
    )
    person_label = models.CharField(max_length=200, blank=True, help_text=_("For people without an account."))
    assigned_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("course", "pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "course", "person", "person_label"), name="training_once"),
        ]

    def __str__(self) -> str:
        return self.course


class DataAccessRequest(models.Model):
    """A request to use a dataset for a purpose, decided by its steward."""

    access_path: ClassVar[str] = "use_case"

    class RequestState(models.TextChoices):
        OPEN = "open", _("Open")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="data_access_requests")
    dataset = models.ForeignKey("governance.Dataset", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    purpose = models.TextField()
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.OPEN)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_role = models.CharField(max_length=40, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.TextField(blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-requested_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("requested_by")),
                name="data_access_decided_by_another",
            ),
        ]

    def __str__(self) -> str:
        return self.purpose[:80]


class SpecialistReview(models.Model):
    """A privacy, security or compliance review that was opened early and has to end."""

    access_path: ClassVar[str] = "use_case"

    class Area(models.TextChoices):
        PRIVACY = "privacy", _("Privacy")
        SECURITY = "security", _("Security")
        COMPLIANCE = "compliance", _("Compliance")

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="specialist_reviews")
    area = models.CharField(max_length=12, choices=Area)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)
    due_on = models.DateField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(blank=True)

    class Meta:
        ordering = ("area", "-opened_at")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("use_case", "area"),
                condition=models.Q(closed_at__isnull=True),
                name="specialist_review_one_open",
            ),
        ]

    def __str__(self) -> str:
        return self.area


class AccessReview(models.Model):
    """Rights were re-certified and leavers removed. Appended."""

    access_path: ClassVar[str] = "use_case"

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="access_reviews")
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(default=timezone.now)
    removed = models.PositiveIntegerField(default=0, help_text=_("Rights taken away."))
    note = models.TextField(blank=True)

    class Meta:
        ordering = ("-reviewed_at",)

    def __str__(self) -> str:
        return str(self.reviewed_at)


class PracticeDeclaration(models.Model):
    """What the organisation declares about one practice of a framework, with where it was declared."""

    access_path: ClassVar[str] = "use_case"

    class Answer(models.TextChoices):
        YES = "yes", _("In place")
        NO = "no", _("Not in place")
        IN_PROGRESS = "in_progress", _("In progress")
        WAIVED = "waived", _("Waived")
        NOT_APPLICABLE = "not_applicable", _("Not applicable")

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="declarations")
    practice = models.CharField(max_length=60, help_text=_("Practice identifier, such as OMB-4b-i."))
    answer = models.CharField(max_length=16, choices=Answer)
    detail = models.TextField(blank=True, help_text=_("The words it was declared in."))
    source = models.CharField(max_length=300, blank=True, help_text=_("Column or document it was declared in."))
    declared_at = models.DateTimeField(default=timezone.now)
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("practice",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "practice"), name="practice_declared_once"),
        ]

    def __str__(self) -> str:
        return f"{self.practice}: {self.answer}"
