"""The risk tier: computed from answers, confirmed by risk, raised by one person with a reason, lowered only by two.

A tier that comes out lower than the one in force takes effect when risk and compliance confirms it: answering the
questions anew is no way around the two people who may lower a tier.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.models import RiskClassification, TierLowering
from governance.risk.answers import normalise
from governance.risk.questions import TIERS, questionnaire
from governance.risk.rule import classify as apply_rule
from governance.risk.rule import rank
from governance.services.permission import Actor, account, account_or_none, allow, another, hold, person
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid, NotReady
from ledger import UnitOfWork, state, unit_of_work
from portfolio.models import UseCase
from portfolio.services import set_tier
from portfolio.signals import announce_change

SHOWN = (
    "tier",
    "score",
    "provisional",
    "legal_hold",
    "unknown_count",
    "prohibited_hits",
    "reasons",
    "contributing",
    "override_tier",
    "override_reason",
    "override_by",
    "answers",
    "rule_version",
)
OVERRIDE = ("override_tier", "override_reason", "override_by")
CONFIRMER = "risk_compliance"
TIER_THAT_BEARS_UNKNOWNS = "minimal"
TIER_THAT_ENDS = "prohibited"
MOST_UNKNOWN = 2
LOWERING_ROLES = ("risk_compliance", "legal_privacy")


def classify(*, use_case: UseCase, answers: Mapping[str, Any], by: Actor) -> RiskClassification:
    """Apply the rule to the answers and keep the result. A tier that people raised before stays raised."""
    allow(by, "risk.classify", use_case)
    given = normalise(answers)
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(UseCase.objects.select_related("unit")).get(pk=use_case.pk)
        return _keep(uow, fresh, given, by)


def reconsider_tier(*, use_case: UseCase, by: Actor, reason: str) -> RiskClassification | None:
    """Apply today's rule to the latest answers and ask for a new confirmation, because the use case changed course.

    The decision that changed its course is the right to do it, so none is asked for here. Without answers that the
    questionnaire of today understands the use case is unclassified, which gates judge like high; None then.
    """
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(UseCase.objects.select_related("unit")).get(pk=use_case.pk)
        last = RiskClassification.objects.filter(use_case=fresh, is_current=True).first()
        try:
            given = normalise(last.answers) if last else None
        except Invalid:
            given = None
        if given is not None:
            return _keep(uow, fresh, given, by, note=reason)
        RiskClassification.objects.filter(use_case=fresh, is_current=True).update(is_current=False)
        if fresh.tier != TIER_THAT_ENDS:
            set_tier(use_case=fresh, tier="", source="", legal_hold=fresh.legal_hold, by=by)
        announce_change(uow, fresh.pk, "risk")
    return None


def _keep(uow: UnitOfWork, use_case: UseCase, given: dict[str, Any], by: Actor, note: str = "") -> RiskClassification:
    """Keep what the rule makes of these answers as the current classification of a locked use case."""
    result = apply_rule(given)
    last = RiskClassification.objects.filter(use_case=use_case, is_current=True).first()
    RiskClassification.objects.filter(use_case=use_case, is_current=True).update(is_current=False)
    classification = RiskClassification(
        use_case=use_case,
        rule_version=questionnaire().version,
        answers=given,
        tier=result.tier,
        score=result.score,
        provisional=result.provisional,
        legal_hold=result.legal_hold,
        unknown_count=result.unknown_count,
        prohibited_hits=result.prohibited_hits,
        reasons=list(result.reasons),
        contributing=list(result.contributing),
        flags=list(result.flags),
        duties=list(result.duties),
        classified_by=account(by),
        classified_at=timezone.now(),
    )
    _carry_over_raise(classification, last)
    classification.save(force_insert=True)
    uow.record(
        "risk.classified",
        subject=classification,
        use_case=use_case,
        before=state(last, SHOWN) if last else None,
        after=state(classification, SHOWN),
        note=note[:300],
    )
    in_force = max(classification.effective_tier, use_case.tier or TIERS[0], key=rank)
    # An open hold is ended by legal alone, never by answering anew.
    _put_in_force(classification, in_force, by, legal_hold=result.legal_hold or use_case.legal_hold)
    announce_change(uow, use_case.pk, "risk")
    return classification


def confirm_tier(*, classification: RiskClassification, by: Actor) -> RiskClassification:
    """Risk and compliance stands for the tier. Not by the one who classified, not while answers are unknown."""
    someone = person(by)
    allow(by, "risk.confirm_tier", classification.use_case)
    another(by, classification.classified_by_id, _("You cannot confirm this tier: you classified the use case."))
    with unit_of_work(by=by) as uow:
        classification = _locked(classification)
        if classification.confirmed_by_id:
            raise Conflict(_("This tier is confirmed already."))
        if not may_be_confirmed(classification):
            raise NotReady(
                _("%(count)d answers are unknown: the tier is provisional.") % {"count": classification.unknown_count},
                hint=_("Answer the open questions, then confirm."),
            )
        classification.confirmed_by, classification.confirmed_role = someone, CONFIRMER
        classification.confirmed_at = timezone.now()
        classification.save(update_fields=["confirmed_by", "confirmed_role", "confirmed_at"])
        uow.record(
            "risk.tier_confirmed",
            subject=classification,
            use_case=classification.use_case,
            before={"confirmed_by": None},
            after={**state(classification, ("confirmed_by", "confirmed_role")), "tier": classification.effective_tier},
        )
        _put_in_force(classification, classification.effective_tier, by)
        announce_change(uow, classification.use_case_id, "risk")
    return classification


def may_be_confirmed(classification: RiskClassification) -> bool:
    """A provisional tier cannot be confirmed on limited or high; minimal bears two unknown answers."""
    if not classification.provisional:
        return True
    return classification.effective_tier == TIER_THAT_BEARS_UNKNOWNS and classification.unknown_count <= MOST_UNKNOWN


def override_tier(*, classification: RiskClassification, tier: str, reason: str, by: Actor) -> RiskClassification:
    """Raise the tier above the one in force, with a reason. Lowering takes two people: ``request_tier_lowering``."""
    someone = account_or_none(by)
    allow(by, "risk.raise_tier", classification.use_case)
    _check_tier_and_reason(tier, reason)
    with unit_of_work(by=by) as uow:
        classification = _locked(classification)
        if rank(tier) <= rank(classification.effective_tier):
            message = _("This does not raise the tier: it is %(tier)s now.") % {"tier": classification.effective_tier}
            hint = _("Risk and legal can lower a tier together.")
            raise Invalid(message, errors={"tier": [message]}, hint=hint)
        before = state(classification, OVERRIDE)
        classification.override_tier, classification.override_reason = tier, reason.strip()
        classification.override_by = someone
        classification.save(update_fields=[*OVERRIDE])
        uow.record(
            "risk.tier_raised",
            subject=classification,
            use_case=classification.use_case,
            before=before,
            after=state(classification, OVERRIDE),
            note=reason.strip(),
        )
        _put_in_force(classification, tier, by)
        announce_change(uow, classification.use_case_id, "risk")
    return classification


def legal_floor(classification: RiskClassification) -> str:
    """The tier that the legal rules alone give for these answers."""
    return apply_rule(classification.answers).legal_floor


def request_tier_lowering(*, classification: RiskClassification, tier: str, reason: str, by: Actor) -> TierLowering:
    """Ask for a lower tier, as risk or as legal; somebody in the other role has to agree."""
    someone = person(by)
    allow(by, "risk.lower_tier", classification.use_case)
    role = hold(by, LOWERING_ROLES, classification.use_case)
    _check_tier_and_reason(tier, reason)
    with unit_of_work(by=by) as uow:
        classification = _locked(classification)
        _check_lowering(classification, tier)
        if classification.lowerings.filter(state=TierLowering.LoweringState.OPEN).exists():
            raise Conflict(_("Lowering this tier was asked for already and waits for the second person."))
        lowering = TierLowering.objects.create(
            classification=classification,
            tier=tier,
            reason=reason.strip(),
            requested_by=someone,
            requested_role=role,
            requested_at=timezone.now(),
        )
        after = state(lowering, ("tier", "reason", "requested_role"))
        uow.record(
            "risk.lowering_requested",
            subject=lowering,
            use_case=classification.use_case,
            after=after,
            note=reason.strip(),
        )
    return lowering


def confirm_tier_lowering(*, lowering: TierLowering, by: Actor) -> TierLowering:
    """Agree in the role that the first person did not have: risk with legal, legal with risk."""
    someone = person(by)
    use_case = lowering.classification.use_case
    allow(by, "risk.lower_tier", use_case)
    another(by, lowering.requested_by_id, _("You asked for this: it takes a second person."))
    missing = [role for role in LOWERING_ROLES if role != lowering.requested_role]
    role = hold(by, missing, use_case)
    with unit_of_work(by=by) as uow:
        lowering = _locked_lowering(lowering)
        classification = _locked(lowering.classification)
        _check_lowering(classification, lowering.tier)
        _settle(lowering, TierLowering.LoweringState.DONE, role)
        lowering.decided_by = someone
        lowering.save(update_fields=["state", "decided_by", "decided_role", "decided_at"])
        before = state(classification, OVERRIDE)
        classification.override_tier, classification.override_reason = lowering.tier, lowering.reason
        classification.override_by = lowering.requested_by
        classification.save(update_fields=[*OVERRIDE])
        uow.record(
            "risk.tier_lowered",
            subject=classification,
            use_case=classification.use_case,
            before=before,
            after={**state(classification, OVERRIDE), "agreed_by": someone.pk, "agreed_role": role},
            note=lowering.reason,
        )
        _put_in_force(classification, lowering.tier, by)
        announce_change(uow, classification.use_case_id, "risk")
    return lowering


def refuse_tier_lowering(*, lowering: TierLowering, by: Actor, reason: str) -> TierLowering:
    """Say no to a lowering, or take one's own request back. The tier stays."""
    someone = person(by)
    use_case = lowering.classification.use_case
    allow(by, "risk.lower_tier", use_case)
    role = hold(by, LOWERING_ROLES, use_case)
    with unit_of_work(by=by) as uow:
        lowering = _locked_lowering(lowering)
        _settle(lowering, TierLowering.LoweringState.REFUSED, role)
        if someone.pk != lowering.requested_by_id:
            lowering.decided_by = someone
        lowering.save(update_fields=["state", "decided_by", "decided_role", "decided_at"])
        after = state(lowering, ("state", "decided_role"))
        uow.record("risk.lowering_refused", subject=lowering, use_case=use_case, after=after, note=reason.strip())
    return lowering


