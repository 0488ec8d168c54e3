"""Addresses of decisions after breaches, and of the business view."""

from __future__ import annotations

from django.urls import URLPattern, path

from gates.views import breaches, business

urlpatterns: list[URLPattern] = [
    path("breaches/", breaches.breaches, name="breaches"),
    path("breaches/<int:number>/", breaches.breach, name="breach"),
    path("breaches/<int:number>/confirm/", breaches.confirm, name="breach_confirm"),
    path("breaches/<int:number>/refuse/", breaches.refuse, name="breach_refuse"),
    path("breaches/of/<uuid:pk>/", breaches.decide, name="breach_decide"),
    path("business/<slug:key>/business.pdf", business.pdf, name="business_pdf"),
    path("business/<slug:key>/business.csv", business.csv, name="business_csv"),
    path("business/<slug:key>/<slug:kpi>/link/", business.link, name="business_link"),
    path("business/<slug:key>/links/<int:pk>/remove/", business.unlink, name="business_unlink"),
]
