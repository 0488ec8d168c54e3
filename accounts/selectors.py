"""Who may know of whom, and which roles people may look up."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.access import VIEW, can, for_user, is_barred, reach, scopes
from accounts.models import ApiToken, RoleAssignment, User
from accounts.people import ancestors


def visible_people(user: User) -> QuerySet[User]:
    """Accounts that ``user`` may know of: those who hold or held a role where ``user`` sees anything, oneself, and
    the machines one answers for. Whoever sees every use case, manages accounts or assigns roles knows all of them."""
    if _manages(user) or reach(user, VIEW).everything:
        return User.objects.all()
    if is_barred(user, VIEW):
        return User.objects.none()
    holders = visible_assignments(user).order_by().values("user_id")
    return User.objects.filter(Q(pk__in=holders) | Q(pk=user.pk) | Q(owner=user.pk))


def visible_assignments(user: User) -> QuerySet[RoleAssignment]:
    """Role assignments, ended ones too, on use cases that ``user`` sees and on the units around them; and one's own."""
    rows = RoleAssignment.objects.all()
    if _manages(user):
        return rows
    if is_barred(user, VIEW):
        return rows.none()
    far = reach(user, VIEW)
    if far.everything:
        return rows
    cases: Any = scopes().use_case
    visible = for_user(cases._default_manager.all(), user, VIEW)
    place = Q(scope_kind=RoleAssignment.Scope.USE_CASE, scope_id__in=visible.order_by().values("pk"))
    paths = set(visible.order_by().values_list("unit__path", flat=True).distinct()) | set(far.unit_paths)
    around = Q(path__in={step for path in paths for step in ancestors(path)})
    for path in far.unit_paths:
        around |= Q(path__startswith=path)
    units: Any = scopes().unit
    place |= Q(scope_kind=RoleAssignment.Scope.UNIT, scope_id__in=units._default_manager.filter(around).values("pk"))
    return rows.filter(place | Q(user=user.pk))


def with_scope_names(rows: QuerySet[RoleAssignment]) -> QuerySet[RoleAssignment]:
    """Each row with ``scope_key`` (code of the unit, key of the use case) and ``scope_name``, in the same query."""
    units: Any = scopes().unit._default_manager.filter(pk=OuterRef("scope_id"))
    cases: Any = scopes().use_case._default_manager.filter(pk=OuterRef("scope_id"))

    def either(unit_field: str, case_field: str) -> Coalesce:
        found = (Subquery(units.values(unit_field)[:1]), Subquery(cases.values(case_field)[:1]))
        return Coalesce(*found, output_field=CharField())

    return rows.annotate(scope_key=either("code", "key"), scope_name=either("name", "name"))


def roles_of(person: User, *, seen_by: User) -> QuerySet[RoleAssignment]:
    """The roles of ``person``, current first, as far as ``seen_by`` may know of them."""
    rows = visible_assignments(seen_by).filter(user=person).select_related("granted_by", "ended_by")
    return with_scope_names(rows).order_by("-ended_at", "role", "-starts_at")


def visible_tokens(user: User) -> QuerySet[ApiToken]:
    """One's own tokens and those of the machines one answers for; never anybody's secret."""
    mine = Q(user=user.pk) | Q(user__owner=user.pk)
    if reach(user, "user.manage").everything:
        mine |= Q(user__kind=User.Kind.SERVICE)
    return ApiToken.objects.filter(mine).select_related("user", "created_by")


def _manages(user: User) -> bool:
    return can(user, "role.assign") or reach(user, "user.manage").everything
