"""Where every address starts. An app's own addresses are in `<app>/urls.py`."""

from __future__ import annotations

from importlib.util import find_spec

from allauth.account.decorators import reauthentication_required, secure_admin_login
from allauth.account.views import password_set
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config import styleguide

# Prefixes are agreed here, so that no two apps can claim the same address.
PREFIXES = {
    "accounts": "",
    "ledger": "ledger/",
    "notify": "notices/",
    "governance": "governance/",
    "monitoring": "monitoring/",
    "gates": "gates/",
    "portfolio": "",
}

# Administrators sign in where everybody does: with the same second factor and the same limit on attempts.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("config.api")),
    path("admin/", admin.site.urls),
    *(path(prefix, include(f"{app}.urls")) for app, prefix in PREFIXES.items() if find_spec(f"{app}.urls")),
    # allauth lets a session without a password set one unasked; then it could confirm with it.
    path("accounts/password/set/", reauthentication_required(app="allauth.account")(password_set)),
    path("accounts/", include("allauth.urls")),
]
if settings.DEBUG or settings.TOLLGATE_DEMO:
    urlpatterns += [
        path("styleguide/", styleguide.page, name="styleguide"),
        path("styleguide/<slug:kind>.json", styleguide.chart, name="styleguide-chart"),
    ]
