"""Waivers as rows, for tests that are not about how they come to be; and by the services, for those that are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import factory as factory_boy
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import User
from gates.models import Waiver, WaiverVote
from gates.services.waivers import request_waiver, vote_on_waiver
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.gates import BOARD, Case
from tests.factories.portfolio import organisation

factory: Any = factory_boy  # its declarations carry no types


def in_days(days: float) -> datetime:
    return timezone.now() + timedelta(days=days)


class WaiverFactory(DjangoModelFactory[Waiver]):
    """In force for another month unless said otherwise, approved by one person."""

    class Meta:
        model = Waiver
        skip_postgeneration_save = True

    number = factory.Sequence(lambda n: n + 100)
    gate = "idea_to_poc"
    criterion = "IP-03"
    tier = "limited"
    reason = "The supplier answers in March."
    compensating_control = "Two people check every letter."
    state = "approved"
    requested_by = factory.SubFactory(PersonFactory)
    requested_at = factory.LazyFunction(lambda: in_days(-40))
    settled_at = factory.LazyAttribute(lambda w: w.requested_at + timedelta(days=1) if w.state != "requested" else None)
    expires_at = factory.LazyFunction(lambda: in_days(30))

    @factory.post_generation
    def approved_by(self: Any, create: bool, given: Any, **more: Any) -> None:
        if self.state != "requested":
            person = given or PersonFactory.create(full_name="Ada Lovelace")
            WaiverVote.objects.create(waiver=self, person=person, role="risk_compliance", verdict="approve")


def risk_officer(**fields: Any) -> User:
    return person_with("risk_compliance", organisation(), **fields)


def board_member(**fields: Any) -> User:
    return person_with(BOARD, organisation(), **fields)


def ask_for(case: Case, criterion: str = "IP-03", *, days: float = 60, **more: Any) -> Waiver:
    """A waiver asked for by the lead, as the form would."""
    given: dict[str, Any] = {
        "gate": "idea_to_poc",
        "reason": "The supplier answers in March.",
        "compensating_control": "Two people check every letter.",
        "expires_at": in_days(days),
        "by": case.lead,
        **more,
    }
    return request_waiver(use_case=case.use_case, criterion=criterion, **given)


def grant(case: Case, criterion: str = "IP-03", **more: Any) -> Waiver:
    """The same, and approved by as many as it needs."""
    waiver = ask_for(case, criterion, **more)
    vote_on_waiver(waiver=waiver, verdict="approve", by=risk_officer())
    if waiver.tier == "high":
        vote_on_waiver(waiver=waiver, verdict="approve", by=board_member())
    waiver.refresh_from_db()
    return waiver
