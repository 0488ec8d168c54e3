"""Use cases by key and name; those whose key or name begins with the words come first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db.models import Case, IntegerField, Q, Value, When
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from portfolio.search import Hit, SearchSource, search_sources
from portfolio.selectors.listing import LONG_TEXTS, matching, visible


@search_sources.register
class UseCases(SearchSource):
    key: ClassVar[str] = "use_cases"
    title: ClassVar[Any] = _("Use cases")
    order: ClassVar[int] = 10

    def find(self, user: User, text: str, limit: int) -> Iterator[Hit]:
        rank = Case(
            When(key__iexact=text, then=Value(0)),
            When(Q(key__istartswith=text) | Q(name__istartswith=text), then=Value(1)),
            When(name__icontains=text, then=Value(2)),
            default=Value(3),
            output_field=IntegerField(),
        )
        rows = visible(user).filter(matching(text)).annotate(rank=rank).order_by("rank", "name", "pk")
        for row in rows.select_related("unit").defer(*LONG_TEXTS)[:limit]:
            yield Hit(
                title=row.name,
                url=reverse("portfolio:use_case", args=[row.key]),
                hint=f"{row.key} · {row.unit.name} · {row.get_stage_display()}",
                icon="portfolio",
            )
