"""The house itself as an app, so that its commands and system checks are found."""

from __future__ import annotations

from django.apps import AppConfig


class HouseConfig(AppConfig):
    name = "config"
    label = "house"
    verbose_name = "Tollgate"

    def ready(self) -> None:
        from config import checks  # noqa: F401  (registers the system checks)
