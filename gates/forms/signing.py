"""The form of a signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from accounts.confirming import ConfirmForm
from accounts.models import User
from accounts.roles import role_name
from kernel.errors import DomainError

VERDICTS = (
    ("approve", _("Approve")),
    ("approve_with_conditions", _("Approve with conditions")),
    ("reject", _("Reject")),
)


class SignForm(ConfirmForm):
    """``capacities`` are the roles that the person may sign in here, each with whose place they take (or None)."""

    role = forms.ChoiceField(label=_("Sign as"))
    verdict = forms.ChoiceField(label=_("Verdict"), choices=VERDICTS, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Needed for a refusal and for conditions; it becomes part of the record."),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    digest = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, capacities: Sequence[tuple[str, User | None]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._capacities = {_key(role, giver): (role, giver) for role, giver in capacities}
        choices = [(key, _label(role, giver)) for key, (role, giver) in self._capacities.items()]
        self.fields["role"].choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            self.fields["role"].initial = choices[0][0]

    def given(self) -> dict[str, Any]:
        """The arguments of ``services.sign_offs.sign``."""
        said = self.cleaned_data
        role, giver = self._capacities[said["role"]]
        return {
            "role": role,
            "on_behalf_of": giver,
            "verdict": said["verdict"],
            "digest": said["digest"],
            "reason": said["reason"],
        }

    def explain(self, wrong: DomainError) -> None:
        """Put a refusal of the service where the person looks: at its field, or at the top of the form."""
        placed = False
        for name, lines in wrong.errors.items():
            for line in lines:
                self.add_error(name if name in self.fields else None, line)
                placed = True
        if not placed:
            self.add_error(None, f"{wrong} {wrong.hint}".strip())


def _key(role: str, giver: User | None) -> str:
    return role if giver is None else f"{role}:{giver.pk}"


def _label(role: str, giver: User | None) -> str:
    if giver is None:
        return role_name(role)
    return _t("%(role)s, in place of %(name)s") % {"role": role_name(role), "name": giver}
