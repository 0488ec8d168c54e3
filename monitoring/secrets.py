"""Secrets of sources, encrypted at rest; they never reach a log, an error, an event or a task argument.

Fernet (AES-128-CBC with HMAC-SHA-256) under a key derived from ``SECRET_KEY`` with HKDF (RFC 5869). After a rotation
what was encrypted under a key in ``SECRET_KEY_FALLBACKS`` can still be read.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"tollgate: secrets of monitoring sources"
HIDDEN = "•••"


class SecretLost(Exception):
    """The secret cannot be decrypted: the installation's key changed without a fallback."""


def seal(secret: Mapping[str, str]) -> str:
    """The secret (names and values) as text to store; empty for nothing."""
    if not secret:
        return ""
    return _fernet().encrypt(json.dumps(dict(secret)).encode()).decode()


def unseal(stored: str) -> dict[str, str]:
    """What was sealed. Raises ``SecretLost``."""
    if not stored:
        return {}
    try:
        content = json.loads(_fernet().decrypt(stored.encode()))
    except InvalidToken:
        raise SecretLost from None
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


def _fernet() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(derived)
