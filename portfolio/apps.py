from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortfolioConfig(AppConfig):
    name = "portfolio"
    verbose_name = _("Portfolio")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.access import register_scopes
        from ledger.lookups import set_lookup
        from portfolio import handlers
        from portfolio.audit import UseCases
        from portfolio.models import BusinessUnit, UnitGrant, UseCase, UseCaseGrant

        register_scopes(unit=BusinessUnit, use_case=UseCase, unit_grant=UnitGrant, use_case_grant=UseCaseGrant)
        set_lookup("use_case", UseCases())
        handlers.connect()
        self._discover()

    def _discover(self) -> None:
        """Import the plugins of this app; those of higher apps register themselves the same way."""
        from portfolio.panel import panels
        from portfolio.report import reports
        from portfolio.search import search_sources

        panels.discover("portfolio.panels")
        reports.discover("portfolio.reports")
        search_sources.discover("portfolio.searching")
