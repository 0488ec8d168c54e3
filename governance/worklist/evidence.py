"""Files and links that somebody else added and that wait for a person who may verify them.

Attestations do not wait: they are somebody's own word. Beyond a few, the rest is one line that leads to the register.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from governance.models import Evidence
from governance.panels.evidence import in_force
from governance.worklist import rest_of
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 8


@work_sources.register
class EvidenceToVerify(WorkSource):
    key: ClassVar[str] = "governance-evidence"
    title: ClassVar[Any] = gettext_lazy("Evidence to verify")
    order: ClassVar[int] = 60

    def items(self, user: User) -> Iterator[WorkItem]:
        if not user.is_person:
            return
        rows = in_force(Evidence.objects.filter(verified_by__isnull=True)).exclude(added_by=user)
        waiting = for_user(rows.exclude(kind=Evidence.Kind.ATTESTATION), user, "evidence.verify")
        for row in waiting.select_related("use_case", "added_by").order_by("added_at", "pk")[:MOST]:
            yield WorkItem(
                title=row.title,
                url=reverse("governance:evidence", args=[row.pk]),
                detail=_("%(kind)s by %(name)s") % {"kind": row.get_kind_display(), "name": row.added_by},
                use_case_key=row.use_case.key,
                use_case_name=row.use_case.name,
                verb=_("Verify"),
            )
        yield from rest_of(waiting.count() - MOST, f"{reverse('governance:evidence_list')}?state=unverified")