def release_legal_hold(*, use_case: UseCase, by: Actor, reason: str) -> UseCase:
    """Legal decides that an unsure answer about a prohibited practice does not hold the use case."""
    person(by)
    hold(by, ["legal_privacy"], use_case)
    if not reason.strip():
        message = _("Say on what grounds.")
        raise Invalid(message, errors={"reason": [message]})
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(UseCase.objects.select_related("unit")).get(pk=use_case.pk)
        if not fresh.legal_hold:
            raise Conflict(_("There is no legal hold on this use case."))
        uow.record("risk.legal_hold_released", subject=fresh, use_case=fresh, after={"legal_hold": False}, note=reason)
        fresh = set_tier(use_case=fresh, tier=fresh.tier, source=fresh.tier_source, legal_hold=False, by=by)
        announce_change(uow, fresh.pk, "risk")
    return fresh


def _carry_over_raise(classification: RiskClassification, last: RiskClassification | None) -> None:
    """New answers do not undo what people decided; a lowering was about the old answers and ends with them."""
    if last is None or rank(last.override_tier or TIERS[0]) <= rank(last.tier):
        return
    if rank(last.override_tier) > rank(classification.tier):
        classification.override_tier = last.override_tier
        classification.override_reason = last.override_reason
        classification.override_by = last.override_by


