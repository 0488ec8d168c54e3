"""Dashboards: made, arranged, shared, copied, deleted and had back. Each change counts a revision.

They are made by people for people; a machine reads them with its token and makes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import can, is_barred
from accounts.models import User
from accounts.roles import catalogue
from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, state, unit_of_work
from monitoring.layouts import Layout, checked
from monitoring.models import Dashboard, DashboardRole
from monitoring.ready_made import ready_made
from monitoring.selectors.dashboards import VIEW, may_edit, scope_of
from monitoring.spans import RANGES
from monitoring.widget import Scope
from portfolio.services.checks import assign, locked, refuse_unknown

WORDS = ("name", "description", "range", "sharing")
FIELDS = (*WORDS, "use_case", "version", "unit", "owner", "layout", "revision", "deleted_at")
FORMAT = "tollgate-dashboard/1"
DEFINED = ("format", "name", "description", "range", "widgets")


def create_dashboard(
    *,
    scope: Scope,
    by: User,
    name: str,
    description: str = "",
    range: str = "30d",
    sharing: str = Dashboard.Sharing.PRIVATE,
    roles: Iterable[str] = (),
    layout: object = None,
) -> Dashboard:
    """A dashboard of ``by``; without a layout it begins as the ready-made one of its scope.

    Raises ``Invalid`` for a layout or role that is none, ``Conflict`` for a name that ``by`` has used already.
    """
    _refuse_machines(by, scope)
    dashboard = Dashboard(use_case=scope.use_case, version=scope.version, unit=scope.unit, owner=by)
    assign(dashboard, {"name": name, "description": description, "range": range, "sharing": sharing})
    _check(dashboard)
    chosen = _roles(sharing, roles)
    dashboard.layout = checked(ready_made(scope, by) if layout is None else layout, scope, by)
    with unit_of_work(by=by) as uow:
        _save(dashboard)
        _share(dashboard, chosen)
        _record(uow, "dashboard.created", dashboard, None)
    return dashboard


def edit_dashboard(*, dashboard: Dashboard, revision: int, changes: Mapping[str, Any], by: User) -> Dashboard:
    """Change words, sharing (``roles`` too) or ``layout``. ``revision`` is the one that ``by`` saw.

    Raises ``Conflict`` when somebody changed it since: nobody's work is lost without being asked.
    """
    refuse_unknown(changes, (*WORDS, "roles", "layout"))
    with unit_of_work(by=by) as uow:
        dashboard = _editable(dashboard, by)
        if dashboard.revision != revision:
            raise Conflict(
                _("Somebody changed this dashboard while you did. Nothing of yours was saved."),
                hint=_("Reload the page, look at what they did, and do it again."),
            )
        before = _state(dashboard)
        assign(dashboard, {name: value for name, value in changes.items() if name in WORDS})
        _check(dashboard)
        if "layout" in changes:
            dashboard.layout = checked(changes["layout"], scope_of(dashboard), by)
        if "roles" in changes or "sharing" in changes:
            held = changes["roles"] if "roles" in changes else _shared_with(dashboard)
            _share(dashboard, _roles(dashboard.sharing, held))
        if _state(dashboard) == before:
            return dashboard
        dashboard.revision += 1
        dashboard.updated_at = timezone.now()
        _save(dashboard, update_fields=[*WORDS, "layout", "revision", "updated_at"])
        _record(uow, "dashboard.edited", dashboard, before)
    return dashboard


def arrange_dashboard(*, dashboard: Dashboard, revision: int, layout: Layout, by: User) -> Dashboard:
    """The same widgets elsewhere, larger or smaller, others added or taken away."""
    return edit_dashboard(dashboard=dashboard, revision=revision, changes={"layout": layout}, by=by)


def clone_dashboard(*, scope: Scope, layout: object, name: str, by: User, description: str = "") -> Dashboard:
    """A dashboard of one's own that begins like another one."""
    return create_dashboard(scope=scope, by=by, name=name, description=description, layout=layout)


def delete_dashboard(*, dashboard: Dashboard, by: User) -> Dashboard:
    """Take it away; for ``KEPT`` its owner can have it back."""
    with unit_of_work(by=by) as uow:
        dashboard = _editable(dashboard, by)
        _refuse_others(dashboard, by)
        before = _state(dashboard)
        dashboard.deleted_at = timezone.now()
        dashboard.save(update_fields=["deleted_at"])
        _record(uow, "dashboard.deleted", dashboard, before)
    return dashboard


