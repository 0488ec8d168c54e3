"""Integrations, training, data access, specialist and access reviews, oversight, declared practices."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.access import for_user
from accounts.models import User
from governance import services
from governance.catalogue import courses
from governance.forms.days import end_of
from governance.forms.entry import Choice, DateInput, EntryForm, entries, words
from governance.forms.issues import colleagues
from governance.models import (
    AccessReview,
    DataAccessRequest,
    IntegrationPoint,
    IntegrationTest,
    ModelVersion,
    PracticeDeclaration,
    SpecialistReview,
    TrainingRecord,
)
from governance.selectors import usable_datasets
from governance.services.datasets import may_decide
from governance.services.integrations import MAY_SAVE, MAY_TEST
from governance.services.practices import MAY_DECLARE
from governance.services.reviews import ACCESS_REVIEWERS, MAY_OPEN, SPECIALIST
from governance.standing import held
from portfolio.models import BusinessUnit, UseCase

YES_NO = [("", _("Not judged yet")), ("yes", _("Yes")), ("no", _("No"))]


class Control(EntryForm):
    panel = "controls"
    icon = "link"


class PointFields(Control):
    actions = MAY_SAVE
    name = forms.CharField(label=_("System"), max_length=200)
    critical = forms.BooleanField(
        label=_("Critical"), required=False, initial=True, help_text=_("Gates ask for tests of every critical point.")
    )
    requirement = words(_("What it has to do"), rows=2)
    constraint = words(_("Limits of the other side"), rows=2)
    failure_mode = words(_("What happens when it fails"), rows=2)
    feasible = forms.ChoiceField(label=_("Feasible"), required=False, choices=YES_NO)

    NAMES = ("name", "critical", "requirement", "constraint", "failure_mode")

    def values(self) -> dict[str, Any]:
        feasible = {"yes": True, "no": False}.get(self.cleaned_data["feasible"])
        return {**self.given(*self.NAMES), "feasible": feasible, "use_case": self.use_case, "by": self.user}


@entries.register
class AddPoint(PointFields):
    key = "integration"
    heading = _("Add an integration point")
    submit = _("Add this point")
    done = _("The integration point is on the list.")

    def save(self) -> IntegrationPoint:
        return services.save_integration_point(**self.values())


@entries.register
class EditPoint(PointFields):
    key = "edit-integration"
    short = _("Change")
    heading = _("Change this integration point")
    submit = _("Save the changes")
    subject_model = IntegrationPoint

    def prepare(self) -> None:
        self.initial.update({name: getattr(self.subject, name) for name in self.NAMES})
        self.initial["feasible"] = {True: "yes", False: "no", None: ""}[self.subject.feasible]

    def save(self) -> IntegrationPoint:
        return services.save_integration_point(point=self.subject, **self.values())


@entries.register
class RemovePoint(Control):
    key = "remove-integration"
    short = _("Remove")
    heading = _("Remove this integration point")
    submit = _("Remove it")
    done = _("Removed. The ledger keeps what it was.")
    danger = True
    icon = "trash"
    actions = MAY_SAVE
    subject_model = IntegrationPoint

    reason = words(_("Why"), rows=2, required=True)

    def save(self) -> None:
        services.remove_integration_point(point=self.subject, by=self.user, reason=self.cleaned_data["reason"])


@entries.register
class LogIntegrationTest(Control):
    key = "test-integration"
    short = _("Log a test")
    heading = _("Log a test of this integration")
    submit = _("Log this test")
    done = _("The test is on record.")
    icon = "beaker"
    actions = MAY_TEST
    subject_model = IntegrationPoint

    cases_run = forms.IntegerField(label=_("Cases run"), min_value=1)
    cases_passed = forms.IntegerField(label=_("Cases passed"), min_value=0)
    version = Choice(label=_("Model version"), empty_label=_("Not about one version"))
    environment = forms.CharField(label=_("Environment"), required=False, max_length=100)

    def prepare(self) -> None:
        versions = ModelVersion.objects.filter(model__use_case=self.use_case).select_related("model")
        self.fields["version"].queryset = versions  # type: ignore[attr-defined]

    def save(self) -> IntegrationTest:
        given = self.given("cases_run", "cases_passed", "version", "environment")
        return services.record_integration_test(point=self.subject, by=self.user, **given)


@entries.register
class AssignTraining(Control):
    key = "training"
    heading = _("Assign a course")
    submit = _("Assign this course")
    done = _("Assigned.")
    icon = "book"
    actions = ("training.assign",)

    course = forms.ChoiceField(label=_("Course"))
    person = Choice(label=_("Person"), empty_label=_("Somebody without an account"))
    person_label = forms.CharField(label=_("Name, for people without an account"), required=False, max_length=200)

    def prepare(self) -> None:
        self.fields["course"].choices = list(courses().items())  # type: ignore[attr-defined]
        self.fields["person"].queryset = colleagues(self.use_case)  # type: ignore[attr-defined]

    def save(self) -> TrainingRecord:
        given = self.given("course", "person", "person_label")
        return services.assign_training(use_case=self.use_case, by=self.user, **given)


@entries.register
class CompleteTraining(Control):
    key = "complete-training"
    short = _("Completed")
    heading = _("Note that the course was completed")
    submit = _("It was completed")
    done = _("Noted.")
    icon = "check-circle"
    subject_model = TrainingRecord

    valid_until = forms.DateField(
        label=_("Valid until"), required=False, widget=DateInput(), help_text=_("Left empty, for a year.")
    )

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        return "training.assign" in allowed or (subject is not None and subject.person_id == user.pk)

    def save(self) -> TrainingRecord:
        until = end_of(self.cleaned_data["valid_until"])
        return services.complete_training(record=self.subject, by=self.user, valid_until=until)


@entries.register
class RequestAccess(Control):
    key = "data-access"
    heading = _("Ask for data")
    submit = _("Send the request")
    done = _("The steward can decide now.")
    icon = "data"
    actions = ("data_access.request",)

    dataset = Choice(label=_("Dataset"), empty_label=_("Not registered yet"))
    purpose = words(_("What it is needed for"), required=True)

    def prepare(self) -> None:
        self.fields["dataset"].queryset = usable_datasets(self.user, self.use_case)  # type: ignore[attr-defined]

    def save(self) -> DataAccessRequest:
        return services.request_data_access(use_case=self.use_case, by=self.user, **self.given("purpose", "dataset"))


@entries.register
class DecideAccess(Control):
    key = "decide-data-access"
    short = _("Decide")
    heading = _("Decide about this request for data")
    submit = _("Decide")
    done = _("Decided.")
    icon = "scale"
    actions = ("data_access.approve",)
    subject_model = DataAccessRequest

    decision = forms.ChoiceField(
        label=_("Decision"), choices=[("approve", _("Grant it")), ("refuse", _("Refuse it"))], widget=forms.RadioSelect
    )
    note = words(_("Terms, or why not"), rows=2)
    valid_until = forms.DateField(label=_("Granted until"), required=False, widget=DateInput())

    @classmethod
    def subjects(cls, user: User) -> QuerySet[Any]:
        """Requests that are seen, and those for data of one's units, whatever use case they come from."""
        seen = super().subjects(user)
        units = for_user(BusinessUnit.objects.all(), user, "data_access.approve")
        rows = DataAccessRequest.objects.select_related("use_case__unit", "dataset__unit")
        return rows.filter(Q(pk__in=seen.values("pk")) | Q(dataset__unit__in=units))

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        if subject is None:
            return True
        # Lists ask for many requests: whoever decides here at all is only looked at closely by the service.
        fitting = "data_access.approve" in allowed or may_decide(subject, user)
        return fitting and user.pk != subject.requested_by_id

    def save(self) -> DataAccessRequest:
        return services.decide_data_access(
            request=self.subject,
            approve=self.cleaned_data["decision"] == "approve",
            by=self.user,
            note=self.cleaned_data["note"],
            valid_until=end_of(self.cleaned_data["valid_until"]),
        )


