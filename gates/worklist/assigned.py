"""Open criteria that somebody was named for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time

from django.db.models import Exists, F, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from gates.models import Assignment, CriterionFinding
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 100
PASSES = ("met", "waived", "not_applicable")


@work_sources.register
class Assigned(WorkSource):
    """What the person is named for at the next gate of a use case and is still open. One query."""

    key = "assigned"
    title = gettext_lazy("To settle for a gate")
    order = 30

    def items(self, user: User) -> Iterator[WorkItem]:
        found = CriterionFinding.objects.filter(
            use_case=OuterRef("use_case"),
            gate=OuterRef("gate"),
            criterion=OuterRef("criterion"),
            policy__is_primary=True,
        )
        rows = Assignment.objects.filter(person=user, use_case__next_gate=F("gate"), use_case__status="active")
        still_open = rows.filter(Exists(found.exclude(outcome__in=PASSES))).select_related("use_case")
        for row in still_open.order_by(F("due_on").asc(nulls_last=True))[:MOST]:
            due = datetime.combine(row.due_on, time.max, tzinfo=timezone.get_current_timezone()) if row.due_on else None
            late = due is not None and due < timezone.now()
            yield WorkItem(
                title=_("Settle %(criterion)s") % {"criterion": row.criterion},
                url=f"{reverse('gates:missing', kwargs={'key': row.use_case.key})}?show=mine#{row.criterion}",
                detail=row.note,
                use_case_key=row.use_case.key,
                use_case_name=row.use_case.name,
                due_at=due,
                tone="blocked" if late else "attention",
                verb=_("Open"),
            )
