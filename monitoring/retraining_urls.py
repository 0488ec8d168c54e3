"""Addresses of retraining: requests, the calendar, the settings of a use case."""

from __future__ import annotations

from django.urls import URLPattern, path

from monitoring.views import retraining, retraining_setup

urlpatterns: list[URLPattern] = [
    path("retraining/", retraining.requests, name="retraining"),
    path("retraining/calendar/", retraining.calendar, name="retraining_calendar"),
    path("retraining/<int:number>/", retraining.page, name="retraining_request"),
    path("retraining/<int:number>/answer/", retraining.answer, name="retraining_answer"),
    path("retraining/<int:number>/again/", retraining.again, name="retraining_again"),
    path("use-cases/<slug:key>/retraining/", retraining_setup.page, name="retraining_setup"),
    path("use-cases/<slug:key>/retraining/secret/", retraining_setup.secret, name="retraining_secret"),
    path("use-cases/<slug:key>/retraining/test/", retraining_setup.test, name="retraining_test"),
    path("use-cases/<slug:key>/retraining/ask/", retraining_setup.ask, name="retraining_ask"),
]
