"""Audit events over REST: read-only, newest first, paged by index."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.serializers import BaseSerializer

from kernel.viewsets import ReadOnlyViewSet
from ledger import access
from ledger.api.serializers import EventDetailSerializer, EventSerializer
from ledger.filters import EventFilter
from ledger.models import Event, EventQuerySet


@extend_schema_view(
    list=extend_schema(summary="List audit events, newest first", tags=["ledger"]),
    retrieve=extend_schema(summary="One audit event with its body as it was hashed", tags=["ledger"]),
)
class EventViewSet(ReadOnlyViewSet):
    """What happened in the units and use cases on which the caller may read the audit trail. Read-only."""

    queryset = Event.objects.all()
    serializer_class = EventSerializer
    serializers: ClassVar[dict[str, type[BaseSerializer[Any]]]] = {"retrieve": EventDetailSerializer}
    filterset_class = EventFilter
    ordering = "-index"
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> EventQuerySet:
        if getattr(self, "swagger_fake_view", False):
            return Event.objects.all()
        scope = access.scope_of(self.request)
        if scope.is_empty:
            raise PermissionDenied(_("You need a role that may read the audit trail."))
        return scope.restrict(Event.objects.all())
