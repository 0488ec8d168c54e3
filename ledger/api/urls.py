"""REST addresses of the ledger, under ``/api/v1/``."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from ledger.api.views import EventViewSet

router = SimpleRouter()
router.register("audit-events", EventViewSet, basename="audit-event")

urlpatterns = router.urls
