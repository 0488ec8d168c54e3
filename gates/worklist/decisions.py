"""Reviews that a person may decide now, because every signature is in or one was refused."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from gates.duties import complete, slot_states
from gates.models import Review
from gates.quorum import Board
from gates.seats import boards_of
from gates.selectors import with_votes
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 200


@work_sources.register
class Decisions(WorkSource):
    key = "decisions"
    title = gettext_lazy("Decisions")
    order = 20

    def items(self, user: User) -> Iterator[WorkItem]:
        rows = Review.objects.filter(state=Review.State.OPEN).exclude(submitted_by=user)
        rows = rows.select_related("use_case__unit", "policy_version__policy")
        for review in for_user(rows.filter(asks_to_end=True), user, "use_case.stop").order_by("due_at")[:MOST]:
            yield _ending(review)
        to_pass = rows.filter(asks_to_end=False)
        reviews = list(with_votes(for_user(to_pass, user, "gate.record_decision")).order_by("due_at")[:MOST])
        boards = boards_of(reviews)
        for review in reviews:
            votes = [v for v in review.live_votes if v.digest == review.digest]  # type: ignore[attr-defined]
            slots = slot_states([s["role"] for s in review.slots], votes, board=boards.get(review.pk, Board()))
            refused = any(slot.state == "rejected" for slot in slots)
            if refused or complete(slots):
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


def _ending(review: Review) -> WorkItem:
    return WorkItem(
        title=_("Decide whether it ends: %(review)s") % {"review": review},
        url=reverse("gates:review", kwargs={"number": review.number}),
        detail=review.message[:160],
        use_case_key=review.use_case.key,
        use_case_name=review.use_case.name,
        due_at=review.due_at,
        tone="attention",
        verb=_("Decide"),
    )
