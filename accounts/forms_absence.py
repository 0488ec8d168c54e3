"""Delegations and absences as forms. They shape input; services check and decide."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import MOST_DAYS, RoleAssignment, User
from accounts.roles import catalogue, role_name

MOST = 500


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


def roles_to_give(user: User) -> list[str]:
    """Roles that sign and that ``user`` holds now, by name."""
    held = RoleAssignment.objects.filter(user=user, ended_at__isnull=True).order_by().values_list("role", flat=True)
    return sorted({key for key in held if catalogue().roles[key].signs}, key=role_name)


def peers_of(user: User, roles: list[str]) -> QuerySet[User]:
    """Active people who hold one of these roles somewhere, by name."""
    holders = RoleAssignment.objects.filter(role__in=roles, ended_at__isnull=True).values("user_id")
    people = User.objects.filter(pk__in=holders, is_active=True, kind=User.Kind.PERSON)
    return people.exclude(pk=user.pk).order_by("full_name")[:MOST]


class _StandInForm(forms.Form):
    """With ``stand_in``, a choice among the people who hold a role of mine."""

    def __init__(self, data: Any = None, *, by: User) -> None:
        super().__init__(data)
        self.by = by
        self.roles = roles_to_give(by)
        self.peers = list(peers_of(by, self.roles))
        held = _held_by(self.peers, self.roles)
        choices = [(str(p.pk), f"{p.full_name} ({', '.join(held[p.pk])})") for p in self.peers]
        cast(forms.ChoiceField, self.fields["stand_in"]).choices = [("", _("Choose a person")), *choices]

    def clean_stand_in(self) -> User | None:
        chosen = self.cleaned_data["stand_in"]
        return next((p for p in self.peers if str(p.pk) == chosen), None)


class DelegateForm(_StandInForm):
    role = forms.ChoiceField(label=_("Role"), help_text=_("A role of yours that signs."))
    stand_in = forms.ChoiceField(
        label=_("Who stands in"), help_text=_("People who hold the same role, here or in another unit.")
    )
    starts_at = forms.DateField(label=_("First day"), widget=DayInput())
    ends_at = forms.DateField(
        label=_("Last day"), widget=DayInput(), help_text=_("At most %(days)d days.") % {"days": MOST_DAYS}
    )
    reason = forms.CharField(label=_("Reason"), max_length=300, help_text=_("Both of you and the ledger keep it."))

    def __init__(self, data: Any = None, *, by: User) -> None:
        super().__init__(data, by=by)
        cast(forms.ChoiceField, self.fields["role"]).choices = [(key, role_name(key)) for key in self.roles]
        today = timezone.localdate()
        self.fields["starts_at"].initial = today
        self.fields["ends_at"].initial = today + timedelta(days=6)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        zone = timezone.get_current_timezone()
        if said.get("starts_at") and said.get("ends_at"):
            first, last = said["starts_at"], said["ends_at"]
            if first < timezone.localdate():
                self.add_error("starts_at", _("Today at the earliest."))
            said["starts_at"] = max(datetime.combine(first, time.min, zone), timezone.now())
            said["ends_at"] = datetime.combine(last + timedelta(days=1), time.min, zone)
        return said


class AbsenceForm(_StandInForm):
    starts_on = forms.DateField(label=_("First day away"), widget=DayInput())
    ends_on = forms.DateField(label=_("Last day away"), widget=DayInput())
    stand_in = forms.ChoiceField(
        label=_("Who stands in"),
        required=False,
        help_text=_("Named beside you wherever you are waited for. People who share a role with you."),
    )
    delegate = forms.BooleanField(
        label=_("They may sign for me in these days"),
        required=False,
        help_text=_("Gives them every signing role that you both hold, for at most %(days)d days.")
        % {"days": MOST_DAYS},
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False, help_text=_("Others read it."))

    def __init__(self, data: Any = None, *, by: User) -> None:
        super().__init__(data, by=by)
        self.fields["starts_on"].initial = self.fields["ends_on"].initial = timezone.localdate()

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if said.get("delegate") and not said.get("stand_in") and "stand_in" not in self.errors:
            self.add_error("stand_in", _("Say who stands in for you."))
        return said


def _held_by(people: list[User], roles: list[str]) -> dict[UUID, list[str]]:
    """person -> names of those of ``roles`` that they hold. One query."""
    found: dict[UUID, set[str]] = {p.pk: set() for p in people}
    rows = RoleAssignment.objects.filter(user__in=people, role__in=roles, ended_at__isnull=True)
    for user, role in rows.order_by().values_list("user_id", "role").distinct():
        found[user].add(role_name(role))
    return {pk: sorted(names) for pk, names in found.items()}