def restore_dashboard(*, dashboard: Dashboard, by: User) -> Dashboard:
    """Have a deleted one back. ``Conflict`` when that is too late."""
    with unit_of_work(by=by) as uow:
        dashboard = _locked(dashboard)
        _refuse_others(dashboard, by)
        if dashboard.deleted_at is None:
            return dashboard
        if dashboard.gone_at is not None and dashboard.gone_at <= timezone.now():
            raise Conflict(_("It was deleted too long ago to be had back."))
        before = _state(dashboard)
        dashboard.deleted_at = None
        _save(dashboard, update_fields=["deleted_at"])
        _record(uow, "dashboard.restored", dashboard, before)
    return dashboard


def definition_of(*, name: str, description: str, range: str, layout: Layout) -> dict[str, Any]:
    """A dashboard as a file: what it shows, without whose it is and what it is about."""
    return {"format": FORMAT, "name": name, "description": description, "range": range, "widgets": layout}


def import_dashboard(*, definition: object, scope: Scope, by: User, name: str = "") -> Dashboard:
    """A dashboard of one's own from such a file. Raises ``Invalid`` that names every place that is wrong."""
    if not isinstance(definition, Mapping):
        raise Invalid(_("This is no definition of a dashboard: it has to be a JSON object."))
    if definition.get("format") != FORMAT:
        said = _("The format has to be %(format)s.") % {"format": FORMAT}
        raise Invalid(said, errors={"format": [said]})
    refuse_unknown(definition, DEFINED)
    return create_dashboard(
        scope=scope,
        by=by,
        name=name or definition.get("name") or "",
        description=definition.get("description", ""),
        range=definition.get("range", "30d"),
        layout=definition.get("widgets", []),
    )


def _refuse_machines(by: User, scope: Scope) -> None:
    if not by.is_person:
        raise PermissionDenied(_("Dashboards are made by people."))
    about = scope.use_case or scope.unit
    if is_barred(by, VIEW) or (about is not None and not can(by, VIEW, about)):
        raise PermissionDenied(_("You may not see what this dashboard would be about."))


def _refuse_others(dashboard: Dashboard, by: User) -> None:
    if dashboard.owner_id != by.pk:
        said = _("Only %(owner)s can do this; you can make a copy of your own.")
        raise PermissionDenied(said % {"owner": dashboard.owner})


def _editable(dashboard: Dashboard, by: User) -> Dashboard:
    found = _locked(dashboard)
    if found.deleted_at is not None:
        raise Conflict(_("This dashboard was deleted."))
    if not by.is_person or not may_edit(by, found):
        said = _("Only %(owner)s and who configures monitoring here can change it; you can make a copy of your own.")
        raise PermissionDenied(said % {"owner": found.owner})
    return found


def _locked(dashboard: Dashboard) -> Dashboard:
    locked(Dashboard, dashboard.pk)
    related = ("use_case__unit", "version__model", "unit", "owner")
    return Dashboard.objects.select_related(*related).get(pk=dashboard.pk)


def _check(dashboard: Dashboard) -> None:
    if dashboard.range not in RANGES:
        said = _("The range is one of %(known)s.") % {"known": ", ".join(RANGES)}
        raise Invalid(said, errors={"range": [said]})


def _roles(sharing: str, roles: Iterable[str]) -> list[str]:
    if sharing != Dashboard.Sharing.ROLES:
        return []
    chosen = sorted(set(roles))
    known = catalogue().roles
    if not chosen or any(key not in known for key in chosen):
        said = _("Choose the roles that see it.") if not chosen else _("There is no such role.")
        raise Invalid(said, errors={"roles": [said]})
    return chosen


def _shared_with(dashboard: Dashboard) -> list[str]:
    return list(dashboard.shares.values_list("role", flat=True))


def _share(dashboard: Dashboard, roles: list[str]) -> None:
    dashboard.shares.exclude(role__in=roles).delete()
    DashboardRole.objects.bulk_create(
        [DashboardRole(dashboard=dashboard, role=role) for role in roles], ignore_conflicts=True
    )


def _save(dashboard: Dashboard, update_fields: list[str] | None = None) -> None:
    try:
        with transaction.atomic():
            dashboard.save(update_fields=update_fields, force_insert=update_fields is None)
    except IntegrityError as error:
        if "dashboard_name_once" not in str(error) and "owner_id" not in str(error):
            raise
        said = _("You have a dashboard called %(name)s already.") % {"name": dashboard.name}
        raise Conflict(said, errors={"name": [said]}) from None


def _state(dashboard: Dashboard) -> dict[str, Any]:
    shared: list[str] = [] if dashboard._state.adding else _shared_with(dashboard)
    return {**state(dashboard, FIELDS), "roles": shared}


def _record(uow: UnitOfWork, action: str, dashboard: Dashboard, before: Mapping[str, Any] | None) -> None:
    uow.record(action, subject=dashboard, use_case=dashboard.use_case, before=before, after=_state(dashboard))
