"""Which dashboards somebody may see, and which they may change."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.access import can, can_everywhere, for_user, is_barred, unit_grants
from accounts.models import User
from monitoring.models import Dashboard, DashboardRole
from monitoring.models.dashboards import KEPT
from monitoring.widget import Scope
from portfolio.models import BusinessUnit, UseCase, UseCaseGrant

VIEW, CONFIGURE = "use_case.view", "monitor.configure"


def dashboards_for(user: User) -> QuerySet[Dashboard]:
    """One's own and those that are shared, about what ``user`` may see. Deleted ones are left out."""
    return _open_to(user).filter(deleted_at__isnull=True)


def deleted_by(user: User) -> QuerySet[Dashboard]:
    """One's own that can be had back, the last first."""
    return _open_to(user).filter(owner=user, deleted_at__gt=timezone.now() - KEPT).order_by("-deleted_at")


def may_edit(user: User, dashboard: Dashboard) -> bool:
    """Whoever made it; a shared one also whoever configures monitoring of what it is about."""
    if is_barred(user, VIEW):
        return False
    if dashboard.owner_id == user.pk:
        return True
    if dashboard.sharing == Dashboard.Sharing.PRIVATE:
        return False
    about = dashboard.use_case or dashboard.unit
    return can(user, CONFIGURE, about) if about is not None else can_everywhere(user, CONFIGURE)


def scope_of(dashboard: Dashboard) -> Scope:
    return Scope(dashboard.use_case, dashboard.version, dashboard.unit)


def held_roles(user: User) -> set[str]:
    """The roles that somebody holds anywhere."""
    codes = set(UseCaseGrant.objects.filter(user=user).values_list("permission__codename", flat=True).distinct())
    codes |= {code for code, _path in unit_grants(user)}
    return {code.removeprefix("role_") for code in codes}


def _open_to(user: User) -> QuerySet[Dashboard]:
    if is_barred(user, VIEW):
        return Dashboard.objects.none()
    rows = Dashboard.objects.select_related("use_case__unit", "version__model", "unit", "owner")
    seen = for_user(UseCase.objects.order_by(), user, VIEW)
    units = for_user(BusinessUnit.objects.order_by(), user, VIEW)
    about = Q(use_case__isnull=True, unit__isnull=True) | Q(use_case__in=seen.values("pk"))
    about |= Q(unit__in=units.values("pk"))
    roles = DashboardRole.objects.filter(dashboard=OuterRef("pk"), role__in=held_roles(user))
    shared = Q(owner=user) | Q(sharing=Dashboard.Sharing.EVERYBODY)
    shared |= Q(Exists(roles), sharing=Dashboard.Sharing.ROLES)
    return rows.filter(about, shared)
