"""The pages about people and settings as one set of tabs; those of other apps are found by their address."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.access import can, can_everywhere
from accounts.models import User
from kernel.context import address


def settings_tabs(user: User, current: str) -> list[dict[str, Any]]:
    """``current`` is the url name of the page that shows them, such as ``accounts:tokens``."""
    manages = can(user, "role.assign") or can(user, "token.manage") or can_everywhere(user, "user.manage")
    listed: list[tuple[str, str, str]] = [
        ("accounts:settings", _("You"), "person"),
        ("notify:preferences", _("Notices"), "bell"),
        ("accounts:absence", _("Delegations and absences"), "calendar"),
        ("accounts:tokens", _("API tokens"), "key"),
        ("accounts:people", _("People"), "people"),
    ]
    if manages:
        listed.append(("accounts:service_accounts", _("Service accounts"), "machine"))
    return [
        {"label": label, "url": url, "icon": icon, "current": name == current, "count": None}
        for name, label, icon in listed
        if (url := address(name))
    ]
