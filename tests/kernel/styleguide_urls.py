"""The product's addresses with the style guide, which only demonstrations and developers have otherwise."""

from __future__ import annotations

from django.urls import path

from config import styleguide
from config.urls import urlpatterns as product

urlpatterns = [
    *product,
    path("styleguide/", styleguide.page, name="styleguide"),
    path("styleguide/<slug:kind>.json", styleguide.chart, name="styleguide-chart"),
]
