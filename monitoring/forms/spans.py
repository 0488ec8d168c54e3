"""A range of time, and what else a chart shows, as filters of an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.models import Series
from monitoring.selectors.charts import BUCKETS, MOST_OVERLAID, Asked
from monitoring.spans import CUSTOM, DEFAULT_RANGE, RANGE_LABELS, Span, between, named
from monitoring.wording import series_name
from portfolio.forms.filters import PickWidget

LEAST_BUCKETS, MOST_BUCKETS = 10, 2000
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class SpanForm(forms.Form):
    """``range`` names a range up to now; ``from`` and ``to`` (UTC) set one that stays. What is wrong is said."""

    range = forms.ChoiceField(
        label=gettext_lazy("Range of time"),
        required=False,
        choices=[*RANGE_LABELS.items(), (CUSTOM, gettext_lazy("From … to …"))],
    )

    def __init__(self, data: Mapping[str, Any], *, usual: str = DEFAULT_RANGE, **more: Any) -> None:
        given = data.copy()  # type: ignore[attr-defined]  # a QueryDict or a dict
        if not given.get("range"):
            given["range"] = CUSTOM if given.get("from") or given.get("to") else usual
        super().__init__(given, **more)
        self.usual = usual
        self.fields["from"] = forms.DateTimeField(
            label=gettext_lazy("From (UTC)"), required=False, widget=MomentInput, input_formats=_FORMATS
        )
        self.fields["to"] = forms.DateTimeField(
            label=gettext_lazy("To (UTC)"), required=False, widget=MomentInput, input_formats=_FORMATS
        )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        start, end = found.get("from"), found.get("to")
        if found.get("range") == CUSTOM and not self.errors:
            if start is None:
                if end is not None:
                    self.add_error("from", _("Say from when on."))
            elif start < _FIRST:
                self.add_error("from", _("Nothing was measured before the year 2000."))
            elif end is not None and end <= start:
                self.add_error("to", _("The end has to be later than the start."))
        return found

    @property
    def span(self) -> Span:
        """What was asked for, or the usual range when that is wrong."""
        if not self.is_valid():
            return named(self.usual)
        if self.cleaned_data["range"] != CUSTOM or self.cleaned_data["from"] is None:
            return named(self.cleaned_data["range"] if self.cleaned_data["range"] != CUSTOM else self.usual)
        return between(self.cleaned_data["from"], self.cleaned_data["to"] or named(self.usual).end)


class ChartForm(SpanForm):
    """The range, the period before it, other segments and versions of the metric, and how finely values are read."""

    compare = forms.BooleanField(label=gettext_lazy("With the period before"), required=False)
    overlay = forms.MultipleChoiceField(
        label=gettext_lazy("Segments and versions"),
        required=False,
        widget=PickWidget(gettext_lazy("Segments and versions")),
    )
    buckets = forms.IntegerField(
        label=gettext_lazy("Buckets"),
        required=False,
        min_value=LEAST_BUCKETS,
        max_value=MOST_BUCKETS,
        widget=forms.HiddenInput,
    )

    def __init__(self, data: Mapping[str, Any], *, others: Sequence[Series] = (), **more: Any) -> None:
        super().__init__(data, **more)
        self.others = {str(one.pk): one for one in others}
        choices = [(key, _choice(one)) for key, one in self.others.items()]
        self.fields["overlay"].choices = choices  # type: ignore[attr-defined]  # a choice field
        if not choices:
            del self.fields["overlay"]
        self.order_fields(["range", "from", "to", "overlay", "compare"])

    def clean_overlay(self) -> list[str]:
        found: list[str] = self.cleaned_data["overlay"]
        if len(found) > MOST_OVERLAID:
            raise forms.ValidationError(_("At most %(most)d lines can be told apart.") % {"most": MOST_OVERLAID})
        return found

    @property
    def asked(self) -> Asked:
        span = self.span
        if not self.is_valid():
            return Asked(span)
        given = self.cleaned_data
        overlaid = [self.others[key] for key in given.get("overlay", ())]
        return Asked(span, given.get("buckets") or BUCKETS, given["compare"], overlaid)


_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d")


def _choice(series: Series) -> str:
    name = series_name(series)
    return f"{name} · {series.version.label}" if series.version else name
