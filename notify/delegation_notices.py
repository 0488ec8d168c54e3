"""Telling both people that one stands in for the other, or does so no longer."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

import ledger
from accounts.models import Delegation
from notify.outbox import Letter, write


def tell_of_delegation(delegation_id: UUID, what: str) -> None:
    row = Delegation.objects.select_related("giver", "stand_in").get(pk=delegation_id)
    said = {"giver": str(row.giver), "stand_in": str(row.stand_in), "role": row.role_name}
    if what == "given":
        to_giver = _("%(stand_in)s stands in for you as %(role)s") % said
        to_stand_in = _("You stand in for %(giver)s as %(role)s") % said
    else:
        to_giver = _("%(stand_in)s no longer stands in for you as %(role)s") % said
        to_stand_in = _("You no longer stand in for %(giver)s as %(role)s") % said
    days = _("From %(from)s to %(to)s UTC.") % {
        "from": f"{row.starts_at:%-d %b %Y, %H:%M}",
        "to": f"{row.ended_at or row.ends_at:%-d %b %Y, %H:%M}",
    }
    body = f"{days} {row.reason}".strip()
    with ledger.unit_of_work(by=ledger.SYSTEM):
        for person, title in ((row.giver, to_giver), (row.stand_in, to_stand_in)):
            key = f"delegation.{what}:{row.pk}"
            write(Letter(f"delegation.{what}", title, body, reverse("accounts:absence"), key), [person])
