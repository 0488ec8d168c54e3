"""The form that links a metric to a KPI."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from monitoring.models import Series
from monitoring.services.kpi_links import LONGEST
from monitoring.wording import series_name
from portfolio.models import UseCase


class SeriesChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    def label_from_instance(self, obj: Any) -> str:
        version = f", {obj.version.label}" if obj.version else ""
        return f"{series_name(obj)}{version}"


class LinkForm(forms.Form):
    series = SeriesChoice(label=_("Metric"), queryset=Series.objects.none(), empty_label=None)
    why = forms.CharField(
        label=_("How it moves the KPI"),
        max_length=LONGEST,
        help_text=_("In words of the business, such as: fewer wrong routings mean fewer handovers."),
    )

    def __init__(self, *args: Any, use_case: UseCase, kpi: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Series.objects.filter(use_case=use_case).exclude(kpi_links__kpi_key=kpi).select_related("version")
        self.fields["series"].queryset = rows.order_by("metric", "segment")  # type: ignore[attr-defined]
