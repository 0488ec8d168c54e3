"""Accounts for benchmarks. Needs Django to be set up."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.access import possible_actions
from accounts.models import User
from accounts.services import assign_role, issue_token
from accounts.services.people import create_person
from ledger import SYSTEM
from portfolio.models import BusinessUnit

ROLE = "portfolio_manager"
EMAIL = "bench@example.org"


def somebody_who_sees_everything() -> User:
    root = BusinessUnit.objects.get(parent__isnull=True)
    person = User.objects.filter(email=EMAIL).first() or create_person(email=EMAIL, full_name="Benchmark", by=SYSTEM)
    assign_role(user=person, role=ROLE, on=root, by=SYSTEM)
    return person


def key_of(person: User) -> str:
    expires_at = timezone.now() + timedelta(days=1)
    scopes = possible_actions(person)
    _token, key = issue_token(user=person, name="benchmark", scopes=scopes, expires_at=expires_at, by=person)
    return key
