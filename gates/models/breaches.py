"""What is decided after a breach: owed until a day, by a person, on facts that are kept with it."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.models import Alert
from portfolio.models import UseCase


class BreachDecision(models.Model):
    """One decision about one breach. A breach asks again when what was accepted grew worse or its day is over."""

    access_path: ClassVar[str] = "use_case"

    class State(models.TextChoices):
        OWED = "owed", _("Owed")
        PROPOSED = "proposed", _("Waits for a second person")
        DECIDED = "decided", _("Decided")
        LAPSED = "lapsed", _("No longer owed")

    class Cause(models.TextChoices):
        BREACH = "breach", _("Act level breached")
        WORSE = "worse", _("Worse than what was accepted")
        EXPIRED = "expired", _("What was accepted is over")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(unique=True, help_text=_("Shown as B-12."))
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="breach_decisions")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="breach_decisions")
    occasion = models.PositiveSmallIntegerField(default=1, help_text=_("How often this breach has asked."))
    cause = models.CharField(max_length=10, choices=Cause, default=Cause.BREACH)
    gate = models.CharField(max_length=40, blank=True, help_text=_("The gate that the use case lived under."))
    tier = models.CharField(max_length=12, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OWED)
    opened_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    owed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="owed_breach_decisions"
    )
    outcome = models.CharField(max_length=12, choices=Alert.Outcome, blank=True)
    reason = models.TextField(blank=True)
    accepted_until = models.DateField(null=True, blank=True)
    covered_by = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="covers",
        help_text=_("An acceptance that still holds and covers this breach too."),
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(null=True, blank=True)
    refused_because = models.TextField(blank=True, help_text=_("Why an acceptance was not confirmed."))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_role = models.CharField(max_length=40, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    facts = models.JSONField(default=dict, help_text=_("What it was decided on."))
    digest = models.CharField(max_length=64, blank=True, help_text=_("SHA-256 of the facts in canonical form."))
    reminded_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-opened_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("alert",), condition=models.Q(state__in=("owed", "proposed")), name="breach_one_open_decision"
            ),
            models.UniqueConstraint(fields=("alert", "occasion"), name="breach_decision_once_an_occasion"),
            models.CheckConstraint(
                condition=~models.Q(state="decided")
                | (
                    ~models.Q(outcome="")
                    & models.Q(decided_at__isnull=False)
                    & (models.Q(decided_by__isnull=False) | models.Q(covered_by__isnull=False))
                ),
                name="breach_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~models.Q(outcome="accept") | models.Q(accepted_until__isnull=False),
                name="breach_accepted_until_a_day",
            ),
            models.CheckConstraint(
                condition=models.Q(proposed_by__isnull=True)
                | models.Q(decided_by__isnull=True)
                | ~models.Q(proposed_by=models.F("decided_by")),
                name="breach_accepted_by_two_people",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("state", "due_at"), name="breach_owed"),
            models.Index(fields=("use_case", "-opened_at"), name="breach_of_use_case"),
        ]

    def __str__(self) -> str:
        return f"B-{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.OWED, self.State.PROPOSED)

    def is_late(self, now: datetime | None = None) -> bool:
        """Owed and past its time; a proposal that nobody confirmed does not stop the clock."""
        return self.is_open and self.due_at <= (now or timezone.now())

    def holds(self, today: date | None = None) -> bool:
        """Whether it is an acceptance whose day is not over."""
        if self.state != self.State.DECIDED or self.accepted_until is None:
            return False
        return self.accepted_until >= (today or timezone.localdate())
