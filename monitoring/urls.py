"""Addresses of monitoring's pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring import dashboard_urls, drift_urls, retraining_urls, review_urls
from monitoring.views import alert_care, alerts, inbox, overview, responses, rules, series, source_care, sources

app_name = "monitoring"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.index, name="index"),
    path("alerts/", inbox.alerts, name="alerts"),
    path("alerts/bulk/", inbox.bulk, name="alerts_bulk"),
    path("alerts/<uuid:pk>/", alerts.page, name="alert"),
    path("alerts/<uuid:pk>/acknowledge/", alerts.acknowledge, name="alert_acknowledge"),
    *review_urls.urlpatterns,
    path("alerts/<uuid:pk>/snooze/", alert_care.snooze, name="alert_snooze"),
    path("alerts/<uuid:pk>/wake/", alert_care.wake, name="alert_wake"),
    path("alerts/<uuid:pk>/assign/", alert_care.assign, name="alert_assign"),
    path("alerts/<uuid:pk>/take/", alert_care.take, name="alert_take"),
    path("alerts/<uuid:pk>/resolve/", alert_care.resolve, name="alert_resolve"),
    path("alerts/<uuid:pk>/comment/", alert_care.comment, name="alert_comment"),
    path("alerts/<uuid:pk>/incident/", alert_care.report, name="alert_report"),
    path("responses/", responses.page, name="responses"),
    path("responses/units/<slug:code>/<slug:tier>/<slug:level>/", responses.edit, name="unit_response_edit"),
    path("responses/units/<slug:code>/<slug:tier>/<slug:level>/reset/", responses.reset, name="unit_response_reset"),
    path("responses/<slug:tier>/<slug:level>/", responses.edit, name="response_edit"),
    path("responses/<slug:tier>/<slug:level>/reset/", responses.reset, name="response_reset"),
    *drift_urls.urlpatterns,
    path("series/<int:pk>/", series.page, name="series"),
    path("series/<int:pk>/data.json", series.data, name="series_data"),
    path("series/<int:pk>/points/", series.points, name="series_points"),
    path("series/<int:pk>/edit/", series.edit, name="series_edit"),
    path("series/<int:pk>/baseline/", series.baseline, name="series_baseline"),
    path("series/<int:pk>/record/", series.record, name="series_record"),
    path("series/<int:pk>/rules/new/", rules.define, name="rule_define"),
    path("series/<int:pk>/rules/trial.json", rules.trial_data, name="rule_trial"),
    path("rules/<uuid:pk>/edit/", rules.edit, name="rule_edit"),
    path("rules/<uuid:pk>/switch/", rules.switch, name="rule_switch"),
    path("sources/", overview.sources, name="sources"),
    path("sources/<uuid:pk>/", sources.page, name="source"),
    path("sources/<uuid:pk>/edit/", sources.edit, name="source_edit"),
    path("sources/<uuid:pk>/preview/", sources.preview, name="source_preview"),
    path("sources/<uuid:pk>/pause/", source_care.pause, name="source_pause"),
    path("sources/<uuid:pk>/resume/", source_care.resume, name="source_resume"),
    path("sources/<uuid:pk>/pull/", source_care.pull, name="source_pull"),
    path("sources/<uuid:pk>/pulls/", source_care.pulls, name="source_pulls"),
    path("sources/<uuid:pk>/again/", source_care.backfill, name="source_backfill"),
    path("sources/<uuid:pk>/clone/", source_care.clone, name="source_clone"),
    path("sources/<uuid:pk>/delete/", source_care.delete, name="source_delete"),
    path("sources/<uuid:pk>/source.yaml", source_care.text, name="source_text"),
    path("use-cases/<slug:key>/series/new/", series.define, name="series_define"),
    path("use-cases/<slug:key>/sources/new/", sources.connect, name="source_connect"),
    path("use-cases/<slug:key>/sources/yaml/", source_care.connect_text, name="source_connect_text"),
    *dashboard_urls.urlpatterns,
    *retraining_urls.urlpatterns,
]
