"""The frame of every page: where one can go, which installation this is.

Entries whose address does not exist in this installation are left out, so an app can be added or taken away without
touching the frame; so are those that the app which knows roles says lead nowhere for this person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Nav:
    """One entry of the rail, the bottom bar or the New menu.

    `alone`: marked on its own page, not in all its app. `also`: pages of other apps that belong below it.
    """

    label: str | Promise
    icon: str
    url_name: str
    url: str = ""
    active: bool = False
    alone: bool = False
    also: tuple[str, ...] = ()


RAIL: tuple[Nav, ...] = (
    Nav(_("Home"), "home", "portfolio:home", alone=True),
    Nav(_("Portfolio"), "portfolio", "portfolio:list"),
    Nav(_("Gates"), "gate", "gates:reviews"),
    Nav(_("Monitoring"), "pulse", "monitoring:index"),
    Nav(_("Governance"), "shield", "governance:index"),
    Nav(_("Ledger"), "ledger", "ledger:events"),
    Nav(_("Reports"), "report", "portfolio:reports", also=("gates:executive",)),
    Nav(_("Settings"), "settings", "accounts:settings"),
)
NEW_MENU: tuple[Nav, ...] = (
    Nav(_("Use case"), "plus", "portfolio:create"),
    Nav(_("Import an inventory"), "upload", "portfolio:import_start"),
)


Offer = Callable[[HttpRequest, str], bool]


@dataclass(slots=True)
class _Hooks:
    """What a higher app has told this one."""

    offer: Offer | None = None


_hooks = _Hooks()


def set_offer(offer: Offer) -> None:
    """Say which entries, by address name, lead anywhere for whom. Called once, in ``ready()``."""
    _hooks.offer = offer


def shell(request: HttpRequest) -> dict[str, object]:
    """`nav`, `new_menu`, the addresses of the frame's own tools (empty when absent), `demo_mode`, `product_version`."""
    nav = _with_active(_resolved(RAIL, request), request)
    return {
        "nav": nav,
        "nav_main": nav[:4],
        "nav_more": nav[4:],
        "new_menu": _resolved(NEW_MENU, request),
        "home_url": address("portfolio:home") or "/",
        "search_url": address("portfolio:search") or address("portfolio:list"),
        "palette_url": address("portfolio:palette"),
        "notices_url": address("notify:notices"),
        "settings_url": address("accounts:settings"),
        "login_url": address("account_login"),
        "demo_url": address("accounts:demo"),
        "logout_url": address("account_logout"),
        "docs_url": address("docs"),
        "demo_mode": bool(getattr(settings, "TOLLGATE_DEMO", False)),
        "product_version": str(getattr(settings, "TOLLGATE_VERSION", "")),
    }


def address(url_name: str) -> str:
    """The path of a named address, or an empty string when this installation has no such address."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def _resolved(entries: tuple[Nav, ...], request: HttpRequest) -> list[Nav]:
    found = [replace(entry, url=address(entry.url_name)) for entry in entries]
    offer = _hooks.offer
    return [entry for entry in found if entry.url and (offer is None or offer(request, entry.url_name))]


def _with_active(entries: list[Nav], request: HttpRequest) -> list[Nav]:
    """Marks one entry at most: the page itself, the page that this one is below, or else the first entry of its app."""
    match = getattr(request, "resolver_match", None)
    if match is None:
        return entries
    here = [entry for entry in entries if match.view_name in (entry.url_name, *entry.also)]
    if not here:
        above = [entry for entry in entries if len(entry.url) > 1 and request.path.startswith(entry.url)]
        here = sorted(above, key=lambda entry: len(entry.url), reverse=True)
    if not here and match.namespace:
        here = [each for each in entries if not each.alone and each.url_name.partition(":")[0] == match.namespace]
    return [replace(entry, active=True) if here and entry == here[0] else entry for entry in entries]
