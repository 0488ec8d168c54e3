"""Cursor paging: the next page costs the same as the first, and rows that arrive meanwhile shift nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import pagination
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView


class CursorPagination(pagination.CursorPagination):
    """``next``, ``previous``, ``results``; 50 rows a page, ``?page_size=`` up to 500.

    A view says ``ordering`` ("-created_at", or several fields); the primary key is added where it is missing, so that
    rows with equal values neither repeat nor vanish between pages.
    """

    page_size = 50
    max_page_size = 500
    page_size_query_param = "page_size"
    ordering = "pk"

    def get_ordering(self, request: Request, queryset: Any, view: APIView) -> tuple[str, ...]:
        ordering = getattr(view, "ordering", None) or self.ordering
        fields = (ordering,) if isinstance(ordering, str) else tuple(ordering)
        named = {field.lstrip("-") for field in fields}
        if named & {"pk", queryset.model._meta.pk.name}:
            return fields
        return (*fields, "-pk" if fields[0].startswith("-") else "pk")
