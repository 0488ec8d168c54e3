"""Business units by name and code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from portfolio.models import BusinessUnit
from portfolio.search import Hit, SearchSource, search_sources


@search_sources.register
class Units(SearchSource):
    key: ClassVar[str] = "units"
    title: ClassVar[Any] = _("Business units")
    order: ClassVar[int] = 80

    def find(self, user: User, text: str, limit: int) -> Iterator[Hit]:
        found = BusinessUnit.objects.filter(Q(name__icontains=text) | Q(code__icontains=text)).order_by("name")
        for unit in found[:limit]:
            query = urlencode({"unit": unit.code})
            yield Hit(str(unit), f"{reverse('portfolio:list')}?{query}", hint=unit.code, icon="building")
