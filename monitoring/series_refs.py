"""How a dashboard names series: by words, so that its definition can be kept, copied and read elsewhere.

``f1``, ``f1|Nordics``, ``f1|Nordics|2.1``: metric, segment and version, within the use case of the dashboard. Beyond a
single use case its key stands before: ``UC-0001:f1``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from kernel.errors import Invalid
from monitoring.models import Series
from monitoring.widget import Params, Scope
from monitoring.wording import series_name

MOST_CHOICES = 300


def ref_of(series: Series, scope: Scope) -> str:
    label = series.version.label if series.version is not None else ""
    words = "|".join((series.metric, series.segment, label)).rstrip("|")
    return words if scope.use_case is not None else f"{series.use_case.key}:{words}"


def find(refs: Sequence[str], scope: Scope, user: User) -> dict[str, Series]:
    """The series of these names in the scope, as far as ``user`` may see them. One query."""
    wanted = {ref: _split(ref, scope) for ref in refs}
    condition = Q(pk__in=[])
    for key, metric, segment, label in wanted.values():
        one = Q(metric=metric, segment=segment)
        one &= Q(version__label=label) if label else (Q() if scope.version is not None else Q(version__isnull=True))
        condition |= one if scope.use_case is not None else one & Q(use_case__key=key)
    rows = list(scope.series(user).filter(condition))
    named = {ref_of(row, scope): row for row in rows}
    if scope.version is not None:  # the version of the dashboard need not be said again
        named |= {ref_of(row, scope).removesuffix(f"|{scope.version.label}").rstrip("|"): row for row in rows}
    return {ref: named[ref] for ref in wanted if ref in named}


def demand(refs: Sequence[str], scope: Scope, user: User) -> list[Series]:
    """The same, all of them. Raises ``Invalid`` that names what is not there."""
    found = find(refs, scope, user)
    if gone := [ref for ref in refs if ref not in found]:
        said = _("There is no series %(names)s here.") % {"names": ", ".join(gone)}
        raise Invalid(said, errors={"series": [said]})
    return [found[ref] for ref in refs]


class SeriesParams(Params):
    """A widget that shows series: chosen from a list within a use case, written down beyond it."""

    most = 1

    def __init__(self, data: Mapping[str, Any] | None = None, *, scope: Scope, user: User, **more: Any) -> None:
        super().__init__(data, scope=scope, user=user, **more)
        self.fields["series"] = self._field()
        self.order_fields(["series"])

    def clean_series(self) -> list[str]:
        given = self.cleaned_data["series"]
        words = given.split("\n") if isinstance(given, str) else given
        refs = list(dict.fromkeys(ref.strip() for ref in words if ref.strip()))
        if len(refs) > self.most:
            raise forms.ValidationError(_("At most %(most)d can be shown here.") % {"most": self.most})
        try:
            rows = demand(refs, self.scope, self.user)
        except Invalid as error:
            raise forms.ValidationError(error.message) from None
        if len({row.unit for row in rows}) > 1:
            raise forms.ValidationError(_("These series have different units: they cannot share a chart."))
        return refs

    def _field(self) -> forms.Field:
        label = gettext_lazy("Series")
        if self.scope.use_case is None:
            words = gettext_lazy(
                "Key of the use case and metric, such as UC-0001:f1; one a line. A segment follows after |."
            )
            return forms.CharField(label=label, help_text=words, widget=_Lines(attrs={"rows": min(self.most, 3)}))
        rows = self.scope.series(self.user).order_by("metric", "segment", "pk")[:MOST_CHOICES]
        choices = [(ref_of(row, self.scope), _words(row)) for row in rows]
        if self.most == 1:
            return _One(label=label, choices=choices)
        words = gettext_lazy("The first is the one whose baseline and limits are drawn.")
        return forms.MultipleChoiceField(
            label=label, choices=choices, help_text=words, widget=forms.CheckboxSelectMultiple
        )


class _Lines(forms.Textarea):
    """Lines of text that JSON keeps as a list."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        value = data.get(name)
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def format_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class _One(forms.ChoiceField):
    """One choice, which JSON keeps as a list of one."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(value[0] if isinstance(value, list) and value else value)

    def clean(self, value: Any) -> Any:
        return [super().clean(value)]

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data[0] if isinstance(data, list) and data else data


def _split(ref: str, scope: Scope) -> tuple[str, str, str, str]:
    key, words = ("", ref) if scope.use_case is not None else (ref.partition(":")[0], ref.partition(":")[2])
    metric, segment, label, *_more = [*words.split("|"), "", "", ""]
    return key, metric, segment, label


def _words(series: Series) -> str:
    name = series_name(series)
    return f"{name} · {series.version.label}" if series.version is not None else name
