"""Two questions for whoever runs us: does the process answer (`/healthz`), and can it serve (`/readyz`)?

Answered before anything looks at the host name, because whoever asks uses an address of the machine and not the name
of the installation; and before the request log, because they ask every few seconds.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import add_never_cache_headers


class HealthMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.questions = {"/healthz": alive, "/readyz": ready}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        question = self.questions.get(request.path_info)
        if question is None:
            return self.get_response(request)
        answer = question()
        add_never_cache_headers(answer)
        return answer


def alive() -> JsonResponse:
    """The process answers. Touches nothing else, so a slow database never gets a healthy process killed."""
    return JsonResponse({"status": "ok"})


def ready() -> JsonResponse:
    """The database answers and its tables are those that this version of the code expects."""
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": "no answer"}, status=503)
    if waiting:
        return JsonResponse({"status": "unavailable", "database": f"{len(waiting)} migrations to apply"}, status=503)
    return JsonResponse({"status": "ok", "database": "ok"})
