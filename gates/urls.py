"""Addresses of the gates."""

from __future__ import annotations

from django.urls import path

from gates.views import commenting, missing, policies, reviews

app_name = "gates"
urlpatterns = [
    path("", reviews.reviews, name="reviews"),
    path("reviews/<int:number>/", reviews.review, name="review"),
    path("reviews/<int:number>/sign/", reviews.sign_off, name="sign"),
    path("reviews/<int:number>/decide/", reviews.decide, name="decide"),
    path("reviews/<int:number>/withdraw/", reviews.withdraw, name="withdraw"),
    path("reviews/<int:number>/refresh/", reviews.refresh, name="refresh"),
    path("reviews/<int:number>/comment/", commenting.comment, name="comment"),
    path("missing/<slug:key>/", missing.missing, name="missing"),
    path("missing/<slug:key>/<slug:criterion>/assign/", missing.assign, name="assign"),
    path("submit/<slug:key>/", reviews.submit, name="submit"),
    path("policies/", policies.policies, name="policies"),
    path("policies/<slug:key>/", policies.policy, name="policy"),
]
