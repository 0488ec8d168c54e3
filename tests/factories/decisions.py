"""Decisions as rows, that nobody made: for tests that only need them to be there."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.utils import timezone

from gates.models import Decision, PolicyVersion, Review
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory
from tests.factories.gates import shipped_policies

_numbers = count(7001)


def review_of(use_case: UseCase, **fields: Any) -> Review:
    """A review that is there; open unless told otherwise."""
    version = PolicyVersion.objects.first() or shipped_policies()[0]
    usual: dict[str, Any] = {
        "number": next(_numbers),
        "gate": "idea_to_poc",
        "policy_version": version,
        "tier": "limited",
        "digest": "0" * 64,
        "due_at": timezone.now(),
    }
    by = fields.pop("submitted_by", None) or PersonFactory.create()
    return Review.objects.create(use_case=use_case, submitted_by=by, **{**usual, **fields})


def decided(use_case: UseCase, outcome: str = "go", **fields: Any) -> Decision:
    """A decided review's decision."""
    review = review_of(use_case, state="decided")
    return Decision.objects.create(
        review=review,
        outcome=outcome,
        digest="0" * 64,
        body="{}",
        body_digest="0" * 64,
        decided_by=review.submitted_by,
        **fields,
    )
