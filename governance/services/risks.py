"""The risk register: single risks with their treatment, and who accepts what remains.

Low is accepted by the business owner, medium by the sponsor with risk and compliance, high by the board; critical by
nobody. The owner of a risk never accepts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from governance.models import RiskItem
from governance.services.permission import Actor, account, allow, another, hold, person
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid, NotReady
from ledger import state, unit_of_work
from portfolio.models import UseCase
from portfolio.signals import announce_change

SHOWN = ("title", "likelihood", "impact", "inherent", "residual", "treatment", "state", "owner", "review_on")
EDITABLE = ("title", "description", "likelihood", "impact", "residual", "treatment", "owner", "review_on", "state")
ACCEPTANCE = ("concurred_by", "concurred_at", "accepted_by", "accepted_role", "accepted_at")
AUTHORITY: Mapping[str, str] = {
    RiskItem.Level.LOW: "business_owner",
    RiskItem.Level.MEDIUM: "business_sponsor",
    RiskItem.Level.HIGH: "ai_governance_board",
}
CONCURS = "risk_compliance"
LEVELS = (RiskItem.Level.LOW, RiskItem.Level.MEDIUM, RiskItem.Level.HIGH, RiskItem.Level.CRITICAL)


def level_of(likelihood: int, impact: int) -> str:
    """Level of a risk from likelihood and impact, 1 to 5 each: up to 4 low, 9 medium, 16 high, above critical."""
    product = likelihood * impact
    if product <= 4:
        return RiskItem.Level.LOW
    if product <= 9:
        return RiskItem.Level.MEDIUM
    return RiskItem.Level.HIGH if product <= 16 else RiskItem.Level.CRITICAL


def add_risk(
    *,
    use_case: UseCase,
    title: str,
    likelihood: int,
    impact: int,
    by: Actor,
    residual: str = "",
    description: str = "",
    treatment: str = "",
    owner: User | None = None,
    review_on: date | None = None,
) -> RiskItem:
    """Put a risk on the register. Without a residual level nothing has been gained by treatment yet."""
    allow(by, "risk.edit_register", use_case)
    _check(title, likelihood, impact, residual)
    inherent = level_of(likelihood, impact)
    risk = RiskItem(
        use_case=use_case,
        title=title.strip()[:300],
        description=description.strip(),
        likelihood=likelihood,
        impact=impact,
        inherent=inherent,
        residual=residual or inherent,
        treatment=treatment.strip(),
        state=RiskItem.RiskState.TREATED if treatment.strip() else RiskItem.RiskState.OPEN,
        owner=owner,
        review_on=review_on,
        raised_by=account(by),
        raised_at=timezone.now(),
    )
    _check_treated(risk)
    with unit_of_work(by=by) as uow:
        risk.save(force_insert=True)
        uow.record("risk.added", subject=risk, use_case=use_case, after=state(risk, SHOWN))
        announce_change(uow, use_case.pk, "risk")
    return risk


def edit_risk(*, risk: RiskItem, changes: Mapping[str, Any], by: Actor) -> RiskItem:
    """Change a risk. What was accepted at another level, or of another owner, has to be accepted again."""
    allow(by, "risk.edit_register", risk.use_case)
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise Invalid(_("These fields cannot be changed: %(fields)s.") % {"fields": ", ".join(unknown)})
    with unit_of_work(by=by) as uow:
        risk = _locked(risk)
        before = {**state(risk, SHOWN), **state(risk, ACCEPTANCE)}
        for name, value in changes.items():
            setattr(risk, name, value)
        _check(risk.title, risk.likelihood, risk.impact, risk.residual)
        risk.inherent = level_of(risk.likelihood, risk.impact)
        _follow_up(risk, before)
        _check_treated(risk)
        risk.save()
        after = {**state(risk, SHOWN), **state(risk, ACCEPTANCE)}
        uow.record("risk.edited", subject=risk, use_case=risk.use_case, before=before, after=after)
        announce_change(uow, risk.use_case_id, "risk")
    return risk


def concur_with_risk(*, risk: RiskItem, by: Actor) -> RiskItem:
    """Risk and compliance agrees that a medium risk may be accepted; the sponsor accepts it then."""
    someone = person(by)
    hold(by, [CONCURS], risk.use_case)
    with unit_of_work(by=by) as uow:
        risk = _locked(risk)
        if risk.residual != RiskItem.Level.MEDIUM:
            raise Conflict(_("Only a medium risk takes the agreement of risk and compliance."))
        if risk.concurred_by_id:
            raise Conflict(_("Risk and compliance has agreed already."))
        another(by, risk.owner_id, _("You cannot agree to this risk: you own it."))
        risk.concurred_by, risk.concurred_at = someone, timezone.now()
        risk.save(update_fields=["concurred_by", "concurred_at"])
        after = state(risk, ("concurred_by",))
        uow.record("risk.concurred", subject=risk, use_case=risk.use_case, before={"concurred_by": None}, after=after)
        announce_change(uow, risk.use_case_id, "risk")
    return risk


def accept_risk(*, risk: RiskItem, by: Actor, role: str = "") -> RiskItem:
    """Accept what remains of a risk, in the role that the level asks for."""
    someone = person(by)
    allow(by, "risk.accept", risk.use_case)
    with unit_of_work(by=by) as uow:
        risk = _locked(risk)
        another(by, risk.owner_id, _("You cannot accept this risk: you own it."))
        needed = AUTHORITY.get(risk.residual)
        if needed is None:
            raise Conflict(_("A critical risk cannot be accepted: stop or redesign."))
        if role and role != needed:
            message = _("A %(level)s risk is accepted in another role.") % {"level": risk.get_residual_display()}
            raise Invalid(message, errors={"role": [message]})
        held = hold(by, [needed], risk.use_case)
        if risk.state == RiskItem.RiskState.ACCEPTED:
            raise Conflict(_("This risk is accepted already."))
        if risk.residual == RiskItem.Level.MEDIUM and not risk.concurred_by_id:
            raise NotReady(_("Risk and compliance has to agree before a medium risk is accepted."))
        another(
            by, risk.concurred_by_id, _("You agreed to this risk for risk and compliance: somebody else accepts it.")
        )
        before = {**state(risk, ACCEPTANCE), "state": risk.state}
        risk.accepted_by, risk.accepted_role, risk.accepted_at = someone, held, timezone.now()
        risk.state = RiskItem.RiskState.ACCEPTED
        risk.save(update_fields=["accepted_by", "accepted_role", "accepted_at", "state"])
        after = {**state(risk, ACCEPTANCE), "state": risk.state}
        uow.record("risk.accepted", subject=risk, use_case=risk.use_case, before=before, after=after)
        announce_change(uow, risk.use_case_id, "risk")
    return risk


def close_risk(*, risk: RiskItem, by: Actor, reason: str) -> RiskItem:
    """The risk is gone; say why."""
    allow(by, "risk.edit_register", risk.use_case)
    if not reason.strip():
        message = _("Say why the risk is gone.")
        raise Invalid(message, errors={"reason": [message]})
    with unit_of_work(by=by) as uow:
        risk = _locked(risk)
        before = state(risk, ("state",))
        risk.state = RiskItem.RiskState.CLOSED
        risk.save(update_fields=["state"])
        after = state(risk, ("state",))
        uow.record("risk.closed", subject=risk, use_case=risk.use_case, before=before, after=after, note=reason.strip())
        announce_change(uow, risk.use_case_id, "risk")
    return risk


def _follow_up(risk: RiskItem, before: Mapping[str, Any]) -> None:
    changed = risk.residual != before["residual"] or str(risk.owner_id or "") != str(before["owner"] or "")
    if changed and (risk.accepted_by_id or risk.concurred_by_id):
        risk.accepted_by = risk.accepted_at = risk.concurred_by = risk.concurred_at = None
        risk.accepted_role = ""
        if risk.state == RiskItem.RiskState.ACCEPTED:
            risk.state = RiskItem.RiskState.TREATED
    if risk.state == RiskItem.RiskState.OPEN and risk.treatment.strip():
        risk.state = RiskItem.RiskState.TREATED


def _check(title: str, likelihood: int, impact: int, residual: str) -> None:
    errors: dict[str, list[str]] = {}
    if not title.strip():
        errors["title"] = [_("Name the risk.")]
    for name, value in (("likelihood", likelihood), ("impact", impact)):
        if value not in range(1, 6):
            errors[name] = [_("Choose 1 to 5.")]
    if residual and residual not in LEVELS:
        errors["residual"] = [_("Choose low, medium, high or critical.")]
    if errors:
        raise Invalid(_("The risk cannot be kept like this."), errors=errors)


def _check_treated(risk: RiskItem) -> None:
    if LEVELS.index(RiskItem.Level(risk.residual)) < LEVELS.index(RiskItem.Level(risk.inherent)) and not risk.treatment:
        message = _("Say which treatment lowers the risk.")
        raise Invalid(message, errors={"treatment": [message]})


def _locked(risk: RiskItem) -> RiskItem:
    rows = RiskItem.objects.select_related("use_case__unit", "owner", "accepted_by", "concurred_by")
    found = lock_rows(rows).get(pk=risk.pk)
    if found.state == RiskItem.RiskState.CLOSED:
        raise Conflict(_("This risk is closed."))
    return found
