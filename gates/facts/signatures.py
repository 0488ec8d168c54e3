"""Sign-offs that count on the open review of each gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from gates.fact import FactLoader, fact_loaders, within
from gates.models import Review, SignOff
from gates.quorum import count
from gates.seats import BOARD, asks_the_board, boards_of


@fact_loaders.register
class Signatures(FactLoader):
    """``{gate: {"slots": [...], "votes": {role: [verdict, ...]}, "signed_at": …}}`` of the newest review.

    An open review that asks for the board says in ``board`` what its votes come to.
    """

    key = "signatures"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        newest: dict[UUID, Any] = {}
        live = within(Review.objects.filter(state__in=("open", "decided"), submitted_at__lte=at), use_case_ids)
        live = live.filter(asks_to_end=False)
        names = ("id", "use_case_id", "gate", "slots", "state", "submitted_at", "closed_at")
        for row in live.order_by("submitted_at").values(*names):
            entry = {**row, "votes": {}, "signed_at": None}
            found.setdefault(row["use_case_id"], {})[row["gate"]] = entry
            newest[row["id"]] = entry
        votes = SignOff.objects.filter(lapsed_at__isnull=True, digest=F("review__digest"), signed_at__lte=at)
        counted = within(votes.filter(review__state__in=("open", "decided")), use_case_ids, "review__use_case")
        for review, role, verdict, when in counted.values_list("review_id", "role", "verdict", "signed_at"):
            if review in newest:
                newest[review]["votes"].setdefault(role, []).append(verdict)
                newest[review]["signed_at"] = max(when, newest[review]["signed_at"] or when)
        _count_boards(use_case_ids, newest)
        return found


def _count_boards(use_case_ids: Sequence[UUID] | None, newest: dict[UUID, Any]) -> None:
    """What the votes of the board come to, counted as the decision counts them."""
    rows = within(Review.objects.filter(state=Review.State.OPEN), use_case_ids).select_related(
        "use_case__unit", "policy_version__policy"
    )
    asking = [r for r in rows if r.pk in newest and asks_the_board(r)]
    if not asking:
        return
    votes: dict[UUID, list[SignOff]] = {r.pk: [] for r in asking}
    live = SignOff.objects.filter(review__in=list(votes), lapsed_at__isnull=True, digest=F("review__digest"))
    for vote in live.only("review_id", "role", "verdict", "person_id"):
        votes[vote.review_id].append(vote)
    for pk, board in boards_of(asking).items():
        cast = votes[pk]
        signed = {v.role for v in cast if v.verdict != "reject"}
        newest[pk]["board"] = count(board, [v for v in cast if v.role == BOARD], signed).state
