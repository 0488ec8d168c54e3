"""The fast path: a batch of points in one request, checked and stored past serializers and ORM."""

from __future__ import annotations

import hashlib
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.idempotency import IdempotentMixin
from kernel.errors import Invalid
from monitoring import services, wire
from monitoring.api.senders import AUTHENTICATION, SenderAuthentication, known_targets
from monitoring.api.serializers import BatchAnswer, BatchWrite
from portfolio.api.use_cases import user_of

JSON, NDJSON = "application/json", "application/x-ndjson"

EXAMPLE = OpenApiExample(
    "Two points of one series",
    value={
        "use_case": "UC-0042",
        "metric": "f1",
        "version": "1.4",
        "points": [
            {"time": "2026-11-21T10:00:00Z", "value": 0.87, "n": 500},
            {"time": "2026-11-21T11:00:00Z", "value": 0.86, "n": 480},
        ],
    },
    request_only=True,
)


class PointBatchView(IdempotentMixin, APIView):
    """`POST /api/v1/points:batch`."""

    authentication_classes = (SenderAuthentication, SessionAuthentication)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_too_large(request)

    @extend_schema(
        operation_id="points_batch",
        auth=AUTHENTICATION,
        summary="Send points",
        description=(
            "All points are stored or none: the first mistake is named by its place. A JSON list of points, an object "
            "with `points` and what they share, or NDJSON (`application/x-ndjson`), a point a line; `Content-Encoding: "
            "gzip` is taken; at most 10 MB. A point that is there already with the same value changes nothing; another "
            "value for the same series, time and step becomes the next revision. A series of a metric of the catalogue "
            "is made with its first point. Needs `monitor.ingest` or `monitor.configure` on the use case."
        ),
        request={JSON: BatchWrite, NDJSON: OpenApiTypes.STR},
        responses=BatchAnswer,
        examples=[EXAMPLE],
        tags=["metrics"],
    )
    def post(self, request: Request) -> Response:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        if kind not in {JSON, NDJSON}:
            raise Invalid(f"Content-Type: {JSON}, {NDJSON}")
        body = wire.unpack(request.body, request.headers.get("Content-Encoding", "").strip().lower())
        batch = wire.read(body, by_line=kind == NDJSON, now=timezone.now())
        digest = hashlib.sha256(body).hexdigest()
        stored = services.push_points(batch=batch, by=user_of(request), digest=digest, known=known_targets(request))
        return Response(
            {
                "received": stored.received,
                "stored": stored.stored,
                "revised": stored.revised,
                "unchanged": stored.unchanged,
                "batches": stored.batches,
            }
        )


def refuse_too_large(request: Request) -> None:
    """Before a byte of it is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > wire.MAX_BYTES:
        raise wire.too_large()
