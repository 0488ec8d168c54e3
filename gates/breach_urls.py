"""Addresses of decisions after breaches."""

from __future__ import annotations

from django.urls import URLPattern, path

from gates.views import breaches

urlpatterns: list[URLPattern] = [
    path("breaches/", breaches.breaches, name="breaches"),
    path("breaches/<int:number>/", breaches.breach, name="breach"),
    path("breaches/<int:number>/confirm/", breaches.confirm, name="breach_confirm"),
    path("breaches/<int:number>/refuse/", breaches.refuse, name="breach_refuse"),
    path("breaches/of/<uuid:pk>/", breaches.decide, name="breach_decide"),
]
