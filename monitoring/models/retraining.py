"""Asking whoever runs a system's training: how it is set up a use case, and the requests with their answers."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.models.alerts import Alert
from portfolio.models import UseCase


class RetrainingSetup(models.Model):
    """When the product asks by itself, and own service levels. The cadence is in the operating plan."""

    access_path: ClassVar[str] = "use_case"

    use_case = models.OneToOneField(
        UseCase, primary_key=True, on_delete=models.CASCADE, related_name="retraining_setup"
    )
    on_breach_of = models.JSONField(
        default=list, blank=True, help_text=_("Metrics whose breach asks for retraining without waiting for anybody.")
    )
    on_due_day = models.BooleanField(default=False, help_text=_("Ask on the day that the operating plan names."))
    accept_hours = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Hours to accept; empty: by the tier.")
    )
    finish_hours = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Hours to be done; empty: by the tier.")
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(accept_hours__isnull=True) | models.Q(accept_hours__gte=1),
                name="retraining_accept_from_an_hour",
            ),
            models.CheckConstraint(
                condition=models.Q(finish_hours__isnull=True) | models.Q(finish_hours__gte=1),
                name="retraining_finish_from_an_hour",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use_case_id}"


class RetrainingReceiver(models.Model):
    """Another system that requests of a use case go to, by what they ask for. The secret is with its endpoint.

    One that was removed stays with its deliveries, switched off and without its secret.
    """

    access_path: ClassVar[str] = "use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="retraining_receivers")
    name = models.CharField(max_length=120)
    kinds = models.JSONField(default=list, help_text=_("Kinds of request that it gets."))
    endpoint = models.OneToOneField(
        "notify.WebhookEndpoint", on_delete=models.PROTECT, related_name="retraining_receiver"
    )
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("use_case", "name"),
                condition=models.Q(removed_at__isnull=True),
                name="retraining_receiver_name_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def kind_names(self) -> list[str]:
        """What it gets, in words."""
        return [str(label) for value, label in RetrainingRequest.Kind.choices if value in self.kinds]


class RetrainingRequest(models.Model):
    """One thing asked for: retrain, recalibrate, roll back; and how far it is, as answered."""

    access_path: ClassVar[str] = "use_case"

    class Kind(models.TextChoices):
        RETRAIN = "retrain", _("Retrain")
        RECALIBRATE = "recalibrate", _("Recalibrate")
        ROLL_BACK = "roll_back", _("Roll back")

    class Origin(models.TextChoices):
        DECISION = "decision", _("Decided after a breach")
        RULE = "rule", _("By a rule, at a breach")
        SCHEDULE = "schedule", _("By the calendar")
        PERSON = "person", _("Asked for by hand")

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        ACCEPTED = "accepted", _("Accepted")
        IN_PROGRESS = "in_progress", _("In progress")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        REFUSED = "refused", _("Refused")

    id = models.BigAutoField(primary_key=True)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="retraining_requests")
    kind = models.CharField(max_length=12, choices=Kind)
    origin = models.CharField(max_length=10, choices=Origin)
    state = models.CharField(max_length=12, choices=State, default=State.REQUESTED)
    reason = models.TextField(blank=True)
    tier = models.CharField(max_length=12, blank=True)
    alert = models.ForeignKey(
        Alert, null=True, blank=True, on_delete=models.SET_NULL, related_name="retraining_requests"
    )
    decision = models.CharField(max_length=20, blank=True, help_text=_("The decision that asked for it, such as B-7."))
    version = models.ForeignKey(
        "governance.ModelVersion",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("The version in use when it was asked for."),
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(default=timezone.now)
    accept_by = models.DateTimeField(help_text=_("Accepted later than this is late."))
    due_at = models.DateTimeField(help_text=_("Done later than this is late."))
    accepted_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    message = models.TextField(blank=True, help_text=_("What was answered last."))
    reference = models.URLField(max_length=1000, blank=True, help_text=_("The run, as the answer names it."))
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    new_version = models.ForeignKey(
        "governance.ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    evidence = models.ForeignKey(
        "governance.Evidence", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    late_told_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-requested_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("use_case", "kind"),
                condition=models.Q(state__in=("requested", "accepted", "in_progress")),
                name="retraining_one_open_of_a_kind",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=("done", "failed", "refused")) | models.Q(finished_at__isnull=False),
                name="retraining_finished_at_a_time",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("state", "due_at"), name="retraining_due"),
            models.Index(fields=("use_case", "-requested_at"), name="retraining_of_use_case"),
        ]

    def __str__(self) -> str:
        return f"T-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def is_overdue(self, now: datetime | None = None) -> bool:
        """Open and past its time: not accepted when it should have been, or not done."""
        moment = now or timezone.now()
        return self.is_open and (self.due_at <= moment or (self.accepted_at is None and self.accept_by <= moment))

    @property
    def webhook_subject(self) -> str:
        return f"retraining:{self.pk}"


OPEN = (
    RetrainingRequest.State.REQUESTED,
    RetrainingRequest.State.ACCEPTED,
    RetrainingRequest.State.IN_PROGRESS,
)
TRANSITIONS: dict[str, frozenset[str]] = {
    "requested": frozenset({"accepted", "in_progress", "done", "failed", "refused"}),
    "accepted": frozenset({"in_progress", "done", "failed", "refused"}),
    "in_progress": frozenset({"in_progress", "done", "failed"}),
}
"""State -> what it may become by an answer; progress may be told again and again."""
