"""Reviews by their number ("R-12" or "12") and by the name or key of their use case, the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.access import for_user
from accounts.models import User
from gates.models import Review
from portfolio.search import Hit, SearchSource, search_sources
from portfolio.selectors.track import gate_name

LARGEST = 2**31 - 1


@search_sources.register
class Reviews(SearchSource):
    key: ClassVar[str] = "reviews"
    title: ClassVar[Any] = _("Gate reviews")
    order: ClassVar[int] = 20

    def find(self, user: User, text: str, limit: int) -> Iterator[Hit]:
        meant = Q()
        for word in text.split()[:5]:
            meant &= Q(use_case__name__icontains=word) | Q(use_case__key__icontains=word)
        number = text.upper().removeprefix("R-")
        if number.isdecimal() and int(number) <= LARGEST:
            meant |= Q(number=int(number))
        found = for_user(Review.objects.filter(meant), user, "use_case.view").select_related("use_case")
        for review in found.order_by("-submitted_at")[:limit]:
            yield Hit(
                title=f"{review}: {review.use_case.name}",
                url=reverse("gates:review", args=[review.number]),
                hint=f"{gate_name(review.gate)} · {review.get_state_display()}",
                icon="gate",
            )
