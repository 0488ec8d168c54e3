"""Secrets of sources, encrypted at rest; they never reach a log, an error, an event or a task argument.

How, see ``kernel.sealing``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from kernel import sealing
from kernel.sealing import SecretLost

PURPOSE = b"tollgate: secrets of monitoring sources"
HIDDEN = "•••"

__all__ = ["HIDDEN", "PURPOSE", "SecretLost", "redact", "seal", "unseal"]


def seal(secret: Mapping[str, str]) -> str:
    """The secret (names and values) as text to store; empty for nothing."""
    if not secret:
        return ""
    return sealing.seal(json.dumps(dict(secret)).encode(), purpose=PURPOSE)


def unseal(stored: str) -> dict[str, str]:
    """What was sealed. Raises ``SecretLost``."""
    if not stored:
        return {}
    content = json.loads(sealing.unseal(stored, purpose=PURPOSE))
    return {str(name): str(value) for name, value in content.items()}


def redact(text: str, secret: Mapping[str, str]) -> str:
    """The text with every secret value taken out, for errors that quote what was sent or received."""
    for value in sorted(secret.values(), key=len, reverse=True):
        if value:
            text = text.replace(value, HIDDEN)
            scheme, _space, credentials = value.partition(" ")  # "Bearer abc": the credentials alone may be quoted
            if credentials and scheme.isalpha():
                text = text.replace(credentials, HIDDEN)
    return text
