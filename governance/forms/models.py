"""Models, versions, their cards, and datasets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from governance import services
from governance.catalogue import bundle_parts, card_sections
from governance.forms.entry import Confirmation, EntryForm, entries, words
from governance.forms.validation import MetricsField
from governance.models import AiModel, Dataset, ModelVersion
from governance.selectors import usable_datasets
from governance.services.models import needs_two_to_promote
from portfolio.models import UseCase


class ModelFields(EntryForm):
    icon = "model"
    panel = "models"
    actions = ("model.register",)

    name = forms.CharField(label=_("Name"), max_length=200)
    kind = forms.CharField(
        label=_("Kind"), required=False, max_length=60, help_text=_("Such as classifier, forecaster, LLM, agent.")
    )
    provider = forms.CharField(
        label=_("Provider"), required=False, max_length=200, help_text=_("Who made it. Empty: we did.")
    )
    registry_uri = forms.CharField(
        label=_("Place in the registry"), required=False, max_length=500, help_text=_("Such as models:/ranker.")
    )


@entries.register
class RegisterModel(ModelFields):
    key = "model"
    heading = _("Register a model")
    submit = _("Register this model")
    done = _("The model is registered. Now register its first version.")

    def save(self) -> AiModel:
        given = self.given("name", "kind", "provider", "registry_uri")
        return services.register_model(use_case=self.use_case, by=self.user, owner=self.user, **given)


@entries.register
class EditModel(ModelFields):
    key = "edit-model"
    short = _("Describe")
    heading = _("Change how the model is described")
    submit = _("Save these words")
    icon = "edit"
    subject_model = AiModel

    def prepare(self) -> None:
        self.initial.update(
            {name: getattr(self.subject, name) for name in ("name", "kind", "provider", "registry_uri")}
        )

    def save(self) -> AiModel:
        changes = self.given("name", "kind", "provider", "registry_uri")
        return services.edit_model(model=self.subject, changes=changes, by=self.user)


@entries.register
class RegisterVersion(EntryForm):
    key = "version"
    short = _("Register a version")
    heading = _("Register a version")
    submit = _("Register this version")
    done = _("The version is a candidate now.")
    icon = "branch"
    panel = "models"
    actions = ("version.register",)
    subject_model = AiModel
    lead = _("A version is what can be rebuilt: code, data, prompts and environment together.")
    grouping = (
        (_("Which version"), ("label", "significant", "change_note")),
        (_("What it is made of"), (*(f"bundle_{part.key}" for part in bundle_parts()), "datasets")),
        (_("What it reaches"), ("metrics",)),
    )

    label = forms.CharField(label=_("Label"), max_length=60, help_text=_("Such as 2.1 or 2026-11-rc1."))
    significant = forms.BooleanField(
        label=_("A significant change"),
        required=False,
        initial=True,
        help_text=_("What was shown of versions before it no longer counts. Leave it off for repairs alone."),
    )
    change_note = words(_("What changed"))
    datasets: Any = forms.ModelMultipleChoiceField(
        label=_("Datasets it was trained on"),
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Those of the units that you can see. Register missing ones under Models."),
    )
    metrics = MetricsField(label=_("Metrics of the version"))

    def prepare(self) -> None:
        for part in bundle_parts():
            self.fields[f"bundle_{part.key}"] = forms.CharField(
                label=part.label, required=False, max_length=500, help_text=part.help
            )
        self.fields["datasets"].queryset = usable_datasets(self.user, self.use_case)  # type: ignore[attr-defined]
        self.initial.setdefault("metrics", {})

    def save(self) -> ModelVersion:
        bundle = {part.key: self.cleaned_data[f"bundle_{part.key}"] for part in bundle_parts()}
        given = self.given("label", "significant", "change_note", "metrics", "datasets")
        return services.register_version(model=self.subject, by=self.user, bundle=bundle, **given)


class OnVersion(EntryForm):
    subject_model = ModelVersion
    panel = "models"
    icon = "branch"


@entries.register
class EditCard(OnVersion):
    key = "card"
    heading = _("Write the model card")
    submit = _("Save the card")
    icon = "document"
    actions = ("version.register", "model.register")
    lead = _("Whoever decides about this model reads this. Markdown is allowed.")

    def prepare(self) -> None:
        for section in card_sections():
            self.fields[section.key] = words(section.label, rows=4, help=section.help)
            self.initial.setdefault(section.key, (self.subject.card or {}).get(section.key, ""))

    def save(self) -> ModelVersion:
        card = {section.key: self.cleaned_data[section.key] for section in card_sections()}
        return services.edit_card(version=self.subject, card=card, by=self.user)


@entries.register
class ApproveVersion(OnVersion, Confirmation):
    key = "approve-version"
    heading = _("Approve this version")
    submit = _("Approve it")
    done = _("Approved.")
    icon = "check-circle"
    actions = ("version.approve",)
    lead = _("You stand for the version beside its author. It can then be promoted by its author too.")

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        fitting = super().permitted(user, use_case, allowed, subject)
        return fitting and (subject is None or (user.pk != subject.author_id and not subject.approved_by_id))

    def save(self) -> ModelVersion:
        return services.approve_version(version=self.subject, by=self.user)


@entries.register
class PromoteVersion(OnVersion, Confirmation):
    key = "promote-version"
    heading = _("Promote this version")
    submit = _("Make it live")
    done = _("The version is live.")
    icon = "rocket"
    actions = ("deployment.promote",)
    lead = _("It becomes the live version; the one that is live now is retired. This deploys nothing by itself.")

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        if not super().permitted(user, use_case, allowed, subject):
            return False
        alone = subject is not None and user.pk == subject.author_id and not subject.approved_by_id
        return not (alone and needs_two_to_promote(subject))

    def save(self) -> ModelVersion:
        return services.promote_version(version=self.subject, by=self.user)


@entries.register
class RetireVersion(OnVersion):
    key = "retire-version"
    heading = _("Retire this version")
    submit = _("Retire it")
    done = _("Retired.")
    icon = "archive"
    danger = True
    actions = ("model.retire",)

    reason = words(_("Why"), rows=2, required=True)

    def save(self) -> ModelVersion:
        return services.retire_version(version=self.subject, by=self.user, reason=self.cleaned_data["reason"])


class DatasetFields(EntryForm):
    icon = "data"
    panel = "models"
    actions = ("data_asset.register",)

    name = forms.CharField(label=_("Name"), max_length=200)
    description = words(_("What it holds"))
    sensitivity = forms.ChoiceField(
        label=_("Sensitivity"),
        required=False,
        choices=[
            ("", _("Not classified")),
            ("public", _("Public")),
            ("internal", _("Internal")),
            ("personal", _("Personal")),
            ("sensitive", _("Sensitive")),
            ("special_category", _("Special category")),
        ],
    )
    lineage = words(_("Where it comes from"), help=_("Sources and steps, down to where a value first arises."))


@entries.register
class RegisterDataset(DatasetFields):
    key = "dataset"
    heading = _("Register a dataset")
    submit = _("Register this dataset")
    done = _("The dataset is registered. A steward can certify it.")

    def save(self) -> Dataset:
        given = self.given("name", "description", "sensitivity", "lineage")
        return services.register_dataset(unit=self.use_case.unit, use_case=self.use_case, by=self.user, **given)
