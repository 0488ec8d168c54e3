"""Sampled outputs that wait for a person's review."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from monitoring.reviewing import offered
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 25


@work_sources.register
class OutputsToReview(WorkSource):
    key: ClassVar[str] = "outputs"
    title: ClassVar[Any] = gettext_lazy("Outputs to review")
    order: ClassVar[int] = 45

    def items(self, user: User) -> Iterator[WorkItem]:
        now = timezone.now()
        rows = offered(user, now).order_by().values("output__use_case__key", "output__use_case__name")
        counted = rows.annotate(n=Count("pk"), overdue=Count("pk", filter=Q(due_at__lt=now)), due=Min("due_at"))
        for row in counted.order_by("due")[:MOST]:
            overdue = ngettext("%d overdue", "%d overdue", row["overdue"]) % row["overdue"] if row["overdue"] else ""
            yield WorkItem(
                title=ngettext("%d output to review", "%d outputs to review", row["n"]) % row["n"],
                url=reverse("monitoring:output_queue"),
                detail=overdue,
                use_case_key=row["output__use_case__key"],
                use_case_name=row["output__use_case__name"],
                tone="attention" if row["overdue"] else "info",
                verb=_("Review"),
            )
