from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = _("Monitoring")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from governance.incident_link import incident_links
        from monitoring.condition import conditions
        from monitoring.connector import connectors
        from monitoring.handlers import on_webhook_settled
        from monitoring.marker import markers
        from monitoring.statistic import statistics
        from monitoring.widget import widgets
        from notify.webhooks import webhook_settled
        from portfolio.lens import lenses
        from portfolio.panel import panels
        from portfolio.work_item import work_sources

        conditions.discover("monitoring.conditions")
        statistics.discover("monitoring.drift")
        incident_links.discover("monitoring.incident_links")
        connectors.discover("monitoring.connectors")
        lenses.discover("monitoring.lenses")
        markers.discover("monitoring.markers")
        panels.discover("monitoring.panels")
        widgets.discover("monitoring.widgets")
        work_sources.discover("monitoring.worklist")
        webhook_settled.connect(on_webhook_settled, dispatch_uid="monitoring.webhook_settled")
