"""Waivers that wait for a person's approval, and those that a person asked for and that end soon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Prefetch, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from gates.models import Waiver, WaiverVote
from gates.waiving import still_needed
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 200
ENDS_WITHIN = timedelta(days=14)


@work_sources.register
class Waivers(WorkSource):
    """Four queries, however many."""

    key = "waivers"
    title = gettext_lazy("Waivers")
    order = 15

    def items(self, user: User) -> Iterator[WorkItem]:
        votes = Prefetch("votes", WaiverVote.objects.filter(verdict="approve"), to_attr="given")
        asked = Waiver.objects.filter(state=Waiver.State.REQUESTED, expires_at__gt=timezone.now())
        open_to = asked.exclude(Q(requested_by=user) | Q(votes__person=user)).select_related("use_case")
        for waiver in for_user(open_to, user, "waiver.approve").prefetch_related(votes).order_by("requested_at")[:MOST]:
            needs = still_needed(waiver.tier, [v.role for v in waiver.given])
            yield WorkItem(
                title=_("Decide about %(waiver)s: %(criterion)s") % {"waiver": waiver, "criterion": waiver.criterion},
                url=reverse("gates:waiver", kwargs={"number": waiver.number}),
                detail=_("Needs %(what)s.") % {"what": needs} if needs else "",
                use_case_key=waiver.use_case.key,
                use_case_name=waiver.use_case.name,
                tone="attention",
                verb=_("Read and decide"),
            )
        yield from self._ending(user)

    def _ending(self, user: User) -> Iterator[WorkItem]:
        now = timezone.now()
        mine = Waiver.objects.filter(requested_by=user, state=Waiver.State.APPROVED, expires_at__gt=now)
        soon = mine.filter(expires_at__lte=now + ENDS_WITHIN).exclude(
            renewed_by__state__in=(Waiver.State.REQUESTED, Waiver.State.APPROVED)
        )
        for waiver in for_user(soon.select_related("use_case"), user, "use_case.view").order_by("expires_at")[:MOST]:
            yield WorkItem(
                title=_("%(waiver)s ends: %(criterion)s") % {"waiver": waiver, "criterion": waiver.criterion},
                url=reverse("gates:waiver", kwargs={"number": waiver.number}),
                detail=_("Meet the criterion.") if waiver.renews_id else _("Meet the criterion, or ask for a renewal."),
                use_case_key=waiver.use_case.key,
                use_case_name=waiver.use_case.name,
                due_at=waiver.expires_at,
                tone="attention",
                verb=_("Look at it"),
            )
