"""What lower apps announce: receivers only enqueue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog

from accounts.signals import delegation_changed, roles_changed

log = structlog.get_logger(__name__)
MANY = 20  # whoever assigns this many at once (an import) is not telling persons one by one


def connect() -> None:
    roles_changed.connect(roles_have_changed, dispatch_uid="notify.roles")
    delegation_changed.connect(delegation_has_changed, dispatch_uid="notify.delegations")


def roles_have_changed(assignment_ids: list[UUID], what: str, **kwargs: Any) -> None:
    from notify.tasks import tell_of_roles

    if len(assignment_ids) > MANY:
        return
    try:
        tell_of_roles.apply_async(args=[[str(key) for key in assignment_ids], what], retry=False)
    except Exception as error:  # the broker is away; a notice about a role is not worth failing for
        log.warning("notify.roles_not_told", reason=str(error))


def delegation_has_changed(delegation_id: UUID, what: str, **kwargs: Any) -> None:
    from notify.tasks import tell_of_delegation

    try:
        tell_of_delegation.apply_async(args=[str(delegation_id), what], retry=False)
    except Exception as error:  # the broker is away; who stands in sees it on the own pages as well
        log.warning("notify.delegation_not_told", reason=str(error))
