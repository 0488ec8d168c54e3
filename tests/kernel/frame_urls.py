"""Addresses as a small installation would have them, for tests of the frame."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


portfolio = [
    path("home/", page, name="home"),
    path("", page, name="list"),
    path("reports/", page, name="reports"),
    path("one/", page, name="detail"),
]
urlpatterns = [path("portfolio/", include((portfolio, "portfolio")))]
