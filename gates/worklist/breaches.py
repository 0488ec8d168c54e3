"""Decisions after breaches that a person owes or may make, and acceptances that wait for a second person."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Case, QuerySet, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from gates.models import BreachDecision
from gates.services.breaches import RIGHT, authority_of
from portfolio.models import Status
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 50


@work_sources.register
class BreachDecisions(WorkSource):
    """What one owes oneself comes first. Two queries, and those of who may confirm for each that waits for it."""

    key = "breaches"
    title = gettext_lazy("Breaches to decide")
    order = 22

    def items(self, user: User) -> Iterator[WorkItem]:
        rows = BreachDecision.objects.exclude(use_case__status=Status.CLOSED).select_related("use_case__unit", "alert")
        owed = for_user(rows.filter(state=BreachDecision.State.OWED), user, RIGHT)
        for row in _mine_first(owed, user)[:MOST]:
            yield _item(row, _("Decide what is done after a breach"), row.alert.message, _("Decide"))
        proposed = rows.filter(state=BreachDecision.State.PROPOSED).exclude(proposed_by=user)
        for row in for_user(proposed, user, RIGHT).order_by("due_at")[:MOST]:
            if not authority_of(row, user)[1]:
                title = _("Confirm or refuse that a breach is accepted")
                yield _item(row, title, f"{row.alert.message} {row.reason}", _("Look at it"))


def _mine_first(rows: QuerySet[BreachDecision, BreachDecision], user: User) -> QuerySet[BreachDecision, BreachDecision]:
    return rows.annotate(others=Case(When(owed_by=user, then=0), default=1)).order_by("others", "due_at")


def _item(row: BreachDecision, title: str, detail: str, verb: str) -> WorkItem:
    return WorkItem(
        title=title,
        url=reverse("gates:breach", kwargs={"number": row.number}),
        detail=detail if len(detail) <= 160 else f"{detail[:157].rstrip()}…",
        use_case_key=row.use_case.key,
        use_case_name=row.use_case.name,
        due_at=row.due_at,
        tone="blocked" if row.is_late(timezone.now()) else "attention",
        verb=verb,
    )
