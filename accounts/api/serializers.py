"""The shapes of people, roles and tokens over REST. They only shape: services check and decide."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import ApiToken, RoleAssignment, User
from accounts.roles import role_choices


class PersonRef(serializers.ModelSerializer[User]):
    name = serializers.CharField(source="full_name", read_only=True)

    class Meta:
        model = User
        fields = ("id", "name")
        read_only_fields = fields


class PersonSerializer(serializers.ModelSerializer[User]):
    """An account. The e-mail address is not part of it: whoever needs it manages accounts in the pages."""

    name = serializers.CharField(source="full_name", read_only=True)
    manager = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = ("id", "name", "kind", "job_title", "is_active", "manager")
        read_only_fields = fields


class ManagerWrite(serializers.Serializer[Any]):
    """Whom the person reports to; null: nobody."""

    manager = serializers.UUIDField(allow_null=True)


class RoleAssignmentSerializer(serializers.ModelSerializer[RoleAssignment]):
    """A role held on one unit or one use case; ``scope`` is the unit's code or the use case's key."""

    user = PersonRef(read_only=True)
    role_name = serializers.CharField(read_only=True)
    scope = serializers.SerializerMethodField()
    granted_by = PersonRef(read_only=True, allow_null=True)
    ended_by = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = RoleAssignment
        fields = (
            "id",
            "user",
            "role",
            "role_name",
            "scope_kind",
            "scope",
            "reason",
            "granted_by",
            "starts_at",
            "ended_by",
            "ended_at",
        )
        read_only_fields = fields

    @extend_schema_field(str)
    def get_scope(self, row: RoleAssignment) -> str:
        return str(getattr(row, "scope_key", "") or row.scope_id)


class RoleAssignmentWrite(serializers.Serializer[Any]):
    """Who shall hold which role where: exactly one of ``use_case`` (key) and ``unit`` (code)."""

    user = serializers.UUIDField()
    role = serializers.ChoiceField(choices=role_choices())
    use_case = serializers.CharField(required=False)
    unit = serializers.CharField(required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


class ReasonWrite(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


class ConfirmWrite(serializers.Serializer[Any]):
    """One of the two."""

    password = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, max_length=500)
    code = serializers.CharField(required=False, allow_blank=True, max_length=40)


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    """An API token without its secret."""

    user = PersonRef(read_only=True)
    scopes = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ApiToken
        fields = ("id", "user", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
        read_only_fields = fields


class NewTokenSerializer(TokenSerializer):
    """A token that was just made: ``key`` is shown here and never again."""

    key = serializers.CharField(read_only=True)

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "key")  # type: ignore[assignment]  # one field more


class TokenWrite(serializers.Serializer[Any]):
    """``user`` names a service account; without it the token is one's own."""

    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField()
    user = serializers.UUIDField(required=False)


class HeldRoleSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    role_name = serializers.CharField()
    scope_kind = serializers.CharField()
    scope = serializers.CharField(source="scope_key")


class MeSerializer(serializers.Serializer[User]):
    """Who the request is made as, and what it may do."""

    id = serializers.UUIDField()
    name = serializers.CharField(source="full_name")
    email = serializers.EmailField()
    kind = serializers.CharField()
    roles = HeldRoleSerializer(many=True)
    scopes = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Of the token in use; null when signed in by session."
    )
