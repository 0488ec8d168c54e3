"""Addresses of dashboards, below those of monitoring."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.views import dashboard_editing, dashboards


def _shown(start: str, prefix: str) -> list[URLPattern | URLResolver]:
    """The addresses of one dashboard, whether somebody made it or it is ready-made."""
    return [
        path(start, dashboards.page, name=f"{prefix}_page"),
        path(f"{start}definition.json", dashboards.definition, name=f"{prefix}_definition"),
        path(f"{start}data.csv", dashboards.csv, name=f"{prefix}_csv"),
        path(f"{start}copy/", dashboard_editing.copy, name=f"{prefix}_copy"),
        path(f"{start}widgets/<slug:key>/", dashboards.widget, name=f"{prefix}_widget"),
        path(f"{start}widgets/<slug:key>.json", dashboards.widget_data, name=f"{prefix}_widget_data"),
        path(f"{start}widgets/<slug:key>.csv", dashboards.widget_csv, name=f"{prefix}_widget_csv"),
    ]


urlpatterns: list[URLPattern | URLResolver] = [
    path("dashboards/", dashboards.index, name="dashboards"),
    path("dashboards/new/", dashboard_editing.create, name="dashboard_create"),
    path("dashboards/read-in/", dashboard_editing.read_in, name="dashboard_read_in"),
    *_shown("dashboards/ready/<slug:kind>/<str:ref>/", "ready"),
    *_shown("dashboards/<uuid:pk>/", "dashboard"),
    path("dashboards/<uuid:pk>/edit/", dashboard_editing.edit, name="dashboard_edit"),
    path("dashboards/<uuid:pk>/settings/", dashboard_editing.settings, name="dashboard_settings"),
    path("dashboards/<uuid:pk>/add/<slug:kind>/", dashboard_editing.add, name="dashboard_add"),
    path("dashboards/<uuid:pk>/change/<slug:key>/", dashboard_editing.change, name="dashboard_change"),
    path("dashboards/<uuid:pk>/arrange/", dashboard_editing.arrange, name="dashboard_arrange"),
    path("dashboards/<uuid:pk>/delete/", dashboard_editing.delete, name="dashboard_delete"),
    path("dashboards/<uuid:pk>/restore/", dashboard_editing.restore, name="dashboard_restore"),
]
