"""Addresses of the gates."""

from __future__ import annotations

from django.urls import path

from gates import board_urls, breach_urls, obligation_urls, policy_urls
from gates.views import commenting, conditions, deciding, ending, executive, missing, reviews, signing, waivers

app_name = "gates"
urlpatterns = [
    path("", reviews.reviews, name="reviews"),
    path("reviews/<int:number>/", reviews.review, name="review"),
    path("reviews/<int:number>/sign/", signing.sign_off, name="sign"),
    path("sign-offs/<uuid:pk>/", signing.signature, name="signature"),
    path("reviews/<int:number>/decide/", deciding.decide, name="decide"),
    path("reviews/<int:number>/withdraw/", reviews.withdraw, name="withdraw"),
    path("reviews/<int:number>/refresh/", reviews.refresh, name="refresh"),
    path("reviews/<int:number>/comment/", commenting.comment, name="comment"),
    path("executive/", executive.page, name="executive"),
    path("executive/report.pdf", executive.pdf, name="executive_pdf"),
    path("executive/report.csv", executive.csv, name="executive_csv"),
    path("executive/report.json", executive.data, name="executive_data"),
    path("end/<slug:key>/", ending.end, name="end"),
    path("missing/<slug:key>/", missing.missing, name="missing"),
    path("missing/<slug:key>/<slug:criterion>/assign/", missing.assign, name="assign"),
    path("submit/<slug:key>/", reviews.submit, name="submit"),
    path("conditions/", conditions.conditions, name="conditions"),
    path("conditions/<uuid:pk>/", conditions.condition, name="condition"),
    path("conditions/<uuid:pk>/report/", conditions.report, name="condition_report"),
    path("conditions/<uuid:pk>/close/", conditions.close, name="condition_close"),
    path("conditions/<uuid:pk>/send-back/", conditions.send_back, name="condition_send_back"),
    path("conditions/<uuid:pk>/move/", conditions.move, name="condition_move"),
    path("waivers/", waivers.waivers, name="waivers"),
    path("waivers/<int:number>/", waivers.waiver, name="waiver"),
    path("waivers/<int:number>/decide/", waivers.decide, name="waiver_decide"),
    path("waivers/<int:number>/withdraw/", waivers.withdraw, name="waiver_withdraw"),
    path("waivers/<int:number>/revoke/", waivers.revoke, name="waiver_revoke"),
    path("waivers/ask/<slug:key>/<slug:gate>/<str:criterion>/", waivers.ask, name="waiver_ask"),
    *policy_urls.urlpatterns,
    *board_urls.urlpatterns,
    *obligation_urls.urlpatterns,
    *breach_urls.urlpatterns,
]
