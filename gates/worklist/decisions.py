"""Reviews that a person may decide now, because every signature is in or one was refused."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from gates.duties import BOARD
from gates.models import Review
from gates.selectors import with_votes
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 200


@work_sources.register
class Decisions(WorkSource):
    key = "decisions"
    title = gettext_lazy("Decisions")
    order = 20

    def items(self, user: User) -> Iterator[WorkItem]:
        rows = Review.objects.filter(state=Review.State.OPEN).exclude(submitted_by=user).select_related("use_case")
        for review in with_votes(for_user(rows, user, "gate.record_decision")).order_by("due_at")[:MOST]:
            votes = [v for v in review.live_votes if v.digest == review.digest]  # type: ignore[attr-defined]
            roles = {slot["role"] for slot in review.slots}
            refused = any(v.verdict == "reject" for v in votes)
            board = sum(1 for v in votes if v.role == BOARD)
            ready = roles <= {v.role for v in votes} and (BOARD not in roles or board >= 3)
            if ready or refused:
                yield WorkItem(
                    title=_("Decide %(review)s") % {"review": review},
                    url=reverse("gates:review", kwargs={"number": review.number}),
                    detail=_("A signer refused.") if refused else _("All signatures are in."),
                    use_case_key=review.use_case.key,
                    use_case_name=review.use_case.name,
                    due_at=review.due_at,
                    tone="blocked" if refused else "attention",
                    verb=_("Decide"),
                )
