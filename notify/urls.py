"""Addresses of one's own notices."""

from __future__ import annotations

from django.urls import path

from notify import views

app_name = "notify"
urlpatterns = [
    path("", views.notices, name="notices"),
    path("bell/", views.bell, name="bell"),
    path("read/", views.read, name="read"),
    path("preferences/", views.preferences, name="preferences"),
    path("<uuid:pk>/", views.open_notice, name="open"),
]
