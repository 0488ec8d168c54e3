"""Points summed up by the hour and by the day, so that long ranges are read without them and outlive them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Rollup(models.Model):
    """What the latest revisions of one hour or day of one series come to. Made from points, and made again at will.

    Like points, it carries no foreign-key constraint.
    """

    class Span(models.IntegerChoices):
        HOUR = 3600, _("Hour")
        DAY = 86400, _("Day")

    pk = models.CompositePrimaryKey("series_id", "span", "start")
    series_id = models.BigIntegerField()
    span = models.IntegerField(choices=Span)
    start = models.DateTimeField()
    count = models.BigIntegerField()
    total = models.FloatField()
    least = models.FloatField()
    greatest = models.FloatField()
    last = models.FloatField()
    last_time = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(count__gte=1), name="rollup_of_something"),
        ]

    def __str__(self) -> str:
        return f"{self.count} from {self.start}"
