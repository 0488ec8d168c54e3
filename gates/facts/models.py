"""The candidate and the live version of a use case, with their bundle, card and data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from governance.models import ModelVersion, VersionDataset
from kernel.prepared import Question

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


_VERSIONS = Question(
    lambda ids, at: (
        within(
            ModelVersion.objects.filter(registered_at__lte=at).exclude(state="retired", retired_at__lte=at),
            ids,
            "model__use_case",
        )
        .order_by("registered_at", "number")
        .values("model__use_case_id", "model__owner_id", "model__name", *FIELDS)
    )
)
_DATASETS = Question(
    lambda ids, at: (
        within(VersionDataset.objects.all(), ids, "version__model__use_case")
        .order_by("dataset__name", "pk")
        .values_list("version_id", "dataset_id", "dataset__name", "dataset__certified_at", "dataset__certified_until")
    )
)


@fact_loaders.register
class Models(FactLoader):
    """``candidate``: the newest version not retired; ``live``: the one in use; each with its datasets."""

    key = "models"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        kept: dict[UUID, Any] = {}
        for row in _VERSIONS.of(use_case_ids, at):
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
        for version, dataset, name, since, until in _DATASETS.of(use_case_ids, at):
            if version in kept:
                certified = {"id": dataset, "name": name, "certified_at": since, "certified_until": until}
                if certified not in kept[version]["datasets"]:
                    kept[version]["datasets"].append(certified)
        return found

    def empty(self) -> Any:
        return {"candidate": None, "live": None}
