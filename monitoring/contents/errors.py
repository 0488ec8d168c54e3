"""What keeps texts or embeddings from being compared. Who shows it to people words it anew."""

from __future__ import annotations

from typing import Any


class ContentError(Exception):
    """``key`` says what is wrong, ``told`` with which words and numbers; never with what a row holds."""

    def __init__(self, key: str, **told: Any) -> None:
        super().__init__(f"{key}: {told}")
        self.key = key
        self.told = told
