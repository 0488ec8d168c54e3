"""Risk: the tier with its reasons in words, what people decided about it, and the register."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Case, IntegerField, When
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.access import actions_on
from governance.forms.risk import ConfirmTier
from governance.models import RiskClassification, RiskItem, TierLowering
from governance.risk.questions import questionnaire
from governance.risk.wording import answered, duty_words, explain, flag_words, inconsistencies
from governance.selectors import current_classification
from governance.views.common import acts, offers, panel_url
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of

ON_TIER = ("confirm-tier", "raise-tier", "lower-tier")
ON_RISK = ("edit-risk", "concur-risk", "accept-risk", "close-risk")
TONES = {"low": "met", "medium": "info", "high": "attention", "critical": "blocked"}
ORDER = Case(
    *(When(residual=level, then=place) for place, level in enumerate(("critical", "high", "medium", "low"))),
    default=9,
    output_field=IntegerField(),
)


@panels.register
class RiskPanel(Panel):
    key: ClassVar[str] = "risk"
    title: ClassVar[Any] = _("Risk")
    order: ClassVar[int] = 80
    template: ClassVar[str] = "governance/panels/risk.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        user, back = person_of(request), panel_url(use_case, self.key)
        allowed = actions_on(user, use_case)
        classification = current_classification(use_case)
        context: dict[str, Any] = {
            "classification": classification,
            "classify": offers(user, use_case, ("classify",), next=back),
            "hold_acts": offers(user, use_case, ("release-hold",), next=back),
            "risks": [
                {
                    "risk": risk,
                    "tone": TONES.get(risk.residual, "neutral"),
                    "acts": []
                    if risk.state == RiskItem.RiskState.CLOSED
                    else acts(user, use_case, risk, ON_RISK, allowed, next=back),
                }
                for risk in RiskItem.objects.filter(use_case=use_case)
                .select_related("owner", "accepted_by", "concurred_by")
                .order_by(ORDER, "-raised_at")
            ],
            "risk_acts": offers(user, use_case, ("risk",), next=back),
        }
        if classification is not None:
            context |= self._classified(request, use_case, classification, allowed)
        return context

    def _classified(
        self, request: HttpRequest, use_case: UseCase, found: RiskClassification, allowed: frozenset[str]
    ) -> dict[str, Any]:
        user, back = person_of(request), panel_url(use_case, self.key)
        keys = [key for key in ON_TIER if key != "confirm-tier" or ConfirmTier.possible(found)]
        lowering = found.lowerings.filter(state=TierLowering.LoweringState.OPEN).select_related("requested_by").first()
        if lowering is not None:
            keys.remove("lower-tier")
        return {
            "reasons": explain(found.reasons, found.answers),
            "contributing": explain(found.contributing, found.answers),
            "flags": flag_words(found.flags),
            "duties": duty_words(found.duties),
            "oddities": inconsistencies(found.answers, use_case),
            "answers": answered(found.answers),
            "tier_effects": questionnaire().tier_effects.get(found.effective_tier, {}),
            "tier_acts": acts(user, use_case, found, keys, allowed, next=back),
            "lowering": lowering,
            "lowering_acts": acts(user, use_case, lowering, ("agree-lowering", "refuse-lowering"), allowed, next=back)
            if lowering
            else [],
            "history": RiskClassification.objects.filter(use_case=use_case, is_current=False).select_related(
                "classified_by"
            )[:10],
        }
