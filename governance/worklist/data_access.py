"""Requests for data that a steward has to decide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from governance.models import DataAccessRequest
from governance.views.common import act_url
from portfolio.models import BusinessUnit
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 50


@work_sources.register
class RequestsToDecide(WorkSource):
    key: ClassVar[str] = "governance-data-access"
    title: ClassVar[Any] = gettext_lazy("Requests for data to decide")
    order: ClassVar[int] = 45

    def items(self, user: User) -> Iterator[WorkItem]:
        if not user.is_person:
            return
        units = for_user(BusinessUnit.objects.all(), user, "data_access.approve")
        here = for_user(DataAccessRequest.objects.all(), user, "data_access.approve")
        rows = DataAccessRequest.objects.filter(
            Q(dataset__unit__in=units) | Q(dataset__isnull=True, pk__in=here.values("pk")),
            state=DataAccessRequest.RequestState.OPEN,
        )
        found = rows.exclude(requested_by=user).select_related("use_case", "requested_by", "dataset")
        for row in found.order_by("requested_at")[:MOST]:
            yield WorkItem(
                title=_("%(name)s asks for data") % {"name": row.requested_by},
                url=act_url("decide-data-access", row, next="/"),
                detail=row.purpose[:140],
                use_case_key=row.use_case.key,
                use_case_name=row.use_case.name,
                tone="attention",
                verb=_("Decide"),
            )
