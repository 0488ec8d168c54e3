"""Addresses of people and access below /api/v1/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from accounts.api.absence import AbsenceViewSet, DelegationViewSet
from accounts.api.views import ConfirmView, MeView, PersonViewSet, RoleAssignmentViewSet, TokenViewSet

router = SimpleRouter()
router.register("people", PersonViewSet, basename="person")
router.register("role-assignments", RoleAssignmentViewSet, basename="role-assignment")
router.register("delegations", DelegationViewSet, basename="delegation")
router.register("absences", AbsenceViewSet, basename="absence")
router.register("tokens", TokenViewSet, basename="token")

urlpatterns = [
    path("me/", MeView.as_view(), name="me"),
    path("me/confirm/", ConfirmView.as_view(), name="me-confirm"),
    *router.urls,
]
