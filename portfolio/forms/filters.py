"""The filters of the portfolio, one set for pages, exports and REST."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, cast

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from portfolio.lens import lenses
from portfolio.models import Assurance, BusinessUnit, Stage, Status, Tier, UseCase
from portfolio.selectors.listing import AT_RISK, matching, mine

_INDENT = "\u2003"  # an em space: browsers collapse ordinary ones
NONE = "none"
"""How an address says the empty value: not classified, no gate passed."""
OWN_LENSES = {"mine": _("Mine"), "at_risk": _("At risk")}


class PickWidget(forms.CheckboxSelectMultiple):
    """Several values behind one word: a menu of checkboxes; the chips above the list say what is on."""

    template_name = "portfolio/widgets/pick.html"

    def __init__(self, word: Any) -> None:
        super().__init__()
        self.word = word

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """By the product's own templates; Django's form renderer looks for widgets in its own only."""
        context = {**self.get_context(name, value, attrs), "word": self.word}
        return render_to_string(self.template_name, context)


def lens_choices() -> list[tuple[str, Any]]:
    registered = sorted(lenses, key=lambda lens: (lens.order, lens.key))
    return [*OWN_LENSES.items(), *((lens.key, lens.label) for lens in registered)]


class UseCaseFilter(filters.FilterSet):
    """Which use cases. Several values of one filter mean any of them; several filters mean all of them."""

    q = filters.CharFilter(
        method="by_text",
        label=_("Name, key, summary or vendor"),
        help_text=_("Every word must be found in the name, key, summary or vendor."),
    )
    unit = filters.CharFilter(method="by_unit", label=_("Unit"), help_text=_("Code of a unit; its units below count."))
    stage = filters.MultipleChoiceFilter(choices=Stage.choices, label=_("Stage"), widget=PickWidget(_("Stage")))
    tier = filters.MultipleChoiceFilter(
        choices=[(value or NONE, label) for value, label in Tier.choices],
        method="by_empty_or_value",
        label=_("Tier"),
        widget=PickWidget(_("Tier")),
    )
    status = filters.MultipleChoiceFilter(choices=Status.choices, label=_("Status"), widget=PickWidget(_("Status")))
    assurance = filters.MultipleChoiceFilter(
        choices=[(value or NONE, label) for value, label in Assurance.choices],
        method="by_empty_or_value",
        label=_("Assurance"),
        widget=PickWidget(_("Assurance")),
    )
    only = filters.MultipleChoiceFilter(
        choices=lens_choices,
        method="by_lens",
        label=_("Only"),
        widget=PickWidget(_("Only")),
        help_text=_("mine: where you hold a role; at_risk: a gate already passed may no longer hold."),
    )

    class Meta:
        model = UseCase
        fields: ClassVar[list[str]] = []

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def by_text(self, queryset: QuerySet[UseCase], name: str, value: str) -> QuerySet[UseCase]:
        return queryset.filter(matching(value))

    def by_unit(self, queryset: QuerySet[UseCase], name: str, value: str) -> QuerySet[UseCase]:
        """An unknown unit holds nothing; asking for it is no error, because a saved view may outlive a unit."""
        path = BusinessUnit.objects.filter(code=value).values_list("path", flat=True).first()
        return queryset.filter(unit__path__startswith=path) if path else queryset.none()

    def by_empty_or_value(self, queryset: QuerySet[UseCase], name: str, value: list[str]) -> QuerySet[UseCase]:
        wanted = ["" if each == NONE else each for each in value]
        return queryset.filter(**{f"{name}__in": wanted}) if wanted else queryset

    def by_lens(self, queryset: QuerySet[UseCase], name: str, value: list[str]) -> QuerySet[UseCase]:
        for key in value:
            queryset = queryset.filter(lens_condition(key, self.user))
        return queryset


class UseCaseFilterForPages(UseCaseFilter):
    """The same filters with the units to choose from."""

    def __init__(self, *args: Any, units: Iterable[BusinessUnit] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("All units")), *unit_choices(units)]
        self.form.fields["unit"].widget = forms.Select(choices=choices)


def lens_condition(key: str, user: User) -> Q:
    if key == "mine":
        return mine(user)
    if key == "at_risk":
        return Q(assurance__in=AT_RISK)
    return lenses.get(key)().condition(user)


def unit_choices(units: Iterable[BusinessUnit]) -> Iterator[tuple[str, str]]:
    """Code and name of units in the order of the tree, indented by their depth."""
    for unit in units:
        yield unit.code, _INDENT * max(unit.depth - 1, 0) + unit.name
