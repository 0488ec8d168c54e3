"""Models: each with its versions, what they are made of, and how complete their cards are."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import actions_on
from governance.catalogue import bundle_parts, card_completeness
from governance.models import AiModel, ModelVersion
from governance.views.common import acts, offers, panel_url
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of

TONES = {"live": "met", "candidate": "info", "retired": "neutral"}


@panels.register
class ModelsPanel(Panel):
    key: ClassVar[str] = "models"
    title: ClassVar[Any] = _("Models")
    order: ClassVar[int] = 50
    template: ClassVar[str] = "governance/panels/models.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        user, back = person_of(request), panel_url(use_case, self.key)
        allowed = actions_on(user, use_case)
        versions = ModelVersion.objects.select_related("author", "approved_by").prefetch_related("datasets")
        models = AiModel.objects.filter(use_case=use_case).select_related("owner")
        found = list(models.prefetch_related(Prefetch("versions", queryset=versions.order_by("-number"))))
        datasets = {d.pk: d for model in found for v in model.versions.all() for d in v.datasets.all()}
        return {
            "models": [
                {
                    "model": model,
                    "versions": [_line(version) for version in model.versions.all()],
                    "acts": acts(user, use_case, model, ("version", "edit-model"), allowed, next=back),
                }
                for model in found
            ],
            "datasets": [{"dataset": d, "certified": is_certified(d)} for d in datasets.values()],
            "acts": offers(user, use_case, ("model", "dataset"), next=back),
        }

    def rows(self, use_case: UseCase) -> QuerySet[Any]:
        return AiModel.objects.filter(use_case=use_case)


def is_certified(dataset: Any) -> bool:
    until = dataset.certified_until
    return bool(dataset.certified_at) and (until is None or until > timezone.now())


def _line(version: ModelVersion) -> dict[str, Any]:
    parts = [part.key for part in bundle_parts()]
    return {
        "version": version,
        "tone": TONES.get(version.state, "neutral"),
        "card": card_completeness(version.card or {}),
        "bundle": sum(bool(version.bundle.get(key)) for key in parts),
        "bundle_of": len(parts),
        "datasets": list(version.datasets.all()),
    }
