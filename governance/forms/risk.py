"""The risk questionnaire, what people decide about its result, and the register of single risks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from governance import services
from governance.forms.entry import Confirmation, EntryForm, Group, entries, words
from governance.models import RiskClassification, TierLowering
from governance.risk.questions import Question, questionnaire
from governance.risk.rule import rank
from governance.services.risk import LOWERING_ROLES, may_be_confirmed
from governance.standing import held
from portfolio.models import Tier, UseCase

TIER_CHOICES = [(value, label) for value, label in Tier.choices if value]
UNKNOWN = ("", _("Not known yet"))
MULTIPLE = {
    "annex_iii": _("Which of these areas does it work in?"),
    "transparency": _("Which of these does it do?"),
    "effects": _("Which of these can the decision or action affect?"),
    "presumed": _("Is it one of these uses?"),
}


class Risk(EntryForm):
    panel = "risk"
    icon = "risk"


@entries.register
class Classify(Risk):
    """Every question as a field, named as the rule names it: ``prohibited.a``, ``factors.F-DATA``, ``gpai``."""

    key = "classify"
    wide = True
    heading = _("Classify the risk")
    submit = _("Work out the tier")
    done = _("The tier is worked out.")
    actions = ("risk.classify",)
    lead = _(
        "Answer what you know. What is not known counts as the worst answer, and the tier is provisional until it is."
    )

    def prepare(self) -> None:
        asked = questionnaire()
        for question in asked.prohibited:
            self.fields[f"prohibited.{question.key}"] = self._one(question, required=True)
        for question in asked.single:
            needed = question.key in ("annex_i", "principal_basis")
            self.fields[question.key] = self._one(question, required=needed)
        for name, items in asked.multiple.items():
            self.fields[name] = forms.MultipleChoiceField(
                label=MULTIPLE[name],
                required=False,
                choices=[(item.key, item.text) for item in items],
                widget=forms.CheckboxSelectMultiple,
            )
        for factor in asked.factors:
            choices = [UNKNOWN, *((str(value), f"{value}: {label}") for value, label in factor.options.items())]
            self.fields[f"factors.{factor.key}"] = forms.ChoiceField(
                label=factor.text, required=False, choices=choices, widget=forms.RadioSelect
            )
        if not self.is_bound:
            self.initial.update(self._last())

    @property
    def groups(self) -> Iterator[Group]:
        asked = questionnaire()
        yield Group(
            _("Practices that are prohibited"),
            [self[f"prohibited.{question.key}"] for question in asked.prohibited],
            _("One yes prohibits the use. If you are not sure, say so: legal decides, and every gate waits."),
        )
        yield self._group(_("Where the law applies"), asked.scope)
        yield self._group(_("Product safety"), asked.product_safety)
        yield Group(
            _("Areas of high risk"),
            [self["annex_iii"], *(self[question.key] for question in asked.exemption)],
            _("The questions after the list matter when something on it is ticked."),
        )
        yield Group(_("Transparency"), [self["transparency"]])
        yield self._group(_("General-purpose models"), asked.gpai)
        yield Group(
            _("High-impact decisions"),
            [self["principal_basis"], self["effects"], self["presumed"], self["rebuttal"]],
        )
        yield Group(
            _("How much is at stake"),
            [self[f"factors.{factor.key}"] for factor in asked.factors],
            _("Judge the use as it will be in production, at its worst credible case."),
        )

    @property
    def progress(self) -> tuple[int, int]:
        """Single questions that were answered when the form was opened, of all there are."""
        asked = questionnaire()
        names = [f"prohibited.{q.key}" for q in asked.prohibited] + [f"factors.{f.key}" for f in asked.factors]
        return sum(self[name].value() not in (None, "") for name in names), len(names)

    def save(self) -> RiskClassification:
        asked, data = questionnaire(), self.cleaned_data
        answers: dict[str, Any] = {
            "prohibited": {question.key: data[f"prohibited.{question.key}"] for question in asked.prohibited},
            "factors": {factor.key: data[f"factors.{factor.key}"] for factor in asked.factors},
            **{name: data[name] for name in asked.multiple},
            **{question.key: data[question.key] for question in asked.single},
        }
        return services.classify(use_case=self.use_case, answers=answers, by=self.user)

    def _group(self, title: Any, questions: tuple[Question, ...]) -> Group:
        return Group(title, [self[question.key] for question in questions])

    def _one(self, question: Question, *, required: bool) -> forms.ChoiceField:
        return forms.ChoiceField(
            label=question.text,
            required=required,
            choices=list(question.options.items()),
            widget=forms.RadioSelect,
            help_text=question.reference,
            error_messages={"required": _("Answer this; “not sure” is an answer.")},
        )

    def _last(self) -> dict[str, Any]:
        last = RiskClassification.objects.filter(use_case=self.use_case, is_current=True).first()
        if last is None:
            return {}
        given = dict(last.answers)
        flat = {f"prohibited.{key}": value for key, value in given.pop("prohibited", {}).items()}
        flat |= {f"factors.{key}": str(value) for key, value in given.pop("factors", {}).items()}
        return {**given, **flat}


class OnClassification(Risk):
    subject_model = RiskClassification


@entries.register
class ConfirmTier(OnClassification, Confirmation):
    key = "confirm-tier"
    heading = _("Confirm the tier")
    submit = _("Confirm this tier")
    done = _("The tier is confirmed and in force.")
    icon = "check-circle"
    actions = ("risk.confirm_tier",)
    lead = _("You looked through the answers and stand for the tier as risk and compliance.")

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        if not super().permitted(user, use_case, allowed, subject) or not user.is_person:
            return False
        return subject is None or user.pk != subject.classified_by_id

    @staticmethod
    def possible(classification: RiskClassification) -> bool:
        return not classification.confirmed_by_id and may_be_confirmed(classification)

    def save(self) -> RiskClassification:
        return services.confirm_tier(classification=self.subject, by=self.user)


class TierAndReason(OnClassification):
    tier = forms.ChoiceField(label=_("Tier"), widget=forms.RadioSelect)
    reason = words(_("Why"), required=True)

    def offer(self, *, higher: bool) -> None:
        now = rank(self.subject.effective_tier)
        choices = [(v, label) for v, label in TIER_CHOICES if (rank(v) > now if higher else rank(v) < now)]
        self.fields["tier"].choices = choices  # type: ignore[attr-defined]


@entries.register
class RaiseTier(TierAndReason):
    key = "raise-tier"
    heading = _("Raise the tier")
    submit = _("Raise it")
    done = _("The tier is raised.")
    icon = "arrow-up"
    actions = ("risk.raise_tier",)
    lead = _("People may judge stricter than the rule. It stays raised when the questions are answered anew.")

    def prepare(self) -> None:
        self.offer(higher=True)

    def save(self) -> RiskClassification:
        return services.override_tier(classification=self.subject, by=self.user, **self.given("tier", "reason"))


@entries.register
class LowerTier(TierAndReason):
    key = "lower-tier"
    heading = _("Ask to lower the tier")
    submit = _("Ask for it")
    done = _("Asked. Somebody in the other role has to agree.")
    icon = "arrow-down"
    actions = ("risk.lower_tier",)
    lead = _("Risk and legal lower a tier together: you ask, a second person in the other role agrees.")

    def prepare(self) -> None:
        self.offer(higher=False)

    def save(self) -> TierLowering:
        given = self.given("tier", "reason")
        return services.request_tier_lowering(classification=self.subject, by=self.user, **given)


class OnLowering(Risk):
    subject_model = TierLowering
    actions = ("risk.lower_tier",)


@entries.register
class AgreeToLowering(OnLowering, Confirmation):
    key = "agree-lowering"
    heading = _("Agree to lower the tier")
    submit = _("I agree: lower it")
    done = _("The tier is lowered.")
    icon = "check-circle"
    lead = _("The tier is lowered at once, in your name and that of the person who asked.")

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        if not super().permitted(user, use_case, allowed, subject):
            return False
        if subject is None:
            return True
        other = {role for role in LOWERING_ROLES if role != subject.requested_role}
        return user.pk != subject.requested_by_id and bool(held(user, use_case) & other)

    def save(self) -> TierLowering:
        return services.confirm_tier_lowering(lowering=self.subject, by=self.user)


@entries.register
class RefuseLowering(OnLowering):
    key = "refuse-lowering"
    heading = _("Do not lower the tier")
    submit = _("Leave the tier as it is")
    done = _("The tier stays.")
    icon = "return"

    reason = words(_("Why"), rows=2)

    def save(self) -> TierLowering:
        return services.refuse_tier_lowering(lowering=self.subject, by=self.user, reason=self.cleaned_data["reason"])


@entries.register
class ReleaseHold(Risk):
    key = "release-hold"
    heading = _("Release the legal hold")
    submit = _("Release it")
    done = _("The hold is released.")
    icon = "unlock"
    lead = _("Somebody was not sure about a prohibited practice. As legal you decide that this use is not one.")

    reason = words(_("On what grounds"), required=True)

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        return use_case.legal_hold and user.is_person and "legal_privacy" in held(user, use_case)

    def save(self) -> UseCase:
        return services.release_legal_hold(use_case=self.use_case, by=self.user, reason=self.cleaned_data["reason"])
