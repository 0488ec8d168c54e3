"""Success measures and measurements as forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from portfolio.models import Direction, Kpi
from portfolio.services.kpis import DEFINITION


class DayInput(forms.DateInput):
    """The browser's own calendar; the value is always ISO 8601."""

    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


class KpiForm(forms.Form):
    """A definition. The key is made from the name unless it is given, and then stays."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("What is measured: handling time per claim."))
    key = forms.SlugField(
        label=_("Key"), max_length=60, required=False, help_text=_("Used by CI. Left empty, it is made from the name.")
    )
    unit = forms.CharField(label=_("Unit"), max_length=40, help_text=_("minutes, %, EUR per claim"))
    direction = forms.ChoiceField(label=_("Which way is better?"), choices=Direction.choices, widget=forms.RadioSelect)
    formula = forms.CharField(
        label=_("How it is calculated"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("So that two people get the same number."),
    )
    baseline = forms.DecimalField(label=_("Baseline"), required=False, help_text=_("The value before, in the unit."))
    baseline_date = forms.DateField(label=_("Baseline measured on"), required=False, widget=DayInput)
    baseline_source = forms.CharField(label=_("Baseline source"), required=False, max_length=300)
    target = forms.DecimalField(label=_("Target"), required=False, help_text=_("The value to reach, in the unit."))
    target_date = forms.DateField(label=_("Target date"), required=False, widget=DayInput)
    window_days = forms.IntegerField(
        label=_("Window"), required=False, min_value=1, max_value=3650, help_text=_("Days that one measurement covers.")
    )
    is_primary = forms.BooleanField(
        label=_("Primary KPI"), required=False, help_text=_("The one that success is judged by. There is one.")
    )

    SECTIONS: ClassVar[Sequence[tuple[Any, Sequence[str]]]] = (
        (_("Definition"), ("name", "key", "unit", "direction", "formula", "is_primary")),
        (_("From where"), ("baseline", "baseline_date", "baseline_source")),
        (_("To where"), ("target", "target_date", "window_days")),
    )

    def __init__(self, data: Any = None, *, kpi: Kpi | None = None, first: bool = False) -> None:
        initial = {name: getattr(kpi, name) for name in DEFINITION} if kpi else {"is_primary": first}
        super().__init__(data, initial=initial)
        self.kpi = kpi
        if kpi is not None:
            del self.fields["key"]
            for name in ("baseline", "target"):
                if initial[name] is not None:
                    self.initial[name] = plain(initial[name])

    @property
    def sections(self) -> list[dict[str, Any]]:
        return [
            {"title": title, "fields": [self[name] for name in names if name in self.fields]}
            for title, names in self.SECTIONS
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.kpi is None and not cleaned.get("key") and cleaned.get("name"):
            cleaned["key"] = slugify(cleaned["name"])[:60].strip("-") or "kpi"
        return cleaned

    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class MeasurementForm(forms.Form):
    """What was measured over a window of days, both ends included."""

    value = forms.DecimalField(label=_("Value"))
    window_start = forms.DateField(label=_("From"), widget=DayInput)
    window_end = forms.DateField(label=_("Until"), widget=DayInput)
    source = forms.CharField(
        label=_("Source"), max_length=300, help_text=_("The system, report or person the number comes from.")
    )
    sample_size = forms.IntegerField(
        label=_("Observations"), required=False, min_value=1, help_text=_("How many it was calculated from.")
    )

    def __init__(self, data: Any = None, *, kpi: Kpi) -> None:
        super().__init__(data, initial={"window_end": timezone.localdate()})
        self.kpi = kpi


def plain(value: Any) -> str:
    """A decimal without the zeros that the column adds."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
