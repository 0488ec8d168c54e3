"""People, roles and tokens as forms. They shape input; services check and decide."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.access import VIEW, can_everywhere, for_user, possible_actions, scopes
from accounts.conflicts import SERVICE_ROLE
from accounts.models import RoleAssignment, User
from accounts.roles import action_label, area_label, catalogue, role_choices, role_name
from accounts.selectors import visible_assignments, visible_people
from kernel.errors import DomainError

LIFETIMES = (("30", _("30 days")), ("90", _("90 days")), ("180", _("180 days")), ("365", _("One year")))
ACTIVE, INACTIVE, EVERYBODY = "active", "inactive", "all"
_INDENT = "\u2003"  # an em space: browsers collapse ordinary ones


def carry(form: forms.Form, error: DomainError) -> None:
    """Show beside the fields what a service refused."""
    placed = False
    for field, said in error.errors.items():
        known = field if field in form.fields else None
        form.add_error(known, list(said))
        placed = True
    if not placed:
        form.add_error(None, error.message)


class PeopleFilter(forms.Form):
    """Whom the list of people shows."""

    q = forms.CharField(label=_("Name or job title"), required=False)
    role = forms.ChoiceField(label=_("Role"), required=False)
    unit = forms.ChoiceField(label=_("Unit"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=((ACTIVE, _("Active")), (INACTIVE, _("Deactivated")), (EVERYBODY, _("Everybody"))),
    )

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        self.user = user
        roles = [choice for choice in role_choices() if choice[0] != SERVICE_ROLE]
        _choices(self, "role", [("", _("Any role")), *roles])
        _choices(self, "unit", [("", _("Any unit")), *_unit_choices(user)])
        self.is_valid()

    def apply(self, people: QuerySet[User]) -> QuerySet[User]:
        said = self.cleaned_data
        for word in said.get("q", "").split():
            people = people.filter(Q(full_name__icontains=word) | Q(job_title__icontains=word))
        if said.get("state", "") != EVERYBODY:
            people = people.filter(is_active=said.get("state") != INACTIVE)
        if said.get("role") or said.get("unit"):
            people = people.filter(pk__in=self._holders().order_by().values("user_id"))
        return people

    def chips(self) -> list[dict[str, str]]:
        """The filters that are on, each with the address without it."""
        found = []
        for name in ("role", "unit", "state"):
            value = self.cleaned_data.get(name)
            if value:
                field = cast(forms.ChoiceField, self.fields[name])
                label = dict(cast(Any, field.choices))[value]
                found.append({"name": str(field.label), "value": str(label).strip(_INDENT), "url": self._without(name)})
        return found

    def _holders(self) -> QuerySet[RoleAssignment]:
        rows = visible_assignments(self.user).filter(ended_at__isnull=True)
        if key := self.cleaned_data.get("role"):
            rows = rows.filter(role=key)
        if code := self.cleaned_data.get("unit"):
            units: Any = scopes().unit._default_manager
            cases: Any = scopes().use_case._default_manager
            path = units.filter(code=code).values_list("path", flat=True).first() or "\x00"
            below = Q(scope_id__in=units.filter(path__startswith=path).values("pk"))
            rows = rows.filter(below | Q(scope_id__in=cases.filter(unit__path__startswith=path).values("pk")))
        return rows

    def _without(self, name: str) -> str:
        query = cast(QueryDict, self.data).copy()
        for gone in (name, "page"):
            query.pop(gone, None)
        return f"?{query.urlencode()}"


class ProfileForm(forms.Form):
    """How a person is named."""

    full_name = forms.CharField(label=_("Full name"), max_length=200)
    job_title = forms.CharField(label=_("Job title"), max_length=200, required=False)


class PersonForm(ProfileForm):
    """A new account for a person."""

    email = forms.EmailField(
        label=_("E-mail address"), help_text=_("Also what they sign in with, unless they come by single sign-on.")
    )
    field_order = ("email", "full_name", "job_title")


class ManagerForm(forms.Form):
    """Whom somebody reports to, by name or address; empty for nobody."""

    manager = forms.CharField(
        label=_("Reports to"),
        max_length=254,
        required=False,
        help_text=_("Full name or e-mail address. Empty: nobody."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, by: User, user: User) -> None:
        super().__init__(data, initial={"manager": user.manager.email if user.manager else ""})
        self.by = by

    def clean_manager(self) -> User | None:
        text = self.cleaned_data["manager"].strip()
        return named_person(text, self.by) if text else None


class AssignRoleForm(forms.Form):
    """Which role, for whom, where and why.

    With ``on`` (a unit or use case) it asks for the person, with ``user`` for the place. ``grant()`` gives the
    arguments of ``services.assign_role``.
    """

    role = forms.ChoiceField(label=_("Role"))
    person = forms.CharField(
        label=_("Person"),
        max_length=254,
        help_text=_("Full name or e-mail address."),
        widget=forms.TextInput(attrs={"list": "people-to-choose", "autocomplete": "off"}),
    )
    unit = forms.ChoiceField(
        label=_("Business unit"), required=False, help_text=_("The role then holds for everything below it, too.")
    )
    use_case = forms.CharField(
        label=_("Use case"), max_length=40, required=False, help_text=_("The key of one use case, instead of a unit.")
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=300, required=False, help_text=_("Kept with the assignment and in the ledger.")
    )

    def __init__(self, data: Any = None, *, by: User, on: Model | None = None, user: User | None = None) -> None:
        super().__init__(data)
        self.by, self.on, self.user = by, on, user
        machine = user is not None and not user.is_person
        may_make_admins = can_everywhere(by, "user.manage")
        roles = [
            (found.key, found.name)
            for found in catalogue().roles.values()
            if (user is None or (found.key == SERVICE_ROLE) == machine)
            and (may_make_admins or "user.manage" not in found.actions)
        ]
        _choices(self, "role", roles if machine else [("", _("Choose a role")), *roles])
        if user is not None:
            del self.fields["person"]
        if on is not None:
            del self.fields["unit"], self.fields["use_case"]
        else:
            _choices(self, "unit", [("", _("Choose a unit")), *_unit_choices(by, "role.assign")])

    @property
    def people_to_choose(self) -> QuerySet[User]:
        """What the person field suggests."""
        return visible_people(self.by).filter(is_active=True).exclude(pk=self.by.pk)

    def clean_person(self) -> User:
        return named_person(self.cleaned_data["person"].strip(), self.by)

    def clean_use_case(self) -> Any:
        key = self.cleaned_data["use_case"].strip()
        if not key:
            return None
        cases: Any = scopes().use_case._default_manager.select_related("unit")
        found = for_user(cases, self.by, VIEW).filter(key=key).first()
        if found is None:
            raise forms.ValidationError(_("There is no use case with this key."))
        return found

    def clean(self) -> dict[str, Any] | None:
        said = super().clean()
        if self.on is None and not self.errors:
            named = [bool(self.cleaned_data.get(field)) for field in ("unit", "use_case")]
            if sum(named) != 1:
                self.add_error("unit", _("Choose a unit or name a use case, one of the two."))
        return said

    def grant(self) -> dict[str, Any]:
        said = self.cleaned_data
        on: Any = self.on or said["use_case"]
        if on is None:
            units: Any = scopes().unit._default_manager
            on = units.get(code=said["unit"])
        return {"user": self.user or said["person"], "role": said["role"], "on": on, "reason": said["reason"]}


class ReasonForm(forms.Form):
    """Why something is ended."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, data: Any = None, *, required: bool = True) -> None:
        super().__init__(data)
        self.fields["reason"].required = required


