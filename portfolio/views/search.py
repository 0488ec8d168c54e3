"""Search everything: the page, and the few best answers for the command palette."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from kernel.htmx import render
from portfolio.search import Hit, search_sources
from portfolio.views.common import person_of

ON_PAGE = 20
IN_PALETTE = 5
LONGEST = 100


@require_safe
@login_required
def search(request: HttpRequest) -> HttpResponse:
    """Everything found, by kind."""
    text = _text(request)
    groups = _found(request, text, ON_PAGE) if text else []
    context = {"search_text": text, "groups": groups, "total": sum(len(hits) for _title, hits in groups)}
    return render(request, "portfolio/search.html", context)


@require_safe
@login_required
def palette(request: HttpRequest) -> JsonResponse:
    """``{"results": [{"title", "url", "kind", "hint", "icon"}]}``."""
    text = _text(request)
    results = [
        {"title": hit.title, "url": hit.url, "kind": str(title), "hint": hit.hint, "icon": hit.icon}
        for title, hits in (_found(request, text, IN_PALETTE) if len(text) > 1 else [])
        for hit in hits
    ]
    return JsonResponse({"results": results})


def _found(request: HttpRequest, text: str, limit: int) -> list[tuple[Any, list[Hit]]]:
    user = person_of(request)
    sources = sorted(search_sources, key=lambda each: (each.order, each.key))
    groups = [(source.title, list(islice(source().find(user, text, limit), limit))) for source in sources]
    return [(title, hits) for title, hits in groups if hits]


def _text(request: HttpRequest) -> str:
    return " ".join(request.GET.get("q", "").split())[:LONGEST]
