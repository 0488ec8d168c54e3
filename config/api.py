"""The root of the REST API: each app brings `<app>/api/urls.py`; the schema and its pages are here."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from config.schema import SchemaView


def _offers_api(app: str) -> bool:
    package = find_spec(f"{app}.api")
    if package is None or package.submodule_search_locations is None:  # absent, or a plain module of that name
        return False
    return find_spec(f"{app}.api.urls") is not None


def _most_called_first(apps: Sequence[str]) -> list[str]:
    """Addresses are tried in turn: machines send points a hundred times for one other call."""
    return sorted(apps, key=lambda app: app != "monitoring")


SCHEMA = "/api/v1/schema/?format=json"
"""What the page of the documentation reads: JSON, for writing YAML of this size takes seconds."""

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", login_required(SpectacularSwaggerSplitView.as_view(url=SCHEMA)), name="api-docs"),
    *(path("", include(f"{app}.api.urls")) for app in _most_called_first(settings.OWN_APPS) if _offers_api(app)),
]
