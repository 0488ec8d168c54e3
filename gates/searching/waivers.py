"""Waivers by their number ("W-12"), the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.access import for_user
from accounts.models import User
from gates.models import Waiver
from portfolio.search import Hit, SearchSource, search_sources

LARGEST = 2**31 - 1


@search_sources.register
class WaiversFound(SearchSource):
    key: ClassVar[str] = "waivers"
    title: ClassVar[Any] = _("Waivers")
    order: ClassVar[int] = 25

    def find(self, user: User, text: str, limit: int) -> Iterator[Hit]:
        number = text.strip().upper().removeprefix("W-")
        if not number.isdecimal() or int(number) > LARGEST:
            return
        rows = for_user(Waiver.objects.filter(number=int(number)), user, "use_case.view").select_related("use_case")
        for waiver in rows[:limit]:
            yield Hit(
                title=f"{waiver}: {waiver.criterion} · {waiver.use_case.name}",
                url=reverse("gates:waiver", args=[waiver.number]),
                hint=str(waiver.get_state_display()),
                icon="flag",
            )
