"""The candidate and the live version of a use case, with their bundle, card and data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from governance.models import ModelVersion, VersionDataset

FIELDS = (
    "id",
    "label",
    "number",
    "state",
    "bundle",
    "metrics",
    "card",
    "significant",
    "author_id",
    "registered_at",
    "live_at",
)


@fact_loaders.register
class Models(FactLoader):
    """``candidate``: the newest version not retired; ``live``: the one in use; each with its datasets."""

    key = "models"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        rows = ModelVersion.objects.filter(registered_at__lte=at).exclude(state="retired", retired_at__lte=at)
        versions = within(rows, use_case_ids, "model__use_case").order_by("registered_at", "number")
        found: dict[UUID, Any] = {}
        kept: dict[UUID, Any] = {}
        for row in versions.values("model__use_case_id", "model__owner_id", "model__name", *FIELDS):
            owner = row.pop("model__use_case_id")
            row["model_owner"] = row.pop("model__owner_id")
            row["model"] = row.pop("model__name")
            row["datasets"] = []
            row["card"] = sorted(key for key, text in (row["card"] or {}).items() if str(text).strip())
            models = found.setdefault(owner, {"candidate": None, "live": None})
            models["candidate"] = row
            if row["state"] == "live":
                models["live"] = row
            kept[row["id"]] = row
        links = within(VersionDataset.objects.all(), use_case_ids, "version__model__use_case")
        names = ("version_id", "dataset_id", "dataset__name", "dataset__certified_at", "dataset__certified_until")
        for version, dataset, name, since, until in links.order_by("dataset__name", "pk").values_list(*names):
            if version in kept:
                certified = {"id": dataset, "name": name, "certified_at": since, "certified_until": until}
                if certified not in kept[version]["datasets"]:
                    kept[version]["datasets"].append(certified)
        return found

    def empty(self) -> Any:
        return {"candidate": None, "live": None}