def _put_in_force(classification: RiskClassification, tier: str, by: Actor, *, legal_hold: bool | None = None) -> None:
    overridden = bool(classification.override_tier) and tier == classification.override_tier
    set_tier(
        use_case=classification.use_case,
        tier=tier,
        source="override" if overridden else "questionnaire",
        legal_hold=classification.use_case.legal_hold if legal_hold is None else legal_hold,
        by=by,
    )


def _check_tier_and_reason(tier: str, reason: str) -> None:
    errors: dict[str, list[str]] = {}
    if tier not in TIERS:
        errors["tier"] = [_("Choose one of %(tiers)s.") % {"tiers": ", ".join(TIERS)}]
    if not reason.strip():
        errors["reason"] = [_("Say why.")]
    if errors:
        raise Invalid(_("A tier and a reason are needed."), errors=errors)


def _check_lowering(classification: RiskClassification, tier: str) -> None:
    floor = legal_floor(classification)
    if rank(tier) >= rank(classification.effective_tier):
        message = _("This does not lower the tier: it is %(tier)s now.") % {"tier": classification.effective_tier}
        raise Invalid(message, errors={"tier": [message]})
    if rank(tier) < rank(floor):
        message = _("Law sets %(floor)s as the lowest tier for these answers.") % {"floor": floor}
        raise Invalid(message, errors={"tier": [message]}, hint=_("Nobody can go below it; only other answers can."))


def _settle(lowering: TierLowering, outcome: str, role: str) -> None:
    lowering.state, lowering.decided_role, lowering.decided_at = outcome, role, timezone.now()


def _locked(classification: RiskClassification) -> RiskClassification:
    rows = RiskClassification.objects.select_related("use_case__unit", "override_by")
    found = lock_rows(rows).get(pk=classification.pk)
    if not found.is_current:
        raise Conflict(_("The use case was classified again since; this result is history."))
    return found


def _locked_lowering(lowering: TierLowering) -> TierLowering:
    rows = TierLowering.objects.select_related("classification__use_case__unit", "requested_by")
    found = lock_rows(rows).get(pk=lowering.pk)
    if found.state != TierLowering.LoweringState.OPEN:
        raise Conflict(_("This request was settled already."))
    return found
