"""Telling people about the roles they were given or lost."""

from __future__ import annotations

from uuid import UUID

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

import ledger
from accounts.models import RoleAssignment
from accounts.services.roles import scope_of
from notify.outbox import Letter, write


def tell_of_roles(assignment_ids: list[UUID], what: str) -> None:
    rows = RoleAssignment.objects.filter(pk__in=assignment_ids).select_related("user")
    with ledger.unit_of_work(by=ledger.SYSTEM):
        for row in rows:
            on = scope_of(row)
            sentence = (
                _("You are now %(role)s of %(on)s") if what == "assigned" else _("You are no longer %(role)s of %(on)s")
            )
            letter = Letter(
                kind=f"role.{what}",
                title=sentence % {"role": row.role_name, "on": getattr(on, "name", "?")},
                body=row.reason if what == "assigned" else "",
                url=_address(row, on),
                dedupe_key=f"role.{what}:{row.pk}",
            )
            write(letter, [row.user])


def _address(row: RoleAssignment, on: object) -> str:
    try:
        if row.scope_kind == RoleAssignment.Scope.USE_CASE:
            return reverse("portfolio:use_case", kwargs={"key": getattr(on, "key", "")})
        return reverse("accounts:settings")
    except NoReverseMatch:
        return ""
