"""Tiers that wait for confirmation, and lowerings that wait for a second person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from governance.models import RiskClassification, TierLowering
from governance.services.risk import MOST_UNKNOWN
from governance.views.common import panel_url
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 50


@work_sources.register
class TiersToConfirm(WorkSource):
    key: ClassVar[str] = "governance-tiers"
    title: ClassVar[Any] = gettext_lazy("Risk tiers to confirm")
    order: ClassVar[int] = 40

    def items(self, user: User) -> Iterator[WorkItem]:
        if not user.is_person:
            return
        ready = Q(provisional=False) | Q(tier="minimal", override_tier="", unknown_count__lte=MOST_UNKNOWN)
        rows = RiskClassification.objects.filter(ready, is_current=True, confirmed_by__isnull=True)
        found = for_user(rows.exclude(classified_by=user), user, "risk.confirm_tier")
        for row in found.select_related("use_case", "classified_by").order_by("classified_at")[:MOST]:
            yield WorkItem(
                title=_("Tier %(tier)s of %(name)s") % {"tier": row.effective_tier, "name": row.use_case.name},
                url=panel_url(row.use_case, "risk"),
                detail=_("Classified by %(name)s") % {"name": row.classified_by},
                use_case_key=row.use_case.key,
                use_case_name=row.use_case.name,
                verb=_("Confirm"),
            )
        yield from self._lowerings(user)

    def _lowerings(self, user: User) -> Iterator[WorkItem]:
        rows = TierLowering.objects.filter(state=TierLowering.LoweringState.OPEN).exclude(requested_by=user)
        found = for_user(rows, user, "risk.lower_tier").select_related("classification__use_case", "requested_by")
        for row in found[:MOST]:
            use_case = row.classification.use_case
            yield WorkItem(
                title=_("%(name)s asks to lower a tier to %(tier)s") % {"name": row.requested_by, "tier": row.tier},
                url=panel_url(use_case, "risk"),
                detail=row.reason[:140],
                use_case_key=use_case.key,
                use_case_name=use_case.name,
                tone="attention",
                verb=_("Decide"),
            )
