"""Who may see and do what: one ``for_user`` for pages, API and tasks.

A role is granted on a unit, where it holds for everything below, or on one use case. The grant is a
django-guardian object permission named after the role; the role catalogue says which actions it carries.
Whatever the number of use cases, a check costs one query for the unit grants and none or one for the object.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import CharField, Exists, F, Model, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from accounts.models import Delegation, RoleAssignment, User
from accounts.roles import Role, catalogue, role, roles_allowing
from kernel.prepared import Prepared

M = TypeVar("M", bound=Model)
VIEW = "use_case.view"
STANDING_IN = frozenset({VIEW, "gate.sign"})
"""What a stand-in may do where only the other holds the role: read what there is to sign, and sign it."""
_STAND_IN = "stand_in:"


@dataclass(frozen=True, slots=True)
class Scopes:
    """The two models that roles are granted on, and their guardian permission models."""

    unit: type[Model]
    use_case: type[Model]
    unit_grant: type[Model]
    use_case_grant: type[Model]


_scopes: Scopes | None = None


def register_scopes(
    *, unit: type[Model], use_case: type[Model], unit_grant: type[Model], use_case_grant: type[Model]
) -> None:
    """Called once by the app that owns units and use cases. Units carry ``path``, use cases ``unit``."""
    global _scopes  # noqa: PLW0603  # set once, while the apps are made ready
    _scopes = Scopes(unit, use_case, unit_grant, use_case_grant)


def scopes() -> Scopes:
    if _scopes is None:
        raise ImproperlyConfigured("No app has registered the models that roles are granted on.")
    return _scopes


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one person's right to one action goes."""

    everything: bool
    unit_paths: tuple[str, ...]
    permissions: tuple[str, ...]
    """Role permissions that carry the action, for the grants on single use cases."""


NOWHERE = Reach(everything=False, unit_paths=(), permissions=())


def reach(user: User, action: str) -> Reach:
    """Where ``user`` may do ``action``; the person's unit grants are read once per user object."""
    allow = roles_allowing(action)
    if is_barred(user, action):
        return NOWHERE
    permissions = tuple(role(key).permission for key in allow)
    held = unit_grants(user)
    if action in STANDING_IN:
        held |= _unit_grants_of_givers(user, permissions)
    wide = {role(key).permission for key, scope in allow.items() if scope == "all" and role(key).default_scope != "all"}
    if wide and (wide & {codename for codename, _path in held} or _holds_on_a_use_case(user, wide)):
        return Reach(everything=True, unit_paths=(), permissions=permissions)
    # Seeing one's own is decided by who created it: an end user of a unit does not see all of the unit.
    own = {role(key).permission for key, scope in allow.items() if scope == "own" and action == VIEW}
    paths = [path for codename, path in held if codename in permissions and codename not in own]
    domain = {role(key).permission for key, scope in allow.items() if _reaches_the_unit(role(key), scope)}
    if domain:
        paths += _units_of_use_cases(user, domain).values_list("content_object__unit__path", flat=True)
    outermost = _outermost(paths)
    return Reach(everything="/" in outermost, unit_paths=outermost, permissions=permissions)


def is_barred(user: User, action: str) -> bool:
    """Whether nothing can be done at all: the account is not active, or its token lacks this scope.

    Being a superuser or staff counts for nothing here: administrators hold domain rights only through roles.
    """
    if not user.is_active:
        return True
    scopes_of_token = user.token_scopes
    return scopes_of_token is not None and action not in scopes_of_token


def for_user(queryset: QuerySet[M], user: User, action: str) -> QuerySet[M]:
    """The rows of ``queryset`` on which ``user`` may do ``action``.

    The model says with ``access_path`` how to walk to its use case ("" on the use case itself,
    "use_case", "review__use_case"), and units filter by their own path. One query more than the
    queryset itself, however many rows there are.
    """
    if is_barred(user, action):
        return queryset.none()
    far = reach(user, action)
    if far.everything:
        return queryset
    return queryset.filter(_condition(queryset.model, user, far, action))


def to_act_on(queryset: QuerySet[M], user: User, action: str) -> QuerySet[M]:
    """The rows that ``user`` may see or may do ``action`` on: for looking something up before the right is checked.

    Machines and narrow tokens may act without seeing: a pipeline records a measurement on a use case that it cannot
    read. What is neither seen nor acted on stays 404; what is only seen is then 403.
    """
    return for_user(queryset, user, action) | for_user(queryset, user, VIEW)


