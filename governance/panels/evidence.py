"""Evidence: what was added for this use case, in which state, and the forms that add more."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from governance.forms.filters import EvidenceFilter
from governance.models import Evidence
from governance.views.common import offers, panel_url
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of

SHOWN = 100
ADD = ("evidence-file", "evidence-link", "attestation")


@panels.register
class EvidencePanel(Panel):
    key: ClassVar[str] = "evidence"
    title: ClassVar[Any] = _("Evidence")
    order: ClassVar[int] = 30
    template: ClassVar[str] = "governance/panels/evidence.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        rows = Evidence.objects.filter(use_case=use_case)
        found = EvidenceFilter(_or_in_force(request.GET), queryset=rows, request=request)
        listed = found.qs.select_related("added_by", "verified_by", "version__model").order_by("-added_at")
        total = listed.count()
        query = {"criterion": request.GET["criterion"]} if request.GET.get("criterion") else {}
        return {
            "filter": found,
            "rows": listed[:SHOWN],
            "total": total,
            "beyond": total > SHOWN,
            "all_url": f"{reverse('governance:evidence_list')}?{urlencode({'use_case': use_case.key})}",
            "acts": offers(person_of(request), use_case, ADD, next=panel_url(use_case, self.key), **query),
        }

    def rows(self, use_case: UseCase) -> QuerySet[Any]:
        return in_force(Evidence.objects.filter(use_case=use_case))


def in_force(rows: QuerySet[Evidence]) -> QuerySet[Evidence]:
    """What was not withdrawn and has not expired."""
    now = timezone.now()
    return rows.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now), withdrawn_at__isnull=True)


def _or_in_force(given: QueryDict) -> QueryDict:
    """Without a word about the state, what counts is shown."""
    if "state" in given:
        return given
    changed = given.copy()
    changed["state"] = "in_force"
    return changed
