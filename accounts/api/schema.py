"""What every operation of the REST API has in common, in its OpenAPI description: errors and repeatable writes."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from accounts.api.idempotency import HEADER, LONGEST_KEY, UNSAFE, IdempotentMixin
from kernel.problems import CONTENT_TYPE, ProblemSerializer

IDEMPOTENCY = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=(
        f"Up to {LONGEST_KEY} characters of your own. A repeat with the same key gets the stored answer of the first"
        " request, and is not carried out again."
    ),
)


class RestSchema(AutoSchema):
    """Adds the header ``Idempotency-Key`` where it is honoured, and problem details as the answer to all that fails."""

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = super().get_override_parameters()
        if isinstance(self.view, IdempotentMixin) and self.method.upper() in UNSAFE:
            parameters = [*parameters, IDEMPOTENCY]
        return parameters

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if direction == "response":
            describe: Any = self._get_response_for_code  # untyped in the library
            problem = describe(ProblemSerializer, "default", media_types=[CONTENT_TYPE])
            bodies.setdefault("default", {**problem, "description": "Problem details (RFC 9457)."})
        return bodies
