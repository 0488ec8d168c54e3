"""Addresses of the portfolio: home, the list in its views, use cases, units, reports, search."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from portfolio.views import bulk, home, kpis, listing, people, reports, roadmap, saved_views, search, units, use_cases

app_name = "portfolio"

# A use case's own addresses come before its tabs, so no tab may be called like one of them.
_USE_CASE: list[URLPattern | URLResolver] = [
    path("", use_cases.page, name="use_case"),
    path("edit/", use_cases.edit, name="edit"),
    path("plan/edit/", use_cases.edit_plan, name="edit_plan"),
    path("status/", use_cases.status, name="status"),
    path("kpis/new/", kpis.define, name="kpi_define"),
    path("kpis/<slug:kpi>/edit/", kpis.edit, name="kpi_edit"),
    path("kpis/<slug:kpi>/lock/", kpis.lock, name="kpi_lock"),
    path("kpis/<slug:kpi>/measure/", kpis.measure, name="kpi_measure"),
    path("kpis/<slug:kpi>/chart.json", kpis.chart, name="kpi_chart"),
    path("people/assign/", people.assign, name="assign"),
    path("people/<uuid:assignment>/end/", people.end, name="end_role"),
    path("roadmap/new/", roadmap.add, name="phase_add"),
    path("roadmap/<int:phase>/edit/", roadmap.edit, name="phase_edit"),
    path("roadmap/<int:phase>/state/", roadmap.progress, name="phase_state"),
    path("<slug:panel>/", use_cases.page, name="use_case_panel"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("portfolio/", listing.table, name="list"),
    path("portfolio/board/", listing.board, name="board"),
    path("portfolio/timeline/", listing.timeline, name="timeline"),
    path("portfolio/bulk/", bulk.bulk, name="bulk"),
    path("portfolio/views/", saved_views.index, name="views"),
    path("portfolio/views/save/", saved_views.save, name="view_save"),
    path("portfolio/views/<int:pk>/", saved_views.change, name="view_change"),
    path("portfolio/views/<int:pk>/delete/", saved_views.delete, name="view_delete"),
    path("use-cases/new/", use_cases.create, name="create"),
    path("use-cases/<slug:key>/", include(_USE_CASE)),
    path("units/", units.index, name="units"),
    path("units/new/", units.create, name="unit_create"),
    path("units/<slug:code>/edit/", units.edit, name="unit_edit"),
    path("reports/", reports.index, name="reports"),
    path("reports/<slug:key>/", reports.report, name="report"),
    path("search/", search.search, name="search"),
    path("palette/", search.palette, name="palette"),
    *(
        [path("portfolio/import/", include("portfolio.views.import_urls"))]
        if find_spec("portfolio.views.import_urls")
        else []
    ),
]
