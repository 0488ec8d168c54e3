"""How an API token is spelled: ``tg_<prefix>_<secret>``. Only the SHA-256 of the whole is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets

MARK = "tg"
PREFIX_LENGTH = 8
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # no l, o, 0, 1: prefixes are read aloud


def new_key() -> tuple[str, str]:
    """A fresh prefix and the whole key with its 256 bits of secret."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(PREFIX_LENGTH))
    return prefix, f"{MARK}_{prefix}_{secrets.token_urlsafe(32)}"


def prefix_of(key: str) -> str | None:
    """The prefix of a well-formed key, else None."""
    mark, _, rest = key.partition("_")
    prefix, _, secret = rest.partition("_")
    return prefix if mark == MARK and len(prefix) == PREFIX_LENGTH and secret else None


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def matches(key: str, digest: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(digest_of(key), digest)
