"""Secrets at rest: Fernet (AES-128-CBC with HMAC-SHA-256) under a key derived from ``SECRET_KEY`` for one purpose.

The derivation is HKDF (RFC 5869): what is sealed for one purpose cannot be read for another. After a rotation what was
sealed under a key in ``SECRET_KEY_FALLBACKS`` can still be read.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class SecretLost(Exception):
    """The secret cannot be decrypted: the installation's key changed without a fallback."""


def seal(content: bytes, *, purpose: bytes) -> str:
    return _fernet(purpose).encrypt(content).decode()


def unseal(stored: str, *, purpose: bytes) -> bytes:
    """What was sealed for this purpose. Raises ``SecretLost``."""
    try:
        return _fernet(purpose).decrypt(stored.encode())
    except InvalidToken:
        raise SecretLost from None


def _fernet(purpose: bytes) -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key, purpose)) for key in keys])


def _derived(key: str, purpose: bytes) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key.encode())
    return base64.urlsafe_b64encode(derived)
