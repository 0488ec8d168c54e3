"""Open issues that a person owns and that are due within a fortnight."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from governance.forms.days import end_of
from governance.models import Issue
from portfolio.work_item import WorkItem, WorkSource, work_sources

AHEAD = timedelta(days=14)
MOST = 50


@work_sources.register
class MyIssues(WorkSource):
    key: ClassVar[str] = "governance-issues"
    title: ClassVar[Any] = gettext_lazy("Issues that you own")
    order: ClassVar[int] = 70

    def items(self, user: User) -> Iterator[WorkItem]:
        today = timezone.localdate()
        rows = Issue.objects.filter(owner=user, state=Issue.IssueState.OPEN, due_on__lte=today + AHEAD)
        found = for_user(rows, user, "use_case.view").select_related("use_case").order_by("due_on")
        for row in found[:MOST]:
            late = row.due_on is not None and row.due_on < today
            yield WorkItem(
                title=row.title,
                url=reverse("governance:issue", args=[row.pk]),
                detail=f"{row.get_kind_display()}, {row.get_severity_display()}",
                use_case_key=row.use_case.key,
                use_case_name=row.use_case.name,
                due_at=end_of(row.due_on),
                tone="blocked" if late else "attention",
                verb=_("Settle"),
            )
