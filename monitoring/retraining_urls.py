"""Addresses of retraining: requests, the calendar, the settings and receivers of a use case."""

from __future__ import annotations

from django.urls import URLPattern, path

from monitoring.views import receivers, retraining, retraining_setup

urlpatterns: list[URLPattern] = [
    path("retraining/", retraining.requests, name="retraining"),
    path("retraining/calendar/", retraining.calendar, name="retraining_calendar"),
    path("retraining/<int:number>/", retraining.page, name="retraining_request"),
    path("retraining/<int:number>/answer/", retraining.answer, name="retraining_answer"),
    path("retraining/<int:number>/again/", retraining.again, name="retraining_again"),
    path("use-cases/<slug:key>/retraining/", retraining_setup.page, name="retraining_setup"),
    path("use-cases/<slug:key>/retraining/receivers/new/", receivers.add, name="receiver_add"),
    path("retraining/receivers/<uuid:pk>/", receivers.page, name="receiver"),
    path("retraining/receivers/<uuid:pk>/edit/", receivers.edit, name="receiver_edit"),
    path("retraining/receivers/<uuid:pk>/test/", receivers.test, name="receiver_test"),
    path("retraining/receivers/<uuid:pk>/secret/", receivers.secret, name="receiver_secret"),
    path("retraining/receivers/<uuid:pk>/remove/", receivers.remove, name="receiver_remove"),
    path("retraining/receivers/<uuid:pk>/retry/<uuid:message>/", receivers.retry, name="receiver_retry"),
    path("use-cases/<slug:key>/retraining/ask/", retraining_setup.ask, name="retraining_ask"),
]
