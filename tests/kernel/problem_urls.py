"""Addresses that fail in every way, for ``test_problems``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response

from kernel.errors import Conflict, DomainError, Invalid, NotReady


class LampSerializer(serializers.Serializer[Any]):
    watts = serializers.IntegerField(max_value=100)
    bulbs = serializers.ListField(child=serializers.IntegerField(), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["watts"] == 13:
            raise serializers.ValidationError("Unlucky.")
        return attrs


class ShelfSerializer(serializers.Serializer[Any]):
    lamps = LampSerializer(many=True)


ERRORS: dict[str, Callable[[], Exception]] = {
    "domain": lambda: DomainError("No."),
    "invalid": lambda: Invalid("The lamp is odd.", errors={"watts": ["Too many."]}),
    "conflict": lambda: Conflict("The lamp is sold.", hint="Buy another."),
    "not_ready": lambda: NotReady("The lamp is cold."),
    "missing": lambda: Http404("secret detail"),
    "denied": lambda: PermissionDenied("Only for electricians."),
    "denied_silently": PermissionDenied,
    "model": lambda: ValidationError({"watts": ["Too many."], "__all__": ["The lamp is odd."]}),
    "model_plain": lambda: ValidationError("The lamp is odd."),
    "throttled": lambda: exceptions.Throttled(wait=7),
    "integrity": lambda: IntegrityError("constraint"),
    "bug": ZeroDivisionError,
}


@api_view(["GET", "POST"])
@authentication_classes([])
@permission_classes([])
def rest(request: Request, kind: str) -> Response:
    error = ERRORS[kind]()
    raise error


@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def shelf(request: Request) -> Response:
    serializer = ShelfSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    return Response(serializer.validated_data)


def plain(request: HttpRequest, kind: str) -> HttpResponse:
    error = ERRORS[kind]()
    raise error


urlpatterns = [
    path("api/v1/shelf/", shelf),
    path("api/v1/plain/<str:kind>/", plain),
    path("api/v1/<str:kind>/", rest),
    path("pages/<str:kind>/", plain),
]
