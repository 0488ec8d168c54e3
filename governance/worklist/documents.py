"""Documents that wait for a review or an approval by somebody other than their author."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from governance.models import Document
from governance.worklist import rest_of
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 8


@work_sources.register
class DocumentsToApprove(WorkSource):
    key: ClassVar[str] = "governance-documents"
    title: ClassVar[Any] = gettext_lazy("Documents to review and approve")
    order: ClassVar[int] = 50

    def items(self, user: User) -> Iterator[WorkItem]:
        if not user.is_person:
            return
        rows = Document.objects.filter(is_current=True).exclude(status="approved").exclude(written_by=user)
        waiting = for_user(rows, user, "evidence.verify")
        for row in waiting.select_related("use_case", "written_by").order_by("written_at", "pk")[:MOST]:
            reviewed = row.status == Document.DocStatus.REVIEWED
            yield WorkItem(
                title=row.title,
                url=reverse("governance:document", args=[row.pk]),
                detail=_("Revision %(number)d by %(name)s") % {"number": row.revision, "name": row.written_by},
                use_case_key=row.use_case.key,
                use_case_name=row.use_case.name,
                verb=_("Approve") if reviewed else _("Review"),
            )
        yield from rest_of(waiting.count() - MOST, f"{reverse('governance:document_list')}?status=awaiting")
