from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GovernanceConfig(AppConfig):
    name = "governance"
    verbose_name = _("Governance")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from governance.forms.entry import entries
        from portfolio.importing.sink import sinks
        from portfolio.panel import panels
        from portfolio.search import search_sources
        from portfolio.work_item import work_sources

        entries.discover("governance.forms")
        panels.discover("governance.panels")
        work_sources.discover("governance.worklist")
        search_sources.discover("governance.searching")
        sinks.discover("governance.import_sinks")
