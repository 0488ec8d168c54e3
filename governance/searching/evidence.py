"""Evidence by its title, file name or digest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.access import for_user
from accounts.models import User
from governance.models import Evidence
from portfolio.search import Hit, SearchSource, search_sources


@search_sources.register
class EvidenceSearch(SearchSource):
    key: ClassVar[str] = "evidence"
    title: ClassVar[Any] = _("Evidence")
    order: ClassVar[int] = 40

    def find(self, user: User, text: str, limit: int) -> Iterator[Hit]:
        words = Q(title__icontains=text) | Q(file_name__icontains=text) | Q(sha256__startswith=text.lower())
        rows = for_user(Evidence.objects.filter(words, withdrawn_at__isnull=True), user, "use_case.view")
        for row in rows.select_related("use_case").order_by("-added_at")[:limit]:
            hint = f"{row.use_case.key} · {row.get_kind_display()}"
            yield Hit(row.title, reverse("governance:evidence", args=[row.pk]), hint, "evidence")