def can(user: User, action: str, obj: Model | None = None) -> bool:
    """Whether ``user`` may do ``action`` on ``obj``, or anywhere at all when ``obj`` is left out."""
    if obj is None:
        far = reach(user, action)
        return far.everything or bool(far.unit_paths) or _holds_on_a_use_case(user, set(far.permissions))
    manager = cast(Any, type(obj))._default_manager
    return bool(for_user(manager.filter(pk=obj.pk), user, action).exists())


def require(user: User, action: str, obj: Model | None = None, *, message: str = "") -> None:
    """Raise ``PermissionDenied`` with a sentence that says which roles could do this."""
    if can(user, action, obj):
        return
    names = ", ".join(role(key).name for key in roles_allowing(action))
    raise PermissionDenied(message or f"This needs one of these roles here: {names}.")


def can_everywhere(user: User, action: str) -> bool:
    """Whether ``user`` may do ``action`` in the whole organisation: what concerns people and settings asks this."""
    return reach(user, action).everything


def require_everywhere(user: User, action: str) -> None:
    if not can_everywhere(user, action):
        names = ", ".join(role(key).name for key in roles_allowing(action))
        raise PermissionDenied(f"This needs one of these roles in the whole organisation: {names}.")


def unit_grants(user: User) -> frozenset[tuple[str, str]]:
    """(role permission, unit path) pairs of a person; the root unit's path is "/"."""
    cached = getattr(user, "_unit_grants", None)
    if cached is None:
        rows = _grants_and_delegations(user)
        cached = frozenset(row for row in rows if not row[0].startswith(_STAND_IN))
        user._unit_grants = cached  # type: ignore[attr-defined]  # per-object cache, dies with the request
        standing = ((code.removeprefix(_STAND_IN), UUID(giver)) for code, giver in rows if code.startswith(_STAND_IN))
        user._stands_in_for = frozenset(standing)  # type: ignore[attr-defined]  # read along, in the same query
    return cast("frozenset[tuple[str, str]]", cached)


def stands_in_for(user: User) -> frozenset[tuple[str, UUID]]:
    """(role key, whose place) of the delegations that hold now. No query when the unit grants were read before."""
    unit_grants(user)
    return cast("frozenset[tuple[str, UUID]]", user._stands_in_for)  # type: ignore[attr-defined]  # set there


def _grants_and_delegations(user: User) -> list[tuple[str, str]]:
    """Both in one query, because every request asks for the first and hardly anybody has the second."""
    return cast("list[tuple[str, str]]", _GRANTS.rows(user=user.pk, now=timezone.now()))


def _held_and_taken(user: UUID, now: datetime) -> QuerySet[Any, Any]:
    own = cast(Any, scopes().unit_grant)._default_manager.filter(user=user).order_by()
    current = RoleAssignment.objects.filter(user=user, ended_at__isnull=True, role=OuterRef("role"))
    taken = Delegation.objects.filter(
        Exists(current), stand_in=user, starts_at__lte=now, ends_at__gt=now, ended_at__isnull=True
    )
    spelled = taken.order_by().annotate(
        code=Concat(Value(_STAND_IN), F("role"), output_field=CharField()), whose=Cast("giver_id", CharField())
    )
    return cast(
        "QuerySet[Any, Any]",
        own.values_list("permission__codename", "content_object__path").union(
            spelled.values_list("code", "whose"), all=True
        ),
    )


_GRANTS = Prepared(_held_and_taken, user=UUID, now=datetime)


