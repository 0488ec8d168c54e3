"""What REST views of every app share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import viewsets
from rest_framework.serializers import BaseSerializer


class SerializerPerAction:
    """A viewset whose actions read and write different shapes: ``serializers = {"create": …, "list": …}``.

    What is not named uses ``serializer_class``.
    """

    serializers: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        chosen = self.serializers.get(getattr(self, "action", None) or "")
        return chosen or super().get_serializer_class()  # type: ignore[misc]  # a mixin of GenericViewSet


class ReadOnlyViewSet(SerializerPerAction, viewsets.ReadOnlyModelViewSet[Any]):
    """List and retrieve."""


class ViewSet(SerializerPerAction, viewsets.GenericViewSet[Any]):
    """The base for viewsets that choose their actions by mixins."""