class ScopesWidget(forms.CheckboxSelectMultiple):
    """Checkboxes in groups beside each other; Django's own would put sixty of them under each other."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        return render_to_string("accounts/widgets/scopes.html", self.get_context(name, value, attrs))


class TokenForm(forms.Form):
    """A new API token: what it is for, what it may do, how long."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What will use it, so that you know later: “Nightly evaluation”.")
    )
    lifetime = forms.ChoiceField(label=_("Valid for"), choices=LIFETIMES, initial="90")
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        help_text=_("As little as it needs. It never may do more than the account itself, wherever that has a role."),
        widget=ScopesWidget,
    )

    def __init__(self, data: Any = None, *, account: User) -> None:
        super().__init__(data)
        possible = possible_actions(account)
        groups: dict[str, list[tuple[str, str]]] = {}
        for action in catalogue().actions.values():
            if action.key in possible:
                groups.setdefault(area_label(action.area), []).append((action.key, action_label(action.key)))
        cast(forms.MultipleChoiceField, self.fields["scopes"]).choices = list(groups.items())

    @property
    def expires_at(self) -> datetime:
        return timezone.now() + timedelta(days=int(self.cleaned_data["lifetime"]))


class ServiceAccountForm(forms.Form):
    """A new account for a machine."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What it is: “Scoring service”, “CI of claims triage”.")
    )


def named_person(text: str, by: User) -> User:
    """The one active person that ``by`` may know of under this name or address."""
    named = Q(email=text.lower()) | Q(full_name__iexact=text)
    found = list(visible_people(by).filter(named, is_active=True)[:2])
    if not found:
        raise forms.ValidationError(_("Nobody active is known by this name or address."))
    if len(found) > 1:
        raise forms.ValidationError(_("Several people have this name: give the e-mail address."))
    return found[0]


def role_help() -> list[dict[str, Any]]:
    """What each role is for, to read beside the form."""
    return [{"label": role_name(found.key), "value": found.purpose} for found in catalogue().roles.values()]


def _choices(form: forms.Form, name: str, choices: list[Any]) -> None:
    cast(forms.ChoiceField, form.fields[name]).choices = choices


def _unit_choices(user: User, action: str = VIEW) -> list[tuple[str, str]]:
    """Code and name of the units where ``user`` may do ``action``, in the order of the tree, indented by depth."""
    units: Any = scopes().unit._default_manager.order_by("path")
    return [
        (unit.code, _INDENT * max(unit.depth - 1, 0) + unit.name) for unit in cast(Any, for_user(units, user, action))
    ]
