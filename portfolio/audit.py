"""What use cases are called, for the pages of the ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import Q
from django.urls import NoReverseMatch, reverse

from portfolio.models import UseCase

MANY = 200


class UseCases:
    """Names and addresses of use cases, for ``ledger.lookups``."""

    def names(self, keys: Collection[str]) -> Mapping[str, str]:
        named = UseCase.objects.filter(pk__in=[key for key in keys if _is_uuid(key)]).values_list("pk", "key", "name")
        return {str(pk): f"{name} ({key})" for pk, key, name in named}

    def search(self, text: str) -> Collection[str]:
        found = UseCase.objects.filter(Q(key__iexact=text) | Q(name__icontains=text)).order_by("pk")
        return [str(pk) for pk in found.values_list("pk", flat=True)[:MANY]]

    def url(self, key: str) -> str:
        found = UseCase.objects.filter(pk=key).values_list("key", flat=True).first() if _is_uuid(key) else None
        if found is None:
            return ""
        try:
            return reverse("portfolio:use_case", args=[found])
        except NoReverseMatch:
            return ""


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