def _unit_grants_of_givers(user: User, permissions: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Where the people in whose place ``user`` stands hold that very role on a unit. No query for whoever has none."""
    condition = _of_givers(user, permissions)
    if condition is None:
        return frozenset()
    rows = cast(Any, scopes().unit_grant)._default_manager.filter(condition)
    return frozenset(rows.values_list("permission__codename", "content_object__path"))


def _of_givers(user: User, permissions: Iterable[str]) -> Q | None:
    """Grants of the people in whose place ``user`` stands, of those roles alone."""
    found = None
    for key, giver in stands_in_for(user):
        code = role(key).permission
        if code in permissions:
            one = Q(user=giver, user__is_active=True, permission__codename=code)
            found = one if found is None else found | one
    return found


def forget_grants(user: User) -> None:
    """Drop the per-object cache after a grant changed."""
    for name in ("_unit_grants", "_stands_in_for", "_actions_on"):
        if hasattr(user, name):  # not through __dict__: the user of a request is a lazy stand-in for the real one
            delattr(user, name)


def roles_on(user: User, use_case: Any) -> set[str]:
    """Role keys that ``user`` holds on a use case, directly or through its units; none once inactive."""
    if not user.is_active:
        return set()
    held = {code for code, path in unit_grants(user) if use_case.unit.path.startswith(path)}
    direct = cast(Any, scopes().use_case_grant)._default_manager.filter(user=user, content_object=use_case)
    held |= set(direct.values_list("permission__codename", flat=True))
    return {code.removeprefix("role_") for code in held}


def actions_on(user: User, use_case: Any) -> frozenset[str]:
    """Every action that ``user`` may do on a use case, in one or two queries: for pages that show many buttons."""
    kept: dict[Any, frozenset[str]] | None = getattr(user, "_actions_on", None)
    if kept is None:
        kept = {}
        user._actions_on = kept  # type: ignore[attr-defined]  # per-object cache, dies with the request
    asked = (use_case.pk, user.is_active, user.token_scopes)
    if asked not in kept:
        kept[asked] = _actions_on(user, use_case)
    return kept[asked]


def _actions_on(user: User, use_case: Any) -> frozenset[str]:
    keys = roles_on(user, use_case)
    found = {action for key in keys for action in role(key).actions}
    found |= {a for a in _wide_actions() if a not in found and not is_barred(user, a) and reach(user, a).everything}
    if user.is_active and use_case.created_by_id == user.pk:
        found.add(VIEW)
    return frozenset(action for action in found if not is_barred(user, action))


def possible_actions(user: User) -> frozenset[str]:
    """What the roles that ``user`` holds anywhere carry, whatever the token of this request is limited to."""
    if not user.is_active:
        return frozenset()
    grants = cast(Any, scopes().use_case_grant)._default_manager
    codes = set(grants.filter(user=user).values_list("permission__codename", flat=True).distinct())
    codes |= {code for code, _path in unit_grants(user)}
    found = {action for code in codes for action in role(code.removeprefix("role_")).actions}
    return frozenset(found | {VIEW} if user.is_person else found)


def _condition(model: type[Model], user: User, far: Reach, action: str) -> Q:
    if model is scopes().unit:
        condition = _paths("path", far.unit_paths)
        own = {role(key).permission for key, scope in roles_allowing(action).items() if scope == "own"}
        # What one creates is one's own: whoever works on a use case may add another to the same unit.
        return (
            condition | Q(pk__in=_units_of_use_cases(user, own).values("content_object__unit_id")) if own else condition
        )
    prefix = getattr(model, "access_path", None)
    if prefix is None:
        raise ImproperlyConfigured(f"{model.__name__} does not say with access_path how access to it is decided.")
    walk = f"{prefix}__" if prefix else ""
    whose = Q(user=user, permission__codename__in=far.permissions)
    if action in STANDING_IN and (others := _of_givers(user, far.permissions)) is not None:
        whose |= others
    grants = cast(Any, scopes().use_case_grant)._default_manager.filter(whose)
    condition = _paths(f"{walk}unit__path", far.unit_paths)
    condition |= Q(**{f"{walk}pk__in": grants.values("content_object_id")})
    if action == VIEW:
        condition |= Q(**{f"{walk}created_by": user.pk})
    return condition


def _paths(lookup: str, paths: Iterable[str]) -> Q:
    condition = Q(pk__in=[])
    for path in paths:
        condition |= Q(**{f"{lookup}__startswith": path})
    return condition


def _outermost(paths: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(path.startswith(outer) for outer in kept):
            kept.append(path)
    return tuple(kept)


def _reaches_the_unit(holder: Role, scope: str) -> bool:
    """A role that is held on single use cases, for an action that concerns their whole unit."""
    return scope == "domain" and holder.default_scope == "assigned"


def _units_of_use_cases(user: User, permissions: set[str]) -> QuerySet[Any]:
    grants = cast(Any, scopes().use_case_grant)._default_manager
    return cast("QuerySet[Any]", grants.filter(user=user, permission__codename__in=permissions))


@cache
def _wide_actions() -> tuple[str, ...]:
    """Actions that some role may do everywhere although it is held on single use cases."""
    return tuple(
        key
        for key, action in catalogue().actions.items()
        if any(scope == "all" and role(holder).default_scope != "all" for holder, scope in action.allow.items())
    )


def _holds_on_a_use_case(user: User, permissions: set[str]) -> bool:
    grants = cast(Any, scopes().use_case_grant)._default_manager
    return bool(grants.filter(user=user, permission__codename__in=permissions).exists())


def grants_of(ids: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """use case id -> (user id, role key) pairs granted on it directly, in one query."""
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    rows = cast(Any, scopes().use_case_grant)._default_manager.filter(content_object_id__in=list(ids))
    for use_case, user, codename in rows.values_list("content_object_id", "user_id", "permission__codename"):
        found.setdefault(use_case, []).append((user, codename.removeprefix("role_")))
    return found
