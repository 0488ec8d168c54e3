"""The API's description: made once a process and language, for it takes seconds and is the same for everybody."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response

_made: dict[tuple[str | None, str | None], Any] = {}


class SchemaView(SpectacularAPIView):
    """As YAML, or as JSON with ``?format=json``, which is what the page of the documentation reads."""

    def _get_schema_response(self, request: Request) -> Response:
        key = (request.version, get_language())
        if key not in _made:
            _made[key] = super()._get_schema_response(request).data  # type: ignore[no-untyped-call]  # the library's
        name = self._get_filename(request, request.version)  # type: ignore[no-untyped-call]  # the library's
        return Response(data=_made[key], headers={"Content-Disposition": f'inline; filename="{name}"'})
