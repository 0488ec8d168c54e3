"""Forms that change a policy's text: each gives the values that differ, as edits of the YAML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.roles import catalogue, role_name
from gates.policy import MODES, TIERS, Criterion, PolicyBody, Slots
from gates.policy_edits import REMOVE, Edit
from kernel.located import Path
from portfolio.models import BusinessUnit

MODE_CHOICES = [(mode, mode.replace("_", " ").capitalize()) for mode in MODES]
LONGEST = 36_500


def signing_roles() -> list[tuple[str, str]]:
    return [(key, role_name(key)) for key, role in catalogue().roles.items() if role.signs]


class StartDraftForm(forms.Form):
    label = forms.CharField(
        label=_("Version"), help_text=_("Numbers with points, higher than the one in force."), max_length=40
    )
    note = forms.CharField(
        label=_("What changes and why"),
        help_text=_("Whoever publishes it reads this first. It can be written later."),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ExtendForm(forms.Form):
    """``units`` are those the person may draft for."""

    unit = forms.ModelChoiceField(label=_("Business unit"), queryset=BusinessUnit.objects.none())
    title = forms.CharField(label=_("Title"), required=False, max_length=200)

    def __init__(self, *args: Any, units: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]  # a ModelChoiceField


class TextForm(forms.Form):
    text = forms.CharField(label=_("Text"), strip=False, widget=forms.Textarea(attrs={"spellcheck": "false"}))
    note = forms.CharField(
        label=_("What changes and why"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )
    seen = forms.CharField(widget=forms.HiddenInput)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


class PolicyForm(forms.Form):
    """Base: remembers what was there, so that only what differs becomes an edit."""

    seen = forms.CharField(widget=forms.HiddenInput)
    refused = 0
    """The status that a service answered with, for the page to answer with the same."""

    def _changed(self, name: str) -> bool:
        return bool(self.cleaned_data[name] != self.initial.get(name))

    def _days_edits(self, prefix: str, place: Path) -> list[Edit]:
        found: list[Edit] = []
        for tier in TIERS:
            name = f"{prefix}_{tier}"
            if self._changed(name):
                value = self.cleaned_data[name]
                found.append(((*place, tier), REMOVE if value is None else value))
        return found


def _days(label: Any, *, required: bool = False) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=required, min_value=1, max_value=LONGEST)


class CriterionForm(PolicyForm):
    """Mode, limit and validity a tier; whether it may be waived."""

    waivable = forms.BooleanField(label=_("May be waived for a time"), required=False)

    def __init__(
        self, *args: Any, criterion: Criterion, seen: str, inherited: Criterion | None = None, **kwargs: Any
    ) -> None:
        self.criterion, self.inherited = criterion, inherited
        initial: dict[str, Any] = {"waivable": criterion.waivable, "seen": seen}
        for tier in TIERS:
            initial[f"mode_{tier}"] = criterion.applies[tier]
            initial[f"days_{tier}"] = criterion.validity_days.get(tier)
            if criterion.threshold:
                initial[f"limit_{tier}"] = criterion.threshold.by_tier[tier]
        super().__init__(*args, **{**kwargs, "initial": initial})
        for tier in TIERS:
            words = {"tier": tier}
            self.fields[f"mode_{tier}"] = forms.ChoiceField(label=_("%(tier)s tier") % words, choices=MODE_CHOICES)
            if criterion.threshold:
                self.fields[f"limit_{tier}"] = forms.DecimalField(label=_("Threshold, %(tier)s tier") % words)
            self.fields[f"days_{tier}"] = _days(_("Valid for days, %(tier)s tier") % words)

    @property
    def tiers(self) -> list[dict[str, Any]]:
        """Rows of the table: tier and its fields."""
        limit = bool(self.criterion.threshold)
        return [
            {
                "tier": tier,
                "mode": self[f"mode_{tier}"],
                "limit": self[f"limit_{tier}"] if limit else None,
                "days": self[f"days_{tier}"],
                "asked": self._asked(tier),
            }
            for tier in TIERS
        ]

    def _asked(self, tier: str) -> dict[str, Any] | None:
        """What the organisation asks at a tier, of a criterion that a unit may only tighten."""
        rule = self.inherited
        if rule is None:
            return None
        limit = rule.threshold.by_tier[tier] if rule.threshold else None
        return {"mode": rule.applies[tier], "limit": limit, "days": rule.validity_days.get(tier)}

    def edits(self, place: Path) -> list[Edit]:
        found: list[Edit] = []
        for tier in TIERS:
            if self._changed(f"mode_{tier}"):
                found.append(((*place, "applies", tier), self.cleaned_data[f"mode_{tier}"]))
            if self.criterion.threshold and self._changed(f"limit_{tier}"):
                value: Decimal = self.cleaned_data[f"limit_{tier}"]
                found.append(((*place, "threshold", tier), value))
        found += self._days_edits("days", (*place, "validity_days"))
        if self._changed("waivable"):
            found.append(((*place, "waivable"), self.cleaned_data["waivable"]))
        return found


class SlotsForm(PolicyForm):
    """Who signs one gate, a tier at a time, and within how many days."""

    def __init__(self, *args: Any, matrix: dict[str, Slots], seen: str, **kwargs: Any) -> None:
        self.matrix = matrix
        initial: dict[str, Any] = {"seen": seen}
        for tier, slots in matrix.items():
            initial[f"signers_{tier}"] = list(slots.signers)
            initial[f"sla_{tier}"] = slots.decision_sla_days
            initial[f"quorum_{tier}"] = slots.board_quorum
        super().__init__(*args, **{**kwargs, "initial": initial})
        for tier in matrix:
            self.fields[f"signers_{tier}"] = forms.MultipleChoiceField(
                label=_("Who signs"), choices=signing_roles(), widget=forms.CheckboxSelectMultiple
            )
            self.fields[f"sla_{tier}"] = _days(_("Decided within days"), required=True)
            self.fields[f"quorum_{tier}"] = forms.BooleanField(label=_("The board needs its quorum"), required=False)

    @property
    def tiers(self) -> list[dict[str, Any]]:
        return [
            {"tier": t, "signers": self[f"signers_{t}"], "sla": self[f"sla_{t}"], "quorum": self[f"quorum_{t}"]}
            for t in self.matrix
        ]

    def edits(self, place: Path, signers: Callable[[Path, Sequence[str], list[str]], list[Edit]]) -> list[Edit]:
        found: list[Edit] = []
        for tier, slots in self.matrix.items():
            found += signers((*place, tier), slots.signers, self.cleaned_data[f"signers_{tier}"])
            if self._changed(f"sla_{tier}"):
                found.append(((*place, tier, "decision_sla_days"), self.cleaned_data[f"sla_{tier}"]))
            if self._changed(f"quorum_{tier}"):
                found.append(((*place, tier, "board_quorum"), self.cleaned_data[f"quorum_{tier}"]))
        return found


def changed_signers(place: Path, was: Sequence[str], wanted: list[str]) -> list[Edit]:
    """Who signs, as the whole list: those who stay keep their order."""
    if set(wanted) == set(was):
        return []
    kept = [role for role in was if role in wanted]
    return [((*place, "signers"), [*kept, *(role for role in wanted if role not in kept)])]


class GeneralForm(PolicyForm):
    """The version, and what holds for every gate."""

    label = forms.CharField(label=_("Version"), max_length=40)
    sign_off = _days(_("A signature counts for days"), required=True)

    def __init__(self, *args: Any, body: PolicyBody, seen: str, **kwargs: Any) -> None:
        initial: dict[str, Any] = {"seen": seen, "label": body.version, "sign_off": body.sign_off_validity_days}
        for tier in TIERS:
            initial[f"cadence_{tier}"] = body.cadence_days.get(tier)
            initial[f"waiver_{tier}"] = body.waiver_days.get(tier)
            initial[f"breach_{tier}"] = body.breach_days.get(tier)
        super().__init__(*args, **{**kwargs, "initial": initial})
        for tier in TIERS:
            self.fields[f"cadence_{tier}"] = _days(_("Reviewed every days, %(tier)s tier") % {"tier": tier})
            self.fields[f"waiver_{tier}"] = _days(_("Longest waiver in days, %(tier)s tier") % {"tier": tier})
            self.fields[f"breach_{tier}"] = _days(_("Breach decided within days, %(tier)s tier") % {"tier": tier})

    @property
    def tiers(self) -> list[dict[str, Any]]:
        names = ("cadence", "waiver", "breach")
        return [{"tier": t, **{name: self[f"{name}_{t}"] for name in names}} for t in TIERS]

    def edits(self) -> list[Edit]:
        found: list[Edit] = []
        if self._changed("label"):
            found.append((("version",), self.cleaned_data["label"].strip()))
        if self._changed("sign_off"):
            found.append((("sign_off_validity_days",), self.cleaned_data["sign_off"]))
        found += self._days_edits("cadence", ("review_cadence_days",))
        found += self._days_edits("waiver", ("waivers", "max_days"))
        return [*found, *self._days_edits("breach", ("breach_decision_days",))]


class ExtensionForm(GeneralForm):
    """The same of a unit's extension, and the least tier its use cases are judged by."""

    least_tier = forms.ChoiceField(
        label=_("Judged at least as"),
        help_text=_("Use cases of a lower tier meet the rules of this one as well."),
        choices=[("", _("Its own tier")), *((t, t.capitalize()) for t in TIERS[1:])],
        required=False,
    )

    def __init__(self, *args: Any, least_tier: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["least_tier"] = least_tier

    def edits(self) -> list[Edit]:
        found = super().edits()
        if self._changed("least_tier"):
            found.append((("least_tier",), self.cleaned_data["least_tier"] or REMOVE))
        return found


class TurnFilter(forms.Form):
    """Which of the use cases that turn are shown."""

    q = forms.CharField(label=_("Search"), required=False)
    direction = forms.ChoiceField(label=_("What turns"), required=False)
    unit = forms.ChoiceField(label=_("Unit"), required=False)
    tier = forms.ChoiceField(
        label=_("Tier"), required=False, choices=[("", _("Any tier")), *((t, t.capitalize()) for t in TIERS)]
    )

    def __init__(self, *args: Any, directions: list[tuple[str, Any]], units: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["direction"].choices = [("", _("Everything that turns")), *directions]  # type: ignore[attr-defined]
        self.fields["unit"].choices = [("", _("Any unit")), *((u, u) for u in units)]  # type: ignore[attr-defined]
