"""Addresses of the ledger, under ``/ledger/``."""

from __future__ import annotations

from django.urls import path

from ledger import views

app_name = "ledger"

urlpatterns = [
    path("", views.events, name="events"),
    path("<int:index>/", views.event, name="event"),
]
