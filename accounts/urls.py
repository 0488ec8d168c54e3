"""Addresses of people and of one's own settings."""

from __future__ import annotations

from django.urls import path

from accounts.views import absence, demo, identity, machines, own, people, roles

app_name = "accounts"
urlpatterns = [
    path("people/", people.people, name="people"),
    path("people/new/", people.person_new, name="person_new"),
    path("people/machines/", machines.service_accounts, name="service_accounts"),
    path("people/machines/new/", machines.service_account_new, name="service_account_new"),
    path("people/roles/<uuid:pk>/end/", roles.role_end, name="role_end"),
    path("people/<uuid:pk>/", people.person, name="person"),
    path("people/<uuid:pk>/roles/new/", roles.role_assign, name="role_assign"),
    path("people/<uuid:pk>/tokens/new/", own.token_new, name="account_token_new"),
    path("people/<uuid:pk>/manager/", people.manager, name="manager"),
    path("people/<uuid:pk>/deactivate/", people.deactivate, name="deactivate"),
    path("people/<uuid:pk>/reactivate/", people.reactivate, name="reactivate"),
    path("settings/", own.own_settings, name="settings"),
    path("settings/tokens/", own.tokens, name="tokens"),
    path("settings/tokens/new/", own.token_new, name="token_new"),
    path("settings/tokens/<uuid:pk>/revoke/", own.token_revoke, name="token_revoke"),
    path("settings/absence/", absence.absence, name="absence"),
    path("settings/absence/new/", absence.absence_new, name="absence_new"),
    path("settings/absence/delegate/", absence.delegation_new, name="delegation_new"),
    path("settings/absence/delegations/<uuid:pk>/end/", absence.delegation_end, name="delegation_end"),
    path("settings/absence/<uuid:pk>/cancel/", absence.absence_cancel, name="absence_cancel"),
    path("accounts/demo/", demo.demo, name="demo"),
    path("accounts/confirm/", identity.confirm, name="confirm_at_provider"),
    # Before allauth's own at the same address.
    path("accounts/oidc/<str:provider_id>/login/", identity.login, name="identity_login"),
    path("accounts/oidc/<str:provider_id>/login/callback/", identity.callback, name="identity_callback"),
]
