"""Adding evidence: a file, a link, an attestation; verifying and withdrawing it."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.roles import role_name
from governance import files, services
from governance.catalogue import attestation_items
from governance.forms.days import end_of
from governance.forms.entry import Choice, Confirmation, DateInput, EntryForm, entries, words
from governance.models import Evidence, ModelVersion
from governance.standing import held
from portfolio.models import UseCase


class EvidenceForm(EntryForm):
    """What files and links share."""

    actions = ("evidence.upload",)
    grouping: ClassVar[Any] = ()

    title = forms.CharField(
        label=_("Title"),
        required=False,
        max_length=300,
        help_text=_("What a reader sees in the list. Left empty, it is the name of the file or the address."),
    )
    statement = words(_("What it shows"), rows=2, help=_("One or two sentences for whoever judges it."))
    evidence_type = forms.SlugField(
        label=_("Type"), required=False, max_length=60, help_text=_("Such as validation_report or access_review.")
    )
    criterion = forms.CharField(
        label=_("Criterion"), required=False, max_length=40, help_text=_("The criterion it is for, such as PR-02.")
    )
    version = Choice(label=_("Model version"), empty_label=_("Not about one version"))
    valid_until = forms.DateField(
        label=_("Valid until"),
        required=False,
        widget=DateInput(),
        help_text=_("The last day it may be relied on. The policy may set an earlier one."),
    )

    def prepare(self) -> None:
        versions = ModelVersion.objects.filter(model__use_case=self.use_case).select_related("model")
        self.fields["version"].queryset = versions.order_by("model__name", "-number")  # type: ignore[attr-defined]

    def shared(self) -> dict[str, Any]:
        return {
            **self.given("statement", "evidence_type", "criterion", "version"),
            "use_case": self.use_case,
            "title": self.cleaned_data["title"],
            "valid_until": end_of(self.cleaned_data["valid_until"]),
            "by": self.user,
        }


DETAILS = ("evidence_type", "version", "valid_until")


@entries.register
class AddFile(EvidenceForm):
    key = "evidence-file"
    heading = _("Add a file as evidence")
    submit = _("Add this file")
    done = _("The file is part of the evidence now.")
    icon = "upload"
    lead = _("The file is kept as it is, under its SHA-256. Nobody can change it afterwards.")
    grouping = (
        (_("The file"), ("upload", "title", "statement")),
        (_("What it is for"), ("criterion", *DETAILS)),
    )

    upload = forms.FileField(label=_("File"), allow_empty_file=True)

    def prepare(self) -> None:
        super().prepare()
        self.fields["upload"].help_text = _("At most %(size)d MB. %(types)s.") % {
            "size": files.max_bytes() // (1024 * 1024),
            "types": ", ".join(sorted(files.TYPES)),
        }

    def save(self) -> Evidence:
        return services.add_file(upload=self.cleaned_data["upload"], **self.shared())


@entries.register
class AddLink(EvidenceForm):
    key = "evidence-link"
    heading = _("Add a link as evidence")
    submit = _("Add this link")
    done = _("The link is part of the evidence now.")
    icon = "link"
    lead = _("For evidence that has to stay where it is. What lies behind a link can change: prefer a file.")
    grouping = ((_("The link"), ("url", "title", "statement")), (_("What it is for"), ("criterion", *DETAILS)))

    url = forms.URLField(
        label=_("Address"),
        max_length=1000,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )

    def save(self) -> Evidence:
        return services.add_link(url=self.cleaned_data["url"], **self.shared())


@entries.register
class Attest(EntryForm):
    key = "attestation"
    heading = _("Attest")
    submit = _("Attest this in my name")
    done = _("Your attestation is on record.")
    icon = "sign"
    lead = _("You stand for this by name, in a role that you hold here. It is kept and cannot be changed.")
    grouping = (
        (_("What you confirm"), ("criterion", "role", "items", "statement")),
        (_("What it rests on"), ("sample_size", "valid_until")),
    )

    criterion = forms.CharField(label=_("Criterion"), max_length=40, help_text=_("Such as IP-03."))
    role = forms.ChoiceField(label=_("In the role"))
    items = forms.MultipleChoiceField(
        label=_("You confirm each of these"), required=False, widget=forms.CheckboxSelectMultiple
    )
    statement = words(_("In your words"), rows=4, required=True)
    sample_size = forms.IntegerField(
        label=_("Looked at"),
        required=False,
        min_value=1,
        help_text=_("How many cases, sessions or outputs you looked at, where the criterion asks for a number."),
    )
    valid_until = forms.DateField(label=_("Valid until"), required=False, widget=DateInput())

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        return user.is_person and bool(held(user, use_case))

    def prepare(self) -> None:
        roles = sorted(held(self.user, self.use_case), key=role_name)
        self.fields["role"].choices = [(key, role_name(key)) for key in roles]  # type: ignore[attr-defined]
        criterion = str(self.data.get("criterion") or self.initial.get("criterion") or "")
        items = attestation_items().get(criterion, {})
        if items:
            self.fields["items"].choices = list(items.items())  # type: ignore[attr-defined]
        else:
            del self.fields["items"]

    def save(self) -> Evidence:
        return services.attest(
            use_case=self.use_case,
            by=self.user,
            items=self.cleaned_data.get("items", ()),
            valid_until=end_of(self.cleaned_data["valid_until"]),
            **self.given("criterion", "role", "statement", "sample_size"),
        )


class OnEvidence(EntryForm):
    subject_model = Evidence


@entries.register
class Verify(OnEvidence, Confirmation):
    key = "verify-evidence"
    heading = _("Verify this evidence")
    submit = _("I looked at it and stand for it")
    done = _("Verified.")
    icon = "check-circle"
    lead = _("You confirm that you opened it, that it is what it says, and that it may be relied on.")
    actions = ("evidence.verify",)

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        fitting = super().permitted(user, use_case, allowed, subject) and user.is_person
        return fitting and (subject is None or user.pk != subject.added_by_id)

    def save(self) -> Evidence:
        return services.verify_evidence(evidence=self.subject, by=self.user)


@entries.register
class Withdraw(OnEvidence):
    key = "withdraw-evidence"
    heading = _("Withdraw this evidence")
    submit = _("Withdraw it")
    done = _("Withdrawn. It stays on record and counts no longer.")
    icon = "return"
    lead = _("Findings that rest on it are judged anew. It stays on record with your reason.")
    danger = True

    reason = forms.CharField(label=_("Why"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        return "evidence.verify" in allowed or (subject is not None and user.pk == subject.added_by_id)

    def save(self) -> Evidence:
        return services.withdraw_evidence(evidence=self.subject, by=self.user, reason=self.cleaned_data["reason"])
