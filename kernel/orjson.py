"""JSON over REST through orjson: fast to write, strict to read (no NaN, no Infinity, errors name their position)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


class OrjsonRenderer(BaseRenderer):
    """Writes JSON. Decimals become strings: a client must not read 0.1 as something near it."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        return orjson.dumps(data, default=_plain, option=OPTIONS)


class OrjsonParser(BaseParser):
    """Reads JSON, or answers 400 with the line and column at which it ends being JSON."""

    media_type = "application/json"
    renderer_class = OrjsonRenderer

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        content = _read(stream)
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise ParseError(
                _("This is not JSON: %(what)s at line %(line)d, column %(column)d.")
                % {"what": error.msg, "line": error.lineno, "column": error.colno}
            ) from error


def _read(stream: Any) -> bytes:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    content: bytes = stream.read(limit + 1)
    if len(content) > limit:
        raise ParseError(_("The body is larger than %(bytes)d bytes.") % {"bytes": limit})
    return content


def _plain(value: object) -> object:
    if isinstance(value, Decimal | Promise):
        return str(value)
    if isinstance(value, Mapping):  # also REST framework's own dictionaries
        return dict(value)
    if hasattr(value, "__iter__"):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON")
