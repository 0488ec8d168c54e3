"""What happened: append-only events, the head that hands out their indexes, and the personal values beside them.

The format of ``Event.body`` is described in docs/ledger-format.md and does not change.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _


class AppendOnly(TypeError):
    """Somebody tried to change or delete an event through the ORM."""


class EventQuerySet(models.QuerySet["Event"]):
    """Refuses kindly what the database triggers refuse anyway."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly("Events are never changed.")

    def delete(self) -> NoReturn:
        raise AppendOnly("Events are never deleted.")


class Event(models.Model):
    """One state change. ``body`` is the record; the other columns repeat parts of it so that they can be searched.

    The index counts from 0 without gaps and is the leaf index in the Merkle tree of RFC 6962.
    """

    index = models.BigIntegerField(_("index"), primary_key=True)
    at = models.DateTimeField(_("at"))
    action = models.CharField(_("action"), max_length=80)
    subject_type = models.CharField(_("subject type"), max_length=80)
    subject_id = models.CharField(_("subject"), max_length=64)
    subject_label = models.CharField(_("subject label"), max_length=200, blank=True)
    use_case_id = models.CharField(_("use case"), max_length=64, null=True)  # null: concerns none
    unit_path = models.CharField(_("unit path"), max_length=500, blank=True)
    actor_id = models.UUIDField(_("actor"), null=True)
    actor_kind = models.CharField(_("actor kind"), max_length=20)
    auth_method = models.CharField(_("authentication method"), max_length=40)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    before_digest = models.CharField(_("digest before"), max_length=64, null=True)  # null: no before
    after_digest = models.CharField(_("digest after"), max_length=64, null=True)  # null: no after
    body = models.TextField(_("body"))
    leaf_hash = models.CharField(_("leaf hash"), max_length=64)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("-index",)
        constraints = (
            models.CheckConstraint(condition=models.Q(index__gte=0), name="ledger_event_index_not_negative"),
        )
        indexes = (
            # Each list is paged by descending index, so each index ends in it.
            models.Index(fields=["use_case_id", "index"], name="ledger_event_use_case"),
            models.Index(fields=["subject_type", "subject_id", "index"], name="ledger_event_subject"),
            models.Index(fields=["actor_id", "index"], name="ledger_event_actor"),
            models.Index(fields=["action", "index"], name="ledger_event_action"),
            # Units are found by the beginning of their path, which on PostgreSQL needs its own operator class.
            models.Index(
                fields=["unit_path", "index"], name="ledger_event_unit", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
            models.Index(fields=["at"], name="ledger_event_at"),
        )

    def __str__(self) -> str:
        return f"{self.index} {self.action} {self.subject_label}".rstrip()

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("Events are recorded by ledger.unit_of_work only.")

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("Events are never deleted.")

    @property
    def content(self) -> dict[str, Any]:
        """The body, read."""
        content: dict[str, Any] = json.loads(self.body)
        return content

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        """``{field: {"before": …, "after": …}}``; personal values are ``{"sha256": …}`` here."""
        changes: dict[str, dict[str, Any]] = self.content["changes"]
        return changes

    @property
    def note(self) -> str:
        return str(self.content["note"])


class Head(models.Model):
    """The single row whose lock orders all writers: ``next_index`` is the number of events there are."""

    SINGLETON = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON)
    next_index = models.BigIntegerField(_("next index"), default=0)

    class Meta:
        verbose_name = _("head")
        verbose_name_plural = _("heads")
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="ledger_head_single_row"),)

    def __str__(self) -> str:
        return f"next index {self.next_index}"


class PersonalValue(models.Model):
    """A value about a person that an event mentions by its salted digest. Erasing it leaves the event intact.

    ``sha256(salt || canonical JSON of the value)`` is what the event's body holds at ``path`` (a JSON Pointer).
    One salt serves one field of one subject, so that two events of it can be compared until it is erased.
    """

    event = models.ForeignKey(Event, on_delete=models.DO_NOTHING, related_name="personal_values")
    path = models.CharField(_("path"), max_length=300)
    salt = models.CharField(_("salt"), max_length=64, blank=True)
    value = models.TextField(_("value"), blank=True)
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True)

    class Meta:
        verbose_name = _("personal value")
        verbose_name_plural = _("personal values")
        ordering = ("event", "path")
        constraints = (
            models.UniqueConstraint(fields=["event", "path"], name="ledger_personal_value_once_per_path"),
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=True) | models.Q(salt="", value=""),
                name="ledger_personal_value_erased_is_empty",
            ),
        )

    def __str__(self) -> str:
        return f"{self.event_id}{self.path}"
