"""Requests for retraining that are late, failed to be delivered, or wait for a person where no machine answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from monitoring.models import RetrainingRequest
from monitoring.models.retraining import OPEN
from notify.models import WebhookMessage
from portfolio.models import UseCase
from portfolio.selectors.listing import mine
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 25


@work_sources.register
class RetrainingOwed(WorkSource):
    """Of my use cases: what is late, and what nobody was sent. Two queries."""

    key: ClassVar[str] = "retraining"
    title: ClassVar[Any] = gettext_lazy("Retraining")
    order: ClassVar[int] = 42

    def items(self, user: User) -> Iterator[WorkItem]:
        now = timezone.now()
        own = UseCase.objects.filter(mine(user)).values("pk")
        rows = RetrainingRequest.objects.filter(state__in=OPEN, use_case__in=own).select_related("use_case")
        mine_open = list(for_user(rows, user, "version.register").order_by("due_at")[:MOST])
        sent = _delivered(mine_open) if mine_open else set()
        for row in mine_open:
            overdue = row.is_overdue(now)
            if overdue or (row.accepted_at is None and row.webhook_subject not in sent):
                yield _item(row, overdue=overdue)


def _delivered(rows: list[RetrainingRequest]) -> set[str]:
    """Subjects of messages that the receiver has taken, or may still take."""
    messages = WebhookMessage.objects.filter(subject__in=[row.webhook_subject for row in rows])
    return set(messages.exclude(state=WebhookMessage.State.FAILED).values_list("subject", flat=True))


def _item(row: RetrainingRequest, *, overdue: bool) -> WorkItem:
    if overdue:
        title = _("%(request)s is late: %(what)s") % {"request": row, "what": str(row.get_kind_display()).lower()}
    else:
        title = _("%(request)s reached nobody: %(what)s") % {
            "request": row,
            "what": str(row.get_kind_display()).lower(),
        }
    return WorkItem(
        title=title,
        url=reverse("monitoring:retraining_request", args=[row.pk]),
        detail=row.reason[:160],
        use_case_key=row.use_case.key,
        use_case_name=row.use_case.name,
        due_at=row.due_at,
        tone="blocked" if overdue else "attention",
        verb=_("See to it"),
    )
