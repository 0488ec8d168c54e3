"""Stand-ins: who may act in whose role while somebody is away, and for how long."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User
from accounts.roles import role_choices, role_name

MOST_DAYS = 30


class Delegation(models.Model):
    """One person acts in one role of another for at most 30 days. A stand-in holds the same role already."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    giver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="delegations_given")
    stand_in = models.ForeignKey(User, on_delete=models.PROTECT, related_name="delegations_taken")
    role = models.CharField(max_length=40, choices=role_choices())
    reason = models.CharField(max_length=300)
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was taken back early."))

    class Meta:
        ordering = ("-starts_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="delegation_ends_after_start"
            ),
            models.CheckConstraint(condition=~models.Q(giver=models.F("stand_in")), name="delegation_to_another"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("stand_in", "ends_at"), name="delegation_taken"),
            models.Index(fields=("giver", "ends_at"), name="delegation_given"),
        ]

    def __str__(self) -> str:
        return f"{self.stand_in} for {self.giver} as {role_name(self.role)}"

    @property
    def role_name(self) -> str:
        return role_name(self.role)

    @property
    def ledger_label(self) -> str:
        """Labels stay for ever, so no name is in it."""
        return self.role_name

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None or self.ends_at <= timezone.now()

    @property
    def is_ahead(self) -> bool:
        return not self.is_over and self.starts_at > timezone.now()

    def holds(self, at: datetime) -> bool:
        """Whether the stand-in may act at that moment."""
        return self.starts_at <= at < (min(self.ends_at, self.ended_at) if self.ended_at else self.ends_at)


class Absence(models.Model):
    """Days on which a person is away, and who stands in. Shown wherever that person is waited for."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="absences")
    starts_on = models.DateField()
    ends_on = models.DateField(help_text=_("The last day away."))
    stand_in = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("starts_on",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")), name="absence_ends_after_start"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=("person", "ends_on"), name="absence_person")]

    def __str__(self) -> str:
        return f"{self.person}: {self.starts_on} to {self.ends_on}"

    @property
    def ledger_label(self) -> str:
        """Labels stay for ever, so no name is in it."""
        return f"{self.starts_on} to {self.ends_on}"

    @property
    def is_over(self) -> bool:
        return self.cancelled_at is not None or self.ends_on < timezone.localdate()
