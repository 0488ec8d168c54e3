"""Events in words: what a page shows of an event's action, and of a value."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _

ICONS = {
    "use_case": "portfolio",
    "kpi": "target",
    "review": "gate",
    "gate": "gate",
    "sign_off": "sign",
    "decision": "gate",
    "policy": "scale",
    "evidence": "evidence",
    "document": "document",
    "validation_run": "beaker",
    "model": "model",
    "version": "branch",
    "source": "data",
    "alert": "alert",
    "incident": "warning",
    "assurance": "shield",
    "role": "people",
    "person": "person",
    "unit": "building",
    "import": "upload",
}


def title(action: str) -> str:
    """ "use_case.stage_changed" is "Use case stage changed"."""
    words = action.replace(".", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def icon(action: str, actor_kind: str) -> str:
    noun = action.partition(".")[0]
    return ICONS.get(noun) or ("machine" if actor_kind != "person" else "dot")


def field_name(name: str) -> str:
    words = name.replace("_", " ").replace(".", " › ")
    return words[:1].upper() + words[1:]


def value(content: Any) -> str:
    """A value of a body as a person reads it; nothing is an empty text."""
    if content is None or content in ("", [], {}):
        return ""
    if content is True:
        return _("yes")
    if content is False:
        return _("no")
    if isinstance(content, list) and all(isinstance(item, str | int) for item in content):
        return ", ".join(value(item) for item in content)
    if isinstance(content, dict | list):
        return json.dumps(content, ensure_ascii=False, indent=1)
    return str(content)


def auth_method(method: str) -> str:
    """How the actor proved who they are."""
    kind, _colon, rest = method.partition(":")
    known = {
        "session": _("signed in"),
        "token": _("API token %(prefix)s") % {"prefix": rest},
        "command": _("command line"),
        "worker": _("background worker"),
    }
    return known.get(kind, method)
