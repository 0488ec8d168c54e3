"""People and machines, the roles they hold, the keys they use."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from guardian.mixins import GuardianUserMixin

from accounts.roles import role_choices, role_name


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        if not email:
            raise ValueError("A user needs an email address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        if password:
            user.set_password(password)
        else:
            user.set_unusable_password()
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin, GuardianUserMixin):
    """A person or a machine. The e-mail address is the login; the key is a UUID and never reused."""

    class Kind(models.TextChoices):
        PERSON = "person", _("Person")
        SERVICE = "service", _("Service account")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("email address"), unique=True, max_length=254)
    full_name = models.CharField(_("full name"), max_length=200)
    job_title = models.CharField(_("job title"), max_length=200, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PERSON)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)
    owner = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="service_accounts",
        help_text=_("The person who answers for a service account."),
    )
    manager = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reports",
        help_text=_("Whom the person reports to; an independent validator never reports to the technical lead."),
    )

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    objects: ClassVar[UserManager] = UserManager()

    token_scopes: frozenset[str] | None = None
    """The actions this request's token is limited to; None when the person signed in by session. No column."""

    class Meta:
        ordering = ("full_name", "email")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(email=models.functions.Lower("email")), name="user_email_lowercase"
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.full_name.split(" ")[0] if self.full_name else self.email

    @property
    def is_person(self) -> bool:
        return self.kind == self.Kind.PERSON

    @property
    def ledger_label(self) -> str:
        """What an event calls this account: labels stay for ever, so a person's name is not in it."""
        return str(self.Kind.PERSON.label) if self.is_person else self.full_name


class RoleAssignment(models.Model):
    """A role held on one unit (and all below it) or on one use case, from a day until it is ended.

    The scope is named by kind and id because units and use cases live in a higher app. The effective
    grant is the django-guardian object permission that the same service writes; this row is its history.
    """

    class Scope(models.TextChoices):
        UNIT = "unit", _("Business unit")
        USE_CASE = "use_case", _("Use case")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="role_assignments")
    role = models.CharField(max_length=40, choices=role_choices())
    scope_kind = models.CharField(max_length=10, choices=Scope)
    scope_id = models.UUIDField()
    granted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    starts_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("role", "starts_at")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("user", "role", "scope_kind", "scope_id"),
                condition=models.Q(ended_at__isnull=True),
                name="role_assignment_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("starts_at")),
                name="role_assignment_ends_after_start",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("scope_kind", "scope_id", "role"), name="role_assignment_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {role_name(self.role)}"

    @property
    def role_name(self) -> str:
        return role_name(self.role)

    @property
    def is_current(self) -> bool:
        return self.ended_at is None

    @property
    def ledger_label(self) -> str:
        return self.role_name


class ApiToken(models.Model):
    """A key for REST clients. Only its SHA-256 is stored; the secret is shown once, when it is made."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, unique=True, help_text=_("First characters, shown to tell keys apart."))
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(
        default=list, help_text=_("Action keys this token may use; the person's rights still apply.")
    )
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_usable(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def ledger_label(self) -> str:
        return f"tg_{self.prefix}"


class IdempotencyRecord(models.Model):
    """The answer to a write that carried ``Idempotency-Key``, so that a repeat gets the same answer."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64, help_text=_("SHA-256 over method, path and body."))
    status = models.PositiveSmallIntegerField(null=True, help_text=_("Empty while the first request is under way."))
    body = models.BinaryField(default=bytes)
    content_type = models.CharField(max_length=100, blank=True)
    headers = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(
        default=timezone.now, db_index=True, help_text=_("When the request that answers, or is about to, began.")
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("user", "key"), name="idempotency_key_once_per_user"),
        ]

    def __str__(self) -> str:
        return self.key


class Preference(models.Model):
    """What one person last chose in the interface (theme, unit, table columns)."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="preference")
    settings = models.JSONField(default=dict)
    seen_event_index = models.BigIntegerField(
        default=0, help_text=_("Newest ledger event when the home page was last opened.")
    )

    def __str__(self) -> str:
        return str(self.user)