@entries.register
class OpenReview(Control):
    key = "specialist-review"
    heading = _("Open a specialist review")
    submit = _("Open this review")
    done = _("The review is open.")
    icon = "eye"
    actions = MAY_OPEN

    area = forms.ChoiceField(label=_("Area"), choices=SpecialistReview.Area.choices, widget=forms.RadioSelect)
    due_on = forms.DateField(label=_("Due on"), required=False, widget=DateInput())

    def save(self) -> SpecialistReview:
        return services.open_specialist_review(use_case=self.use_case, by=self.user, **self.given("area", "due_on"))


@entries.register
class CloseReview(Control):
    key = "close-specialist-review"
    short = _("Close")
    heading = _("Close this specialist review")
    submit = _("Close it")
    done = _("The review is closed.")
    icon = "check-circle"
    subject_model = SpecialistReview

    outcome = words(_("How it ended"), required=True)

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        return subject is None or SPECIALIST[subject.area] in held(user, use_case)

    def save(self) -> SpecialistReview:
        return services.close_specialist_review(review=self.subject, by=self.user, outcome=self.cleaned_data["outcome"])


@entries.register
class ReviewAccess(Control):
    key = "access-review"
    heading = _("Record a review of access")
    submit = _("Record this review")
    done = _("The review is on record.")
    icon = "key"

    removed = forms.IntegerField(label=_("Rights taken away"), min_value=0, initial=0)
    note = words(_("What was looked at"))

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        return user.is_person and bool(held(user, use_case).intersection(ACCESS_REVIEWERS))

    def save(self) -> AccessReview:
        return services.record_access_review(use_case=self.use_case, by=self.user, **self.given("removed", "note"))


class DeclarationFields(Control):
    icon = "report"
    actions = MAY_DECLARE

    answer = forms.ChoiceField(label=_("Answer"), choices=PracticeDeclaration.Answer.choices)
    detail = words(_("In which words"))
    source = forms.CharField(label=_("Where it is declared"), required=False, max_length=300)


@entries.register
class Declare(DeclarationFields):
    key = "declaration"
    heading = _("Declare a practice")
    submit = _("Declare this")
    done = _("Declared.")

    practice = forms.CharField(label=_("Practice"), max_length=60, help_text=_("Its identifier, such as OMB-4b-i."))
    reason = words(_("Why it changes"), rows=2, help=_("Needed when the practice was declared before."))

    grouping = (("", ("practice", "answer", "detail", "source", "reason")),)

    def save(self) -> PracticeDeclaration:
        given = self.given("practice", "answer", "detail", "source", "reason")
        return services.declare_practice(use_case=self.use_case, by=self.user, **given)


@entries.register
class EditDeclaration(DeclarationFields):
    key = "edit-declaration"
    short = _("Change")
    heading = _("Change this declaration")
    submit = _("Change it")
    done = _("Changed.")
    subject_model = PracticeDeclaration

    reason = words(_("Why it changes"), rows=2, required=True)

    def prepare(self) -> None:
        self.initial.update({name: getattr(self.subject, name) for name in ("answer", "detail", "source")})

    def save(self) -> PracticeDeclaration:
        given = self.given("answer", "detail", "source", "reason")
        return services.declare_practice(use_case=self.use_case, practice=self.subject.practice, by=self.user, **given)
