"""What is wrong with this installation's settings, as numbered system checks with a hint."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured


@register("tollgate")
def installation_is_configured(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    return production_problems() if settings.TOLLGATE_PRODUCTION else []


def refuse_misconfiguration() -> None:
    """Raise what the checks would report as an error, for processes that start without running them."""
    errors = [message for message in installation_is_configured(None) if message.is_serious()]
    if errors:
        raise ImproperlyConfigured(" ".join(f"{error.id}: {error.msg} {error.hint}" for error in errors))


def production_problems() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.TOLLGATE_SECRET_KEY_GIVEN:
        found.append(
            Error(
                "TOLLGATE_SECRET_KEY is not set.",
                hint="Set it to at least 50 random characters, the same in every process of this installation.",
                id="tollgate.E001",
            )
        )
    if not settings.ALLOWED_HOSTS:
        found.append(
            Error(
                "The host names of this installation are not known.",
                hint="Set TOLLGATE_PUBLIC_URL (https://tollgate.example.org) or TOLLGATE_ALLOWED_HOSTS.",
                id="tollgate.E002",
            )
        )
    if settings.TOLLGATE_DEMO:
        found.append(
            Error(
                "Demonstration mode is on in production: anybody could sign in as anybody.",
                hint="Unset TOLLGATE_DEMO, or unset TOLLGATE_ENV=production for a demonstration.",
                id="tollgate.E003",
            )
        )
    if settings.DEBUG:
        found.append(Error("TOLLGATE_DEBUG is on in production.", hint="Unset it.", id="tollgate.E004"))
    if any(origin.startswith("http://") for origin in settings.TOLLGATE_IDENTITY_ORIGINS):
        found.append(
            Error(
                "TOLLGATE_OIDC_SERVER_URL is not https: anybody on the way could say who signs in.",
                hint="Name the provider by its https address.",
                id="tollgate.E005",
            )
        )
    if settings.TOLLGATE_PUBLIC_URL.startswith("http://"):
        found.append(
            Warning(
                "TOLLGATE_PUBLIC_URL is not https: sessions and sign-offs would travel in clear text.",
                hint="Put a TLS proxy in front, set TOLLGATE_BEHIND_PROXY=1 and an https TOLLGATE_PUBLIC_URL.",
                id="tollgate.W001",
            )
        )
    if not settings.TOLLGATE_SHARED_SERVICES:
        found.append(
            Warning(
                "This production installation runs on SQLite or on the embedded broker.",
                hint="Set DATABASE_URL to a PostgreSQL and REDIS_URL to a Redis, or stay on one machine with `up`.",
                id="tollgate.W002",
            )
        )
    return found
