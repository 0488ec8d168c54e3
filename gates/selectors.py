"""Reads of the gates across relations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from accounts.access import for_user
from accounts.models import User
from gates.in_force import body_of
from gates.models import Decision, GateAssurance, Review, SignOff, Waiver
from gates.policy import PolicyBody
from portfolio.models import UseCase


def reviews_for(user: User) -> QuerySet[Review, Review]:
    """Reviews a person may see, with what lists and pages show of them."""
    rows = Review.objects.select_related(
        "use_case__unit", "submitted_by", "policy_version__policy", "decision__decided_by"
    )
    return for_user(rows, user, "use_case.view")


def review_or_none(user: User, number: int) -> Review | None:
    return reviews_for(user).filter(number=number).first()


def open_reviews(use_case: UseCase) -> QuerySet[Review, Review]:
    return Review.objects.filter(use_case=use_case, state=Review.State.OPEN).select_related(
        "submitted_by", "policy_version"
    )


def snapshot_body(review: Review) -> dict[str, Any]:
    """What the current snapshot of a review holds."""
    body = review.snapshots.filter(digest=review.digest).values_list("body", flat=True).get()
    found: dict[str, Any] = json.loads(body)
    return found


def votes_of(review: Review) -> list[SignOff]:
    """All votes, those that count first, then lapsed ones; newest first within."""
    votes = review.sign_offs.select_related("person", "on_behalf_of").order_by("-signed_at")
    return sorted(votes, key=lambda v: v.lapsed_at is not None)


def passed_gates(use_case: UseCase) -> list[GateAssurance]:
    return list(
        GateAssurance.objects.filter(use_case=use_case)
        .select_related("decision__review")
        .order_by("decision__decided_at")
    )


def decisions_of(ids: Iterable[UUID]) -> Mapping[UUID, Decision]:
    return Decision.objects.select_related("review").in_bulk(list(ids))


def policy_of(review: Review) -> PolicyBody:
    return body_of(review.policy_version)


def with_votes(rows: QuerySet[Review, Review]) -> QuerySet[Review, Review]:
    """Reviews with the votes that count, for lists that show progress: one query more for all of them."""
    counted = SignOff.objects.filter(lapsed_at__isnull=True).only(
        "review_id", "role", "verdict", "digest", "person_id", "on_behalf_of_id", "signed_at"
    )
    return rows.prefetch_related(Prefetch("sign_offs", queryset=counted, to_attr="live_votes"))


def waivers_for(user: User) -> QuerySet[Waiver, Waiver]:
    """Waivers of the use cases that a person may see, with what lists and pages show of them."""
    return for_user(Waiver.objects.select_related("use_case__unit", "requested_by", "renews"), user, "use_case.view")


def waivers_by_state(rows: QuerySet[Waiver, Waiver], state: str, at: datetime) -> QuerySet[Waiver, Waiver]:
    """As people think of them: an approved one is in force until it ends, and expired from then on."""
    granted = rows.filter(state=Waiver.State.APPROVED)
    match state:
        case "in_force":
            return granted.filter(expires_at__gt=at)
        case "ending":
            return granted.filter(expires_at__gt=at, expires_at__lte=at + timedelta(days=30))
        case "expired":
            return granted.filter(expires_at__lte=at)
    return rows.filter(state=state)
