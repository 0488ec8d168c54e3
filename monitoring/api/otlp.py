"""OpenTelemetry metrics over HTTP: a collector's ``otlphttp`` exporter with ``encoding: json`` sends here."""

from __future__ import annotations

import hashlib
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel.errors import Invalid
from monitoring import otlp, services, wire
from monitoring.api.points import JSON, refuse_too_large
from monitoring.api.senders import AUTHENTICATION, SenderAuthentication, known_targets
from portfolio.api.use_cases import user_of

INVALID_ARGUMENT = 3
"""Of google.rpc.Code, which OTLP answers errors with."""
MOST_REASONS = 5


class OtlpMetricsView(APIView):
    """`POST /api/v1/otlp/v1/metrics`."""

    authentication_classes = (SenderAuthentication, SessionAuthentication)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_too_large(request)

    @extend_schema(
        operation_id="otlp_metrics",
        auth=AUTHENTICATION,
        summary="Send OpenTelemetry metrics",
        description=(
            "OTLP/HTTP in JSON (protobuf is answered with 415). Resource attributes name the use case "
            "(`tollgate.use_case`, else `service.name`) and the version (`tollgate.model_version`), the metric's name "
            "the metric, the data point's attributes the segment. Gauges and sums are stored as sent; histograms and "
            "summaries as `.count`, `.sum` and `.avg`. What fits is stored; the rest is counted in `partialSuccess`."
        ),
        request={JSON: OpenApiTypes.OBJECT},
        responses={200: OpenApiTypes.OBJECT},
        tags=["metrics"],
    )
    def post(self, request: Request) -> Response:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        if kind != JSON:
            said = "Send OTLP in JSON (application/json); of a collector's otlphttp exporter that is encoding: json."
            return _failure(said, status.HTTP_415_UNSUPPORTED_MEDIA_TYPE)
        try:
            body = wire.unpack(request.body, request.headers.get("Content-Encoding", "").strip().lower())
            found = otlp.read(body)
        except Invalid as error:
            return _failure(error.message, status.HTTP_400_BAD_REQUEST)
        points = [(index, point) for index, each in enumerate(found) for point in each.points]
        refused: dict[int, str] = {}
        if points:
            refused = services.push_fitting_points(
                points=[point for _index, point in points],
                by=user_of(request),
                digest=hashlib.sha256(body).hexdigest(),
                known=known_targets(request),
            ).refused
        taken = {index for place, (index, _point) in enumerate(points) if place not in refused}
        reasons = {points[place][0]: reason for place, reason in reversed(refused.items())}
        rejected = [
            (each.metric, each.reason or reasons.get(index, ""))
            for index, each in enumerate(found)
            if index not in taken and (each.reason or each.points)
        ]
        return Response(_partial(rejected) if rejected else {})


def _partial(rejected: list[tuple[str, str]]) -> dict[str, Any]:
    said = list(dict.fromkeys(f"{metric}: {reason}" for metric, reason in rejected))
    more = f" And {len(said) - MOST_REASONS} more." if len(said) > MOST_REASONS else ""
    return {
        "partialSuccess": {
            "rejectedDataPoints": str(len(rejected)),
            "errorMessage": " ".join(said[:MOST_REASONS]) + more,
        }
    }


def _failure(message: str, code: int) -> Response:
    return Response({"code": INVALID_ARGUMENT, "message": message}, status=code)
