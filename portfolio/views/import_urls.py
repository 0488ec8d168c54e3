"""Addresses of the import pages, below the prefix that ``portfolio.urls`` gives them."""

from __future__ import annotations

from django.urls import path

from portfolio.views import imports

urlpatterns = [
    path("", imports.import_start, name="import_start"),
    path("<uuid:pk>/", imports.import_run, name="import_run"),
    path("<uuid:pk>/confirm/", imports.import_confirm, name="import_confirm"),
    path("<uuid:pk>/cancel/", imports.import_cancel, name="import_cancel"),
    path("<uuid:pk>/problems/", imports.import_problems, name="import_problems"),
    path("<uuid:pk>/summary.json", imports.import_summary, name="import_summary"),
]
