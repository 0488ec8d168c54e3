"""A board of five before a high-tier review, and a meeting that takes it up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from gates.models import Meeting, Review, SignOff
from gates.services import boards
from gates.services.sign_offs import sign
from tests.factories.accounts import give, person_with
from tests.factories.gates import BOARD, Case, publish, ready_case, small_text
from tests.factories.monitoring import SeriesFactory, points
from tests.factories.portfolio import UnitFactory, organisation

QUORUM = """\
board_quorum:
  min_members: 5
  min_votes: 3
  more_than_half_of_unrecused: true
  must_include: [risk_compliance, legal_privacy]
  business_member_from_another_unit: true
  minutes_required: true
"""


@dataclass
class BoardCase:
    """``members[0]`` chairs, 1 speaks for risk, 2 for legal, 3 for the business of another unit, 4 for nobody."""

    case: Case
    review: Review
    members: list[User]

    @property
    def chair(self) -> User:
        return self.members[0]

    def vote(self, n: int, verdict: str = "approve") -> SignOff:
        self.review.refresh_from_db()
        return sign(
            review=self.review,
            role=BOARD,
            verdict=verdict,
            digest=self.review.digest,
            by=self.members[n],
            reason="" if verdict == "approve" else "Too early.",
        )

    def votes(self, **verdicts: str) -> None:
        """``votes(m0="approve", m1="reject")``."""
        for who, verdict in verdicts.items():
            self.vote(int(who[1:]), verdict)

    def sign_others(self) -> None:
        for role in ("business_owner", "technical_lead"):
            self.case.sign(self.review, role)

    def call(self, **more: Any) -> Meeting:
        given = {"title": "November meeting", "starts_at": timezone.now() + timedelta(days=2), "by": self.chair}
        return boards.call_meeting(**{**given, "reviews": [self.review], **more})

    def in_session(self) -> Meeting:
        return boards.open_meeting(meeting=self.call(), by=self.chair)

    def closed(self) -> Meeting:
        meeting = self.in_session()
        for member in self.members[:3]:
            boards.attend(meeting=meeting, present=True, by=member)
        boards.write_minutes(meeting=meeting, review=self.review, text="The board saw the figures.", by=self.chair)
        return boards.close_meeting(meeting=meeting, by=self.chair)


def board_case(*, quorum: str = QUORUM) -> BoardCase:
    """A high-tier review open for signature, under a policy with this ``board_quorum``."""
    publish(small_text() + quorum)
    case = ready_case(tier="high", policy=False)
    points(SeriesFactory.create(use_case=case.use_case), [0.95])
    members = [person_with(BOARD, organisation(), full_name=f"Member {n}") for n in range(5)]
    give(members[1], "risk_compliance", organisation())
    give(members[2], "legal_privacy", organisation())
    give(members[3], "business_owner", UnitFactory.create())
    return BoardCase(case, case.submit(), members)
