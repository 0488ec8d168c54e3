"""Addresses of the pages of profiles and drift."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.views import contents, drift, profiles

urlpatterns: list[URLPattern | URLResolver] = [
    path("use-cases/<slug:key>/drift/", drift.index, name="drift"),
    path("use-cases/<slug:key>/drift/data.json", drift.data, name="drift_data"),
    path("use-cases/<slug:key>/profiles/", profiles.index, name="profiles"),
    path("use-cases/<slug:key>/profiles/reference/", profiles.reference, name="profile_reference"),
    path("use-cases/<slug:key>/profiles/current/", profiles.current, name="profile_current"),
    path("profiles/<uuid:pk>/", profiles.page, name="profile"),
    path("profiles/<uuid:pk>/profile.json", profiles.body, name="profile_body"),
    path("profiles/<uuid:pk>/terms/", profiles.terms, name="profile_terms"),
    path("profiles/<uuid:pk>/cancel/", profiles.cancel, name="profile_cancel"),
    path("profiles/<uuid:pk>/retry/", profiles.retry, name="profile_retry"),
    path("profiles/<uuid:pk>/compare/", profiles.compare, name="profile_compare"),
    path("drift/<uuid:pk>/", drift.report, name="drift_report"),
    path("drift/<uuid:pk>/report.json", drift.report_document, name="drift_report_document"),
    path("drift/<uuid:pk>/features/<int:result_pk>/", drift.feature, name="drift_feature"),
    path("drift/<uuid:pk>/features/<int:result_pk>/data.json", drift.feature_data, name="drift_feature_data"),
    path("drift/<uuid:pk>/features/<int:result_pk>/history.json", drift.feature_history, name="drift_feature_history"),
    path("use-cases/<slug:key>/contents/watch/", contents.watch, name="content_watch"),
    path("contents/<uuid:pk>/", contents.setup, name="content"),
    path("contents/<uuid:pk>/data.json", contents.data, name="content_data"),
    path("contents/<uuid:pk>/compare/", contents.compare, name="content_compare"),
    path("contents/<uuid:pk>/unwatch/", contents.unwatch, name="content_unwatch"),
    path("content-comparisons/<uuid:pk>/", contents.comparison, name="content_comparison"),
    path("content-comparisons/<uuid:pk>/report.json", contents.comparison_document, name="content_document"),
    path("content-comparisons/<uuid:pk>/cancel/", contents.cancel, name="content_cancel"),
    path("content-comparisons/<uuid:pk>/retry/", contents.retry, name="content_retry"),
]
