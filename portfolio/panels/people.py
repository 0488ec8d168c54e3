"""People: who holds which role here, directly or through a unit, and who did before."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.access import actions_on
from accounts.models import RoleAssignment
from accounts.people import Held, people_on
from accounts.roles import SIGNING, catalogue
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of

EXPECTED = ("business_sponsor", "business_owner", "use_case_lead", "technical_lead")
"""Roles without which a use case gets nowhere: shown as empty places when nobody holds them."""


@panels.register
class People(Panel):
    key: ClassVar[str] = "people"
    title: ClassVar[Any] = gettext_lazy("People")
    order: ClassVar[int] = 100
    template: ClassVar[str] = "portfolio/panels/people.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        person = person_of(request)
        held = people_on([use_case.pk])[use_case.pk]
        past = RoleAssignment.objects.filter(
            scope_kind=RoleAssignment.Scope.USE_CASE, scope_id=use_case.pk, ended_at__isnull=False
        )
        return {
            "slots": slots(held),
            "past": past.select_related("user", "ended_by", "granted_by").order_by("-ended_at")[:100],
            "may_assign": "role.assign" in actions_on(person_of(request), use_case),
            "me": person.pk,
        }


def slots(held: list[Held]) -> list[dict[str, Any]]:
    """Roles with the people in them: those that sign first, and those that are expected even when empty."""
    by_role: dict[str, list[Held]] = {}
    for each in held:
        by_role.setdefault(each.role, []).append(each)
    order = {key: place for place, key in enumerate(EXPECTED)}
    roles = [role for role in catalogue().roles.values() if role.key in by_role or role.key in order]
    roles.sort(key=lambda role: (order.get(role.key, len(order)), role.kind != SIGNING, role.name))
    return [
        {"key": role.key, "name": role.name, "purpose": role.purpose, "held": by_role.get(role.key, [])}
        for role in roles
    ]
