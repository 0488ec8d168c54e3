"""The register of single risks: adding, changing, agreeing, accepting, closing."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from governance import services
from governance.forms.entry import Choice, Confirmation, DateInput, entries, words
from governance.forms.issues import colleagues
from governance.forms.risk import Risk
from governance.models import RiskItem
from governance.services.risks import AUTHORITY, CONCURS
from governance.standing import held
from portfolio.models import UseCase

FIVE = [(str(value), str(value)) for value in range(1, 6)]


class RiskFields(Risk):
    actions = ("risk.edit_register",)
    grouping: ClassVar[Any] = (
        (_("The risk"), ("title", "description")),
        (_("How large it is"), ("likelihood", "impact")),
        (_("What is done about it"), ("treatment", "residual", "owner", "review_on")),
    )

    title = forms.CharField(label=_("Risk"), max_length=300)
    description = words(_("How it comes about, and whom it hits"))
    likelihood = forms.ChoiceField(
        label=_("Likelihood"),
        choices=FIVE,
        initial="3",
        help_text=_("1 hardly ever, 5 almost certainly, within a year."),
    )
    impact = forms.ChoiceField(
        label=_("Impact"),
        choices=FIVE,
        initial="3",
        help_text=_("1 negligible, 5 severe for people or the organisation."),
    )
    treatment = words(_("Treatment"), help=_("What lowers it: prevented, detected, limited, insured."))
    residual = forms.ChoiceField(
        label=_("What remains"),
        required=False,
        choices=[("", _("As large as before")), *RiskItem.Level.choices],
        help_text=_("The level once the treatment works."),
    )
    owner = Choice(label=_("Owner"), empty_label=_("Nobody yet"))
    review_on = forms.DateField(label=_("Look at it again on"), required=False, widget=DateInput())

    NAMES = ("title", "description", "treatment", "residual", "owner", "review_on")

    def prepare(self) -> None:
        self.fields["owner"].queryset = colleagues(self.use_case)  # type: ignore[attr-defined]

    def numbers(self) -> dict[str, Any]:
        return {name: int(self.cleaned_data[name]) for name in ("likelihood", "impact")}


@entries.register
class AddRisk(RiskFields):
    key = "risk"
    heading = _("Add a risk")
    submit = _("Put it on the register")
    done = _("The risk is on the register.")

    def save(self) -> RiskItem:
        return services.add_risk(use_case=self.use_case, by=self.user, **self.given(*self.NAMES), **self.numbers())


class OnRisk(Risk):
    subject_model = RiskItem


@entries.register
class EditRisk(OnRisk, RiskFields):
    key = "edit-risk"
    short = _("Change")
    heading = _("Change this risk")
    submit = _("Save the changes")
    icon = "edit"
    lead = _("If the level or the owner changes, it has to be accepted again.")

    def prepare(self) -> None:
        super().prepare()
        self.initial.update({name: getattr(self.subject, name) for name in (*self.NAMES, "likelihood", "impact")})

    def save(self) -> RiskItem:
        changes: dict[str, Any] = {**self.given(*self.NAMES), **self.numbers()}
        changes["residual"] = changes["residual"] or self.subject.residual
        return services.edit_risk(risk=self.subject, changes=changes, by=self.user)


@entries.register
class ConcurWithRisk(OnRisk, Confirmation):
    key = "concur-risk"
    short = _("Agree")
    heading = _("Agree that this risk may be accepted")
    submit = _("Agree for risk and compliance")
    done = _("The sponsor can accept it now.")
    icon = "check-circle"

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        if subject is not None and (subject.residual != "medium" or subject.concurred_by_id):
            return False
        return user.is_person and CONCURS in held(user, use_case)

    def save(self) -> RiskItem:
        return services.concur_with_risk(risk=self.subject, by=self.user)


@entries.register
class AcceptRisk(OnRisk, Confirmation):
    key = "accept-risk"
    short = _("Accept")
    heading = _("Accept what remains of this risk")
    submit = _("Accept this risk in my name")
    done = _("Accepted.")
    icon = "sign"
    actions = ("risk.accept",)
    lead = _(
        "Low is accepted by the business owner, medium by the sponsor after risk and compliance, high by the board."
    )

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        if not super().permitted(user, use_case, allowed, subject) or subject is None:
            return subject is None and bool(allowed.intersection(cls.actions))
        needed = AUTHORITY.get(subject.residual, "")
        return subject.state != "accepted" and user.pk != subject.owner_id and needed in held(user, use_case)

    def save(self) -> RiskItem:
        return services.accept_risk(risk=self.subject, by=self.user)


@entries.register
class CloseRisk(OnRisk):
    key = "close-risk"
    short = _("Close")
    heading = _("Close this risk")
    submit = _("Close it")
    done = _("The risk is closed.")
    icon = "archive"
    actions = ("risk.edit_register",)

    reason = words(_("Why it is gone"), rows=2, required=True)

    def save(self) -> RiskItem:
        return services.close_risk(risk=self.subject, by=self.user, reason=self.cleaned_data["reason"])
