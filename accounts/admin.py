"""Django's admin shows accounts, roles and tokens; it changes none of them: that is for services, which record it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import ApiToken, RoleAssignment, User

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin  # generic in the stubs alone


class ReadOnly(Base):
    """Nothing can be added, changed or deleted here, whoever looks."""

    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ReadOnly):
    list_display = ("full_name", "email", "kind", "is_active", "is_staff", "last_login")
    list_filter = ("kind", "is_active", "is_staff")
    search_fields = ("full_name", "email")
    exclude = ("password", "groups", "user_permissions")


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(ReadOnly):
    list_display = ("user", "role", "scope_kind", "scope_id", "starts_at", "ended_at")
    list_filter = ("role", "scope_kind")
    search_fields = ("user__full_name", "user__email")
    list_select_related = ("user",)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly):
    list_display = ("name", "user", "prefix", "expires_at", "last_used_at", "revoked_at")
    search_fields = ("name", "prefix", "user__full_name")
    list_select_related = ("user",)
    exclude: ClassVar[tuple[str, ...]] = ("digest",)
