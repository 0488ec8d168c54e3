"""Reviews that are owed, for those who have to see to it that they are held."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import RoleAssignment, User
from accounts.people import current
from gates.call_days import under_way
from gates.models import ReviewCall
from gates.review_owed import SUBMITS
from portfolio.models import BusinessUnit, Status
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 200
SOON = timedelta(days=7)


@work_sources.register
class ReviewCalls(WorkSource):
    """Open calls of use cases on which the person is lead, owner or technical lead. Four queries, however many."""

    key = "review_calls"
    title = gettext_lazy("Reviews owed")
    order = 25

    def items(self, user: User) -> Iterator[WorkItem]:
        now = timezone.now()
        rows = ReviewCall.objects.filter(_mine(user), settled_at__isnull=True).exclude(use_case__status=Status.CLOSED)
        calls = list(rows.select_related("use_case").order_by("due_at")[:MOST])
        running = under_way(calls)
        for call in calls:
            if call.pk in running:
                continue
            page = reverse("portfolio:use_case_panel", kwargs={"key": call.use_case.key, "panel": "gate"})
            yield WorkItem(
                title=_("Have it reviewed: %(cause)s") % {"cause": str(call.get_cause_display()).lower()},
                url=page,
                detail=call.text,
                use_case_key=call.use_case.key,
                use_case_name=call.use_case.name,
                due_at=call.due_at,
                tone="blocked" if call.due_at <= now else "attention" if call.due_at <= now + SOON else "info",
                verb=_("See what is asked"),
            )


def _mine(user: User) -> Q:
    held = list(current(user=user, role__in=SUBMITS).values_list("scope_kind", "scope_id"))
    direct = [pk for kind, pk in held if kind == RoleAssignment.Scope.USE_CASE]
    units = [pk for kind, pk in held if kind == RoleAssignment.Scope.UNIT]
    found = Q(use_case__in=direct)
    for path in BusinessUnit.objects.filter(pk__in=units).values_list("path", flat=True) if units else ():
        found |= Q(use_case__unit__path__startswith=path)
    return found
