"""Domain errors: what a person asked for cannot be done, and why, and what to do now.

Each carries the HTTP status it becomes, so that pages, API and commands say the same thing.
``django.core.exceptions.PermissionDenied`` is about people; these are about the state of things and about input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """The request is understood and refused. ``message`` says what, ``hint`` says what now."""

    status: int = 400
    code: str = "domain_error"

    def __init__(
        self, message: object, *, hint: object = "", errors: Mapping[str, Sequence[object]] | None = None
    ) -> None:
        # Translation proxies are accepted and resolved when shown, in the language of whoever reads.
        super().__init__(message)
        self._message = message
        self._hint = hint
        self._errors: dict[str, list[object]] = {field: list(said) for field, said in (errors or {}).items()}

    @property
    def message(self) -> str:
        return str(self._message)

    @property
    def hint(self) -> str:
        return str(self._hint)

    @property
    def errors(self) -> dict[str, list[str]]:
        """What is wrong, by field; ``""`` holds what concerns no single field."""
        return {field: [str(item) for item in said] for field, said in self._errors.items()}

    def __str__(self) -> str:
        return self.message


class Invalid(DomainError):
    """The input is wrong: a value is missing, malformed or out of range."""

    status = 422
    code = "invalid"


class Conflict(DomainError):
    """The input is fine, but the object is not in a state that allows it."""

    status = 409
    code = "conflict"


class NotReady(Conflict):
    """Something has to be done first; ``errors`` or ``hint`` say what."""

    code = "not_ready"
