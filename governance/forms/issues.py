"""Issues and incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.people import people_on
from governance import services
from governance.forms.entry import Choice, DateInput, EntryForm, MomentInput, entries, words
from governance.models import Incident, Issue
from governance.services.issues import CLOSE, RAISE
from portfolio.models import UseCase

GATES = [
    ("", _("No gate in particular")),
    ("idea_to_poc", _("Idea to PoC")),
    ("poc_to_pilot", _("PoC to pilot")),
    ("pilot_to_production", _("Pilot to production")),
    ("production_to_operations", _("Production to operations")),
    ("operations_review", _("Operations review")),
]
KIND_OF_CRITERION = {
    "PP-05": Issue.Kind.ASSUMPTION,
    "PP-20": Issue.Kind.SECURITY,
    "PR-14": Issue.Kind.SECURITY,
    "OP-18": Issue.Kind.CONDITION,
    "RV-06": Issue.Kind.INCIDENT_ACTION,
    "RV-07": Issue.Kind.BREACH,
}


def colleagues(use_case: UseCase) -> Any:
    """People who hold a role on the use case, as the choices of an owner."""
    keys = {each.user.pk for each in people_on([use_case.pk])[use_case.pk] if each.user.is_person}
    return User.objects.filter(pk__in=keys)


class IssueFields(EntryForm):
    panel = "controls"
    icon = "flag"

    severity = forms.ChoiceField(label=_("Severity"), choices=Issue.Severity.choices, initial=Issue.Severity.MEDIUM)
    title = forms.CharField(label=_("What has to be settled"), max_length=300)
    description = words(_("More about it"))
    blocking = forms.BooleanField(
        label=_("It blocks"),
        required=False,
        help_text=_("A gate that asks for it cannot be passed while this is open."),
    )
    due_gate = forms.ChoiceField(label=_("Before the gate"), required=False, choices=GATES)
    due_on = forms.DateField(label=_("Due on"), required=False, widget=DateInput())
    owner = Choice(label=_("Owner"), empty_label=_("Nobody yet"))

    def prepare(self) -> None:
        self.fields["owner"].queryset = colleagues(self.use_case)  # type: ignore[attr-defined]


ISSUE_FIELDS = ("severity", "title", "description", "blocking", "due_gate", "due_on", "owner")


@entries.register
class RaiseIssue(IssueFields):
    key = "issue"
    heading = _("Raise an issue")
    submit = _("Raise this issue")
    done = _("The issue is open.")
    grouping = (
        (_("What it is"), ("kind", "title", "description", "severity")),
        (_("Until when, by whom"), ("owner", "due_on", "due_gate", "blocking", "incident")),
    )

    kind = forms.ChoiceField(label=_("Kind"))
    incident = Choice(label=_("After the incident"), empty_label=_("No incident"))

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        return any(allowed.intersection(actions) for actions in RAISE.values())

    def prepare(self) -> None:
        super().prepare()
        from accounts.access import actions_on

        allowed = actions_on(self.user, self.use_case)
        kinds = [choice for choice in Issue.Kind.choices if allowed.intersection(RAISE[choice[0]])]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]
        self.fields["incident"].queryset = Incident.objects.filter(use_case=self.use_case)  # type: ignore[attr-defined]
        wanted = KIND_OF_CRITERION.get(str(self.initial.get("criterion", "")))
        if wanted:
            self.initial.setdefault("kind", wanted)

    def save(self) -> Issue:
        return services.raise_issue(
            use_case=self.use_case, by=self.user, **self.given("kind", "incident", *ISSUE_FIELDS)
        )


class OnIssue(EntryForm):
    subject_model = Issue
    panel = "controls"

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        table = CLOSE if cls.key == "close-issue" else RAISE
        return subject is None or bool(allowed.intersection(table[subject.kind]))


@entries.register
class EditIssue(OnIssue, IssueFields):
    key = "edit-issue"
    short = _("Change")
    heading = _("Change this issue")
    submit = _("Save the changes")
    icon = "edit"

    def prepare(self) -> None:
        super().prepare()
        self.initial.update({name: getattr(self.subject, name) for name in ISSUE_FIELDS})

    def save(self) -> Issue:
        return services.edit_issue(issue=self.subject, changes=self.given(*ISSUE_FIELDS), by=self.user)


@entries.register
class CloseIssue(OnIssue):
    key = "close-issue"
    short = _("Close")
    heading = _("Close this issue")
    submit = _("Close it")
    done = _("The issue is closed.")
    icon = "check-circle"

    resolution = words(_("How it was settled"), required=True)

    def save(self) -> Issue:
        return services.close_issue(issue=self.subject, resolution=self.cleaned_data["resolution"], by=self.user)


class IncidentFields(EntryForm):
    panel = "controls"
    icon = "alert"

    severity = forms.ChoiceField(
        label=_("Severity"),
        choices=Incident.Severity.choices,
        initial=Incident.Severity.SEV3,
        help_text=_("1: people harmed or law broken. 2: wrong decisions at scale. 3: service impaired. 4: minor."),
    )
    title = forms.CharField(label=_("What happened"), max_length=300)
    description = words(_("More about it"), rows=4)
    occurred_at = forms.DateTimeField(label=_("Happened at (UTC)"), widget=MomentInput())
    detected_at = forms.DateTimeField(label=_("Noticed at (UTC)"), required=False, widget=MomentInput())


@entries.register
class ReportIncident(IncidentFields):
    key = "incident"
    heading = _("Report an incident")
    submit = _("Report this incident")
    done = _("The incident is reported.")
    actions = ("incident.report",)
    lead = _(
        "Better early than complete: you can add to it. Severities 1 and 2 are told to risk and compliance at once."
    )

    def prepare(self) -> None:
        self.initial.setdefault("occurred_at", _this_minute())

    def save(self) -> Incident:
        names = ("severity", "title", "description", "occurred_at", "detected_at")
        return services.report_incident(use_case=self.use_case, by=self.user, **self.given(*names))


class OnIncident(EntryForm):
    subject_model = Incident
    panel = "controls"


@entries.register
class EditIncident(OnIncident, IncidentFields):
    key = "edit-incident"
    short = _("Handle")
    heading = _("Handle this incident")
    submit = _("Save what is known")
    icon = "edit"
    actions = ("incident.manage",)

    restored_at = forms.DateTimeField(label=_("Restored at (UTC)"), required=False, widget=MomentInput())
    cause = words(_("Cause"))

    NAMES = ("severity", "title", "description", "occurred_at", "detected_at", "restored_at", "cause")

    def prepare(self) -> None:
        self.initial.update({name: getattr(self.subject, name) for name in self.NAMES})

    def save(self) -> Incident:
        return services.edit_incident(incident=self.subject, changes=self.given(*self.NAMES), by=self.user)


@entries.register
class CloseIncident(OnIncident):
    key = "close-incident"
    short = _("Close")
    heading = _("Close this incident")
    submit = _("Close it")
    done = _("The incident is closed.")
    icon = "check-circle"
    actions = ("incident.close",)

    cause = words(_("Cause"), required=True)

    def prepare(self) -> None:
        self.initial.setdefault("cause", self.subject.cause)

    def save(self) -> Incident:
        return services.close_incident(incident=self.subject, by=self.user, cause=self.cleaned_data["cause"])


def _this_minute() -> datetime:
    return timezone.now().replace(second=0, microsecond=0)
