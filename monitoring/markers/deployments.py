"""Versions of the use case's models that went live or were retired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.models import ModelVersion
from monitoring.marker import Mark, MarkerSource, markers
from monitoring.models import Series


@markers.register
class Deployments(MarkerSource):
    key: ClassVar[str] = "deployments"
    title: ClassVar[Any] = gettext_lazy("Deployments")
    icon: ClassVar[str] = "branch"
    order: ClassVar[int] = 20

    def marks(self, series: Sequence[Series], start: datetime, end: datetime) -> Iterator[Mark]:
        within = Q(live_at__range=(start, end)) | Q(retired_at__range=(start, end))
        rows = ModelVersion.objects.filter(within, model__use_case__in={one.use_case_id for one in series})
        for version in rows.select_related("model"):
            words = {"model": version.model.name, "label": version.label}
            url = reverse("governance:version", args=[version.pk])
            if version.live_at and start <= version.live_at <= end:
                detail = _("%(model)s %(label)s went live.") % words
                yield Mark(at=version.live_at, label=_("Live %(label)s") % words, tone="info", detail=detail, url=url)
            if version.retired_at and start <= version.retired_at <= end:
                detail = _("%(model)s %(label)s was retired.") % words
                yield Mark(at=version.retired_at, label=_("Retired %(label)s") % words, detail=detail, url=url)
