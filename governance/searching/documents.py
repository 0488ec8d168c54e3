"""Current documents by their title."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.access import for_user
from accounts.models import User
from governance.models import Document
from portfolio.search import Hit, SearchSource, search_sources


@search_sources.register
class DocumentSearch(SearchSource):
    key: ClassVar[str] = "documents"
    title: ClassVar[Any] = _("Documents")
    order: ClassVar[int] = 50

    def find(self, user: User, text: str, limit: int) -> Iterator[Hit]:
        rows = for_user(Document.objects.filter(is_current=True, title__icontains=text), user, "use_case.view")
        for row in rows.select_related("use_case").order_by("-written_at")[:limit]:
            hint = f"{row.use_case.key} · {row.get_status_display()}"
            yield Hit(row.title, reverse("governance:document", args=[row.pk]), hint, "document")
