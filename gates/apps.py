from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GatesConfig(AppConfig):
    name = "gates"
    verbose_name = _("Gates")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.signals import delegation_changed, roles_changed
        from gates.criterion import criterion_types
        from gates.fact import fact_loaders
        from gates.handlers import (
            on_alert_changed,
            on_delegation_changed,
            on_facts_changed,
            on_portfolio_changed,
            on_roles_changed,
        )
        from gates.keeping import moments_of_breaches, moments_of_snapshots
        from monitoring.marker import markers
        from monitoring.retention import in_use_at
        from monitoring.signals import alert_changed
        from monitoring.widget import widgets
        from portfolio.lens import lenses
        from portfolio.next_step import next_steps
        from portfolio.panel import panels
        from portfolio.report import reports
        from portfolio.search import search_sources
        from portfolio.signals import facts_changed, portfolio_changed
        from portfolio.work_item import work_sources

        criterion_types.discover("gates.criteria")
        fact_loaders.discover("gates.facts")
        lenses.discover("gates.lenses")
        markers.discover("gates.markers")
        next_steps.discover("gates.next_steps")
        panels.discover("gates.panels")
        reports.discover("gates.reports")
        search_sources.discover("gates.searching")
        widgets.discover("gates.widgets")
        work_sources.discover("gates.worklist")
        facts_changed.connect(on_facts_changed, dispatch_uid="gates.facts_changed")
        portfolio_changed.connect(on_portfolio_changed, dispatch_uid="gates.portfolio_changed")
        alert_changed.connect(on_alert_changed, dispatch_uid="gates.alert_changed")
        roles_changed.connect(on_roles_changed, dispatch_uid="gates.roles_changed")
        delegation_changed.connect(on_delegation_changed, dispatch_uid="gates.delegation_changed")
        in_use_at(moments_of_snapshots)
        in_use_at(moments_of_breaches)
