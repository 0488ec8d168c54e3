"""Series, baselines, points and rules as forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.models import ModelVersion
from monitoring.catalogue import KINDS, metrics
from monitoring.models import Series
from portfolio.models import UseCase

OWN = "own"
EXPECTED: list[tuple[int, Any]] = [
    (0, _("nothing is expected")),
    (300, _("5 minutes")),
    (3600, _("an hour")),
    (21_600, _("6 hours")),
    (86_400, _("a day")),
    (604_800, _("a week")),
    (2_678_400, _("a month")),
]


class SeriesForm(forms.Form):
    """A metric to be watched: one of the catalogue, or one of its own."""

    metric = forms.ChoiceField(label=_("Metric"), help_text=_("Unit, direction and kinds come from the catalogue."))
    own_metric = forms.CharField(
        label=_("Key of an own metric"),
        required=False,
        max_length=60,
        help_text=_("Only with “A metric of our own”: small letters, digits and _, such as refund_errors."),
    )
    name = forms.CharField(
        label=_("Name"), required=False, max_length=200, help_text=_("Left empty, the metric's name.")
    )
    unit = forms.CharField(label=_("Unit"), required=False, max_length=40, help_text=_("Left empty, the catalogue's."))
    version = forms.ModelChoiceField(
        label=_("Model version"), required=False, queryset=ModelVersion.objects.none(), empty_label=_("All versions")
    )
    segment = forms.CharField(
        label=_("Segment"), required=False, max_length=100, help_text=_("Such as a region; left empty, all of them.")
    )
    kinds = forms.MultipleChoiceField(
        label=_("Counts as a monitor of"),
        required=False,
        choices=[(kind, kind.replace("_", " ")) for kind in KINDS],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Left empty, as the catalogue says."),
    )
    expected_every_seconds = forms.TypedChoiceField(
        label=_("A value is expected every"),
        choices=EXPECTED,
        coerce=int,
        initial=86_400,
        help_text=_("Longer without one, and silence is an alert."),
    )
    baseline = forms.FloatField(label=_("Baseline"), required=False, help_text=_("The value at approval, in the unit."))
    with_rule = forms.BooleanField(
        label=_("Start with the rule of the catalogue"),
        required=False,
        initial=True,
        help_text=_("Its warn and act limits, where the catalogue has some for the metric; they can be changed."),
    )

    def __init__(self, data: Any = None, *, use_case: UseCase) -> None:
        super().__init__(data)
        field: Any = self.fields["metric"]
        field.choices = metric_choices()
        versions: Any = self.fields["version"]
        versions.queryset = ModelVersion.objects.filter(model__use_case=use_case).select_related("model")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("metric") == OWN and not cleaned.get("own_metric"):
            self.add_error("own_metric", _("Give the key of your metric."))
        return cleaned

    def values(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        own = given.pop("own_metric")
        if given["metric"] == OWN:
            given["metric"] = own
        return {name: value for name, value in given.items() if value not in ("", None, [])}


class SeriesEditForm(forms.Form):
    """What may change of a series: not what it measures."""

    name = forms.CharField(label=_("Name"), required=False, max_length=200)
    unit = forms.CharField(label=_("Unit"), required=False, max_length=40)
    kinds = forms.MultipleChoiceField(
        label=_("Counts as a monitor of"),
        required=False,
        choices=[(kind, kind.replace("_", " ")) for kind in KINDS],
        widget=forms.CheckboxSelectMultiple,
    )
    expected_every_seconds = forms.TypedChoiceField(label=_("A value is expected every"), choices=EXPECTED, coerce=int)
    keep_days = forms.IntegerField(
        label=_("Days that points are kept"),
        required=False,
        min_value=0,
        max_value=36_500,
        help_text=_("0 is for ever; empty is what the house keeps. Hours and days summed up stay in any case."),
    )
    enabled = forms.BooleanField(
        label=_("Watched"), required=False, help_text=_("Switched off, it is neither judged nor missed.")
    )

    def __init__(self, data: Any = None, *, series: Series) -> None:
        super().__init__(data, initial={name: getattr(series, name) for name in self.base_fields})
        known = {seconds for seconds, _label in EXPECTED}
        if series.expected_every_seconds not in known:
            field: Any = self.fields["expected_every_seconds"]
            seconds = series.expected_every_seconds
            field.choices = [*EXPECTED, (seconds, _("%(n)d seconds") % {"n": seconds})]


class BaselineForm(forms.Form):
    value = forms.FloatField(
        label=_("Baseline"), required=False, help_text=_("What later values are compared with. Empty takes it away.")
    )

    def __init__(self, data: Any = None, *, series: Series) -> None:
        super().__init__(data, initial={"value": series.baseline})


class PointForm(forms.Form):
    """One value, entered by hand."""

    value = forms.FloatField(label=_("Value"))
    time = forms.DateTimeField(
        label=_("Measured at"),
        help_text=_("In UTC."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"],
    )
    n = forms.IntegerField(label=_("Observations"), required=False, min_value=0, help_text=_("Behind the value."))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"time": timezone.now()})


def metric_choices() -> list[Any]:
    """The catalogue by group, and a metric of one's own."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for found in metrics().values():
        label = found.group.replace("_", " ").capitalize()
        groups.setdefault(label, []).append((found.key, f"{found.name} ({found.unit})"))
    return [("", _("Choose")), *groups.items(), (OWN, _("A metric of our own"))]
