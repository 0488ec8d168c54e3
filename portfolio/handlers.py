"""Who holds a role is a fact of the use cases it is held on: passed on to whoever judges them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.models import RoleAssignment
from accounts.signals import roles_changed
from portfolio.models import BusinessUnit, UseCase
from portfolio.signals import facts_changed, portfolio_changed

WHAT = "owner"


def connect() -> None:
    roles_changed.connect(on_roles_changed, dispatch_uid="portfolio.roles")


def on_roles_changed(sender: Any, *, scope_kind: str, scope_ids: set[UUID], **_more: Any) -> None:
    """One use case is announced alone; everything below a unit, and a batch, in one announcement."""
    ids = tuple(scope_ids) if scope_kind == RoleAssignment.Scope.USE_CASE else _below(scope_ids)
    if len(ids) == 1:
        facts_changed.send_robust(sender=None, use_case_id=ids[0], what=WHAT)
    elif ids:
        portfolio_changed.send_robust(sender=None, use_case_ids=ids, what=WHAT)


def _below(units: set[UUID]) -> tuple[UUID, ...]:
    found: set[UUID] = set()
    for path in BusinessUnit.objects.filter(pk__in=units).values_list("path", flat=True):
        found.update(UseCase.objects.filter(unit__path__startswith=path).values_list("pk", flat=True))
    return tuple(found)
