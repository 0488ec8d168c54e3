"""Giving a role on a use case, as a form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.roles import catalogue

HELD_ELSEWHERE = frozenset({"system_admin", "executive_viewer"})
"""Roles about the installation, which mean nothing on a single use case."""


class RoleForm(forms.Form):
    """Who, as what, and why. The person is named by e-mail address or full name."""

    role = forms.ChoiceField(label=_("Role"))
    person = forms.CharField(
        label=_("Person"),
        max_length=254,
        help_text=_("E-mail address or full name."),
        widget=forms.TextInput(attrs={"list": "people-to-choose", "autocomplete": "off"}),
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=300)

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = [(each.key, each.name) for each in catalogue().roles.values() if each.key not in HELD_ELSEWHERE]

    def clean_person(self) -> User:
        text = self.cleaned_data["person"].strip()
        found = list(User.objects.filter(Q(email=text.lower()) | Q(full_name__iexact=text), is_active=True)[:2])
        if not found:
            raise forms.ValidationError(_("Nobody active is known by this address or name."))
        if len(found) > 1:
            raise forms.ValidationError(_("Several people have this name: give the e-mail address."))
        return found[0]


class UnitForm(forms.Form):
    """A unit of the tree."""

    name = forms.CharField(label=_("Name"), max_length=200)
    code = forms.SlugField(
        label=_("Code"), max_length=50, help_text=_("Short, for addresses and files; it stays. For example: retail")
    )
    parent = forms.ChoiceField(label=_("Part of"))
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(
        self, data: Any = None, *, parents: list[tuple[str, str]] | None = None, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        if parents is None:  # an existing unit keeps its code and its place
            del self.fields["code"], self.fields["parent"]
            return
        parent = self.fields["parent"]
        assert isinstance(parent, forms.ChoiceField)
        parent.choices = parents
