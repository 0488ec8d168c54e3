"""What the engine and the risk classification say of a use case, kept on its row so that lists can show it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.errors import Invalid
from ledger import state, unit_of_work
from portfolio.models import Assurance, Tier, UseCase
from portfolio.services.checks import locked
from portfolio.services.rights import Actor
from portfolio.signals import announce_change

TIER_FIELDS = ("tier", "tier_source", "legal_hold")
ASSURANCE_FIELDS = ("assurance", "assurance_reason", "assurance_since")


def set_tier(*, use_case: UseCase, tier: str, source: str, legal_hold: bool, by: Actor) -> UseCase:
    """Write down the tier. Who may classify, confirm or override is for the risk register to decide, which calls this.

    ``source`` is "questionnaire", "declared" or "override".
    """
    if tier not in Tier.values:
        raise Invalid(_("There is no tier %(tier)s.") % {"tier": tier}, errors={"tier": [_("Unknown tier.")]})
    with unit_of_work(by=by) as uow:
        fresh = locked(UseCase, use_case.pk, "unit")
        before = state(fresh, TIER_FIELDS)
        fresh.tier, fresh.tier_source, fresh.legal_hold = tier, source[:20], legal_hold
        after = state(fresh, TIER_FIELDS)
        if after != before:
            fresh.save(update_fields=[*TIER_FIELDS, "updated_at"])
            uow.record("use_case.tier_set", subject=fresh, use_case=fresh, before=before, after=after)
            announce_change(uow, fresh.pk, "tier")
    return fresh


def set_standing(
    *,
    use_case: UseCase,
    by: Actor,
    assurance: str | None = None,
    assurance_reason: str | None = None,
    next_gate: str | None = None,
    gate_met: int | None = None,
    gate_required: int | None = None,
) -> UseCase:
    """Keep what the last evaluation found; what is not given stays.

    A change of assurance is an event. Counts of criteria are not: they follow from facts that are events themselves.
    Nothing is announced, because the one who listens is the one who calls.
    """
    if assurance is not None and assurance not in Assurance.values:
        raise Invalid(_("There is no assurance %(state)s.") % {"state": assurance})
    given: dict[str, Any] = {
        "assurance": assurance,
        "assurance_reason": None if assurance_reason is None else assurance_reason[:300],
        "next_gate": next_gate,
        "gate_met": gate_met,
        "gate_required": gate_required,
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    with unit_of_work(by=by) as uow:
        fresh = locked(UseCase, use_case.pk, "unit")
        changed = [name for name, value in wanted.items() if getattr(fresh, name) != value]
        if not changed:
            return fresh
        before = state(fresh, ASSURANCE_FIELDS)
        for name in changed:
            setattr(fresh, name, wanted[name])
        if "assurance" in changed:
            fresh.assurance_since = timezone.now()
            changed.append("assurance_since")
        # updated_at stays: nobody edited the use case, the engine looked at it again.
        fresh.save(update_fields=changed)
        if "assurance" in changed:
            after = state(fresh, ASSURANCE_FIELDS)
            uow.record(
                "use_case.assurance_changed",
                subject=fresh,
                use_case=fresh,
                before=before,
                after=after,
                note=fresh.assurance_reason,
            )
    return fresh
