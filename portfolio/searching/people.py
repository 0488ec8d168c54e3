"""People by name and e-mail address, for everybody who is signed in: one has to know whom to ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from portfolio.search import Hit, SearchSource, search_sources


@search_sources.register
class People(SearchSource):
    key: ClassVar[str] = "people"
    title: ClassVar[Any] = _("People")
    order: ClassVar[int] = 90

    def find(self, user: User, text: str, limit: int) -> Iterator[Hit]:
        condition = Q()
        for word in text.split()[:5]:
            condition &= Q(full_name__icontains=word) | Q(email__icontains=word)
        for person in User.objects.filter(condition, is_active=True).order_by("full_name", "email")[:limit]:
            yield Hit(
                title=str(person),
                url=_address(person),
                hint=person.job_title or person.email,
                icon="person" if person.is_person else "machine",
            )


def _address(person: User) -> str:
    try:
        return reverse("accounts:person", args=[person.pk])
    except NoReverseMatch:
        return f"mailto:{person.email}"
