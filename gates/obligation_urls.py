"""Addresses of review calls and emergency releases."""

from __future__ import annotations

from django.urls import URLPattern, path

from gates.views import emergencies, review_calls

urlpatterns: list[URLPattern] = [
    path("review-calls/", review_calls.review_calls, name="review_calls"),
    path("review-calls/call/", review_calls.call, name="review_call"),
    path("emergencies/", emergencies.emergencies, name="emergencies"),
    path("emergencies/ask/<slug:key>/", emergencies.ask, name="emergency_ask"),
    path("emergencies/<uuid:pk>/", emergencies.emergency, name="emergency"),
    path("emergencies/<uuid:pk>/confirm/", emergencies.confirm, name="emergency_confirm"),
    path("emergencies/<uuid:pk>/refuse/", emergencies.refuse, name="emergency_refuse"),
    path("emergencies/<uuid:pk>/end/", emergencies.end, name="emergency_end"),
]
