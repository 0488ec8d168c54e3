"""Conditions that a person owes, and reports that a person may judge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from gates.models import Condition
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 100


@work_sources.register
class Conditions(WorkSource):
    """Three queries, however many."""

    key = "conditions"
    title = gettext_lazy("Conditions")
    order = 25

    def items(self, user: User) -> Iterator[WorkItem]:
        rows = Condition.objects.select_related("use_case").order_by("due_on", "pk")
        owed = for_user(rows.filter(state=Condition.State.OPEN, owner=user), user, "use_case.view")
        for row in owed[:MOST]:
            title = _("Report a condition again") if row.sent_back_because else _("Meet a condition and report it")
            yield _item(row, title, row.sent_back_because or row.text, _("Report"))
        reported = rows.filter(state=Condition.State.REPORTED).exclude(owner=user).exclude(reported_by=user)
        judged = for_user(reported.exclude(evidence__added_by=user), user, "condition.close")
        for row in judged[:MOST]:
            yield _item(row, _("Close a condition or send it back"), row.text, _("Look at the report"))


def _item(row: Condition, title: str, detail: str, verb: str) -> WorkItem:
    return WorkItem(
        title=title,
        url=reverse("gates:condition", kwargs={"pk": row.pk}),
        detail=detail if len(detail) <= 140 else f"{detail[:137].rstrip()}…",
        use_case_key=row.use_case.key,
        use_case_name=row.use_case.name,
        due_at=datetime.combine(row.due_on, time.max, tzinfo=timezone.get_current_timezone()),
        tone="blocked" if row.is_overdue() else "attention",
        verb=verb,
    )
