"""Addresses of policies, their drafts and simulations, below those of the gates."""

from __future__ import annotations

from django.urls import path

from gates.views import policies, policy_drafts, policy_editing, simulations, under

DRAFT = "policy-drafts/<uuid:pk>/"
urlpatterns = [
    path("policies/", policies.policies, name="policies"),
    path("policies/<slug:key>/", policies.policy, name="policy"),
    path("policies/<slug:key>/versions/", policies.versions, name="policy_versions"),
    path("policies/<slug:key>/text/", policies.text, name="policy_text"),
    path("policies/<slug:key>/draft/", policy_drafts.start, name="policy_start"),
    path("policy-extension/", policy_drafts.extend, name="policy_extend"),
    path(DRAFT, policy_drafts.draft, name="policy_draft"),
    path(f"{DRAFT}text/", policy_editing.edit_text, name="policy_draft_text"),
    path(f"{DRAFT}form/", policy_editing.edit_form, name="policy_draft_form"),
    path(
        f"{DRAFT}form/<slug:gate>/criteria/<str:criterion>/",
        policy_editing.edit_criterion,
        name="policy_draft_criterion",
    ),
    path(f"{DRAFT}form/<slug:gate>/signatures/", policy_editing.edit_signatures, name="policy_draft_signatures"),
    path(f"{DRAFT}simulation/", simulations.simulation, name="policy_simulation"),
    path(f"{DRAFT}simulation/stop/", simulations.stop, name="policy_simulation_stop"),
    path(f"{DRAFT}<slug:verb>/", policy_drafts.step, name="policy_draft_step"),
    path("reviews/<int:number>/under/", under.under, name="review_under"),
]
