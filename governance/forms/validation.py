"""Logging the result of a validation, and signing an independent one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from governance import services
from governance.catalogue import validation_kinds
from governance.forms.entry import Choice, Confirmation, EntryForm, MomentInput, entries, words
from governance.models import Evidence, ModelVersion, ValidationRun

METRIC_ROWS = 6
KIND_OF_CRITERION = {
    "PP-01": "poc_result",
    "PP-02": "performance_representative",
    "PP-03": "data_comparison",
    "PP-09": "data_quality",
    "PP-14": "expert_review",
    "PR-02": "performance_historical",
    "PR-04": "load_test",
    "PR-05": "fairness",
    "PR-06": "independent_review",
    "PR-08": "generative_tests",
    "PR-10": "user_acceptance",
    "PR-12": "rollback_drill",
    "PR-14": "security_test",
    "PR-19": "reproduction",
    "OP-10": "incident_drill",
    "OP-11": "stop_drill",
    "RV-22": "independent_review",
}


class MetricRows(forms.MultiWidget):
    """Rows of two fields: the key of a metric and its value."""

    template_name = "governance/widgets/metric_rows.html"

    def __init__(self) -> None:
        pair = (
            forms.TextInput(attrs={"aria-label": _("Metric"), "placeholder": _("Metric, such as f1"), "size": 24}),
            forms.TextInput(attrs={"aria-label": _("Value"), "placeholder": _("Value"), "inputmode": "decimal"}),
        )
        super().__init__(widgets=[widget for _row in range(METRIC_ROWS) for widget in pair])

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """By the product's own templates; Django's form renderer looks for widgets in its own only."""
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def decompress(self, value: Any) -> list[Any]:
        flat = [part for row in dict(value or {}).items() for part in row]
        return (flat + [""] * 2 * METRIC_ROWS)[: 2 * METRIC_ROWS]


class MetricsField(forms.MultiValueField):
    """Metric -> value as it was typed; the service says which values are no numbers."""

    widget = MetricRows

    def __init__(self, **kwargs: Any) -> None:
        fields = [forms.CharField(required=False, max_length=100) for _cell in range(2 * METRIC_ROWS)]
        super().__init__(fields=fields, require_all_fields=False, required=False, **kwargs)

    def compress(self, data_list: list[Any]) -> dict[str, str]:
        cells = [str(cell or "").strip() for cell in data_list]
        rows = list(zip(cells[::2], cells[1::2], strict=True))
        if any(bool(key) != bool(value) for key, value in rows):
            raise forms.ValidationError(_("Each metric needs its name and its value."))
        keys = [key for key, _value in rows if key]
        if len(keys) != len(set(keys)):
            raise forms.ValidationError(_("A metric is named twice."))
        return {key: value for key, value in rows if key}


@entries.register
class LogResult(EntryForm):
    key = "validation"
    heading = _("Log a validation result")
    submit = _("Log this result")
    done = _("The result is on record.")
    icon = "beaker"
    actions = ("validation.record",)
    panel = "validation"
    lead = _("A result is never edited. If it was wrong, log another one.")
    grouping = (
        (_("What was tested"), ("kind", "version", "performed_at")),
        (_("With what result"), ("verdict", "metrics", "sample_size", "summary")),
        (_("By whom"), ("reviewers", "independent", "open_major_findings")),
        (_("Where it comes from"), ("evidence", "source", "external_id")),
    )

    kind = forms.ChoiceField(label=_("Kind"))
    version = Choice(
        label=_("Model version"),
        empty_label=_("Not about one version"),
        help_text=_("Gates ask for results of the candidate version."),
    )
    performed_at = forms.DateTimeField(label=_("Performed at (UTC)"), widget=MomentInput())
    verdict = forms.ChoiceField(
        label=_("Verdict"),
        choices=ValidationRun.Verdict.choices,
        widget=forms.RadioSelect,
        initial=ValidationRun.Verdict.PASS,
    )
    metrics = MetricsField(
        label=_("Metrics"),
        help_text=_("Figures as they were measured, with a point: 0.91. Rates in the unit of the policy."),
    )
    sample_size = forms.IntegerField(label=_("Sample size"), required=False, min_value=0)
    summary = words(_("Summary"), help=_("What was found, in a few sentences. Markdown is allowed."))
    reviewers = forms.IntegerField(
        label=_("People who judged the outputs"), required=False, min_value=0, max_value=32767, initial=0
    )
    independent = forms.BooleanField(
        label=_("Performed by somebody outside the team"),
        required=False,
        help_text=_("The independent validator signs such a run afterwards."),
    )
    open_major_findings = forms.IntegerField(
        label=_("Open major findings"), required=False, min_value=0, max_value=32767, initial=0
    )
    evidence = Choice(label=_("Evidence"), empty_label=_("No file or link"), help_text=_("The report, added before."))
    source = forms.CharField(
        label=_("Source"), required=False, max_length=200, help_text=_("The pipeline or tool, such as ci.")
    )
    external_id = forms.CharField(
        label=_("Identifier there"),
        required=False,
        max_length=200,
        help_text=_("With it the same run is recorded once, however often it is sent."),
    )

    def prepare(self) -> None:
        self.fields["kind"].choices = [(kind.key, kind.label) for kind in validation_kinds().values()]  # type: ignore[attr-defined]
        versions = ModelVersion.objects.filter(model__use_case=self.use_case).exclude(state="retired")
        versions = versions.select_related("model").order_by("model__name", "-number")
        self.fields["version"].queryset = versions  # type: ignore[attr-defined]
        kept = Evidence.objects.filter(use_case=self.use_case, withdrawn_at__isnull=True).exclude(kind="attestation")
        self.fields["evidence"].queryset = kept  # type: ignore[attr-defined]
        if self.is_bound:
            return
        self.initial.setdefault("performed_at", timezone.now().replace(second=0, microsecond=0))
        kind = self.initial.get("kind") or KIND_OF_CRITERION.get(str(self.initial.get("criterion", "")))
        if isinstance(kind, str) and kind in validation_kinds():
            self.initial["kind"] = kind
            self.initial.setdefault("metrics", dict.fromkeys(validation_kinds()[kind].metrics, ""))
        candidate = versions.filter(state="candidate").order_by("-registered_at").first()
        self.initial.setdefault("version", candidate.pk if candidate else None)

    def save(self) -> ValidationRun:
        given = self.given("kind", "verdict", "version", "metrics", "sample_size", "summary", "independent")
        return services.record_validation(
            use_case=self.use_case,
            by=self.user,
            reviewers=self.cleaned_data["reviewers"] or 0,
            open_major_findings=self.cleaned_data["open_major_findings"] or 0,
            **given,
            **self.given("evidence", "source", "external_id", "performed_at"),
        )


@entries.register
class SignRun(Confirmation):
    key = "sign-validation"
    short = _("Sign")
    heading = _("Sign this independent validation")
    submit = _("Sign as independent validator")
    done = _("Signed.")
    icon = "sign"
    lead = _("You are outside the team, you re-tested this version or checked how it was tested, and you agree.")
    actions = ("validation.sign_independent",)
    subject_model = ValidationRun
    panel = "validation"

    def save(self) -> ValidationRun:
        return services.sign_independent(run=self.subject, by=self.user)
