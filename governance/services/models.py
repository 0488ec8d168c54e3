"""Models and their versions: registered, described, approved by another person, made live, retired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from governance.catalogue import card_sections
from governance.figures import decimals
from governance.models import AiModel, Dataset, ModelVersion, VersionDataset
from governance.services.permission import Actor, account, allow, allow_any, another, person
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import state, unit_of_work
from portfolio.models import Tier, UseCase
from portfolio.signals import announce_change

MODEL = ("name", "kind", "provider", "registry_uri", "owner")
VERSION = ("model", "label", "number", "state", "bundle", "metrics", "significant", "change_note")
LIFE = ("state", "live_at", "retired_at")
Used = Dataset | tuple[Dataset, str]


def register_model(
    *,
    use_case: UseCase,
    name: str,
    by: Actor,
    kind: str = "",
    provider: str = "",
    registry_uri: str = "",
    owner: User | None = None,
) -> AiModel:
    """Enter a model of the use case, made here or bought."""
    allow(by, "model.register", use_case)
    if not name.strip():
        message = _("Name the model.")
        raise Invalid(message, errors={"name": [message]})
    with unit_of_work(by=by) as uow:
        lock_rows(UseCase.objects.filter(pk=use_case.pk)).get()
        if AiModel.objects.filter(use_case=use_case, name=name.strip()).exists():
            message = _("The use case has a model of this name.")
            raise Invalid(message, errors={"name": [message]})
        model = AiModel.objects.create(
            use_case=use_case, name=name.strip(), kind=kind, provider=provider, registry_uri=registry_uri, owner=owner
        )
        uow.record("model.registered", subject=model, use_case=use_case, after=state(model, MODEL))
        announce_change(uow, use_case.pk, "evidence")
    return model


def edit_model(*, model: AiModel, changes: Mapping[str, object], by: Actor) -> AiModel:
    """Correct how a model is described."""
    allow(by, "model.register", model.use_case)
    unknown = sorted(set(changes) - set(MODEL))
    if unknown:
        raise Invalid(_("These fields cannot be changed: %(fields)s.") % {"fields": ", ".join(unknown)})
    with unit_of_work(by=by) as uow:
        model = lock_rows(AiModel.objects.select_related("use_case__unit")).get(pk=model.pk)
        before = state(model, MODEL)
        for name, value in changes.items():
            setattr(model, name, value)
        model.save(update_fields=list(changes))
        uow.record("model.edited", subject=model, use_case=model.use_case, before=before, after=state(model, MODEL))
        announce_change(uow, model.use_case_id, "evidence")
    return model


def register_version(
    *,
    model: AiModel,
    label: str,
    by: Actor,
    bundle: Mapping[str, object] | None = None,
    metrics: Mapping[str, Decimal | str | int] | None = None,
    card: Mapping[str, str] | None = None,
    datasets: Iterable[Used] = (),
    change_note: str = "",
    significant: bool = True,
) -> ModelVersion:
    """Register the next version as a candidate: its bundle of code, data, prompts and environment, and its card."""
    allow(by, "version.register", model.use_case)
    if not label.strip():
        message = _("Give the version a label.")
        raise Invalid(message, errors={"label": [message]})
    figures = decimals(metrics or {})
    with unit_of_work(by=by) as uow:
        lock_rows(AiModel.objects.filter(pk=model.pk)).get()
        if model.versions.filter(label=label.strip()).exists():
            message = _("The model has a version %(label)s.") % {"label": label.strip()}
            raise Invalid(message, errors={"label": [message]})
        last = model.versions.order_by("-number").values_list("number", flat=True).first()
        version = ModelVersion.objects.create(
            model=model,
            label=label.strip(),
            number=(last or 0) + 1,
            bundle={str(key): value for key, value in (bundle or {}).items() if value not in (None, "")},
            metrics=figures,
            card=_card(card or {}),
            change_note=change_note.strip(),
            significant=significant,
            author=account(by),
            registered_at=timezone.now(),
        )
        used = [_used(version, each) for each in datasets]
        VersionDataset.objects.bulk_create(used)
        after = {**state(version, VERSION), "datasets": sorted(str(each.dataset_id) for each in used)}
        uow.record("version.registered", subject=version, use_case=model.use_case, after=after, note=change_note)
        announce_change(uow, model.use_case_id, "model" if significant else "evidence")
    return version


def edit_card(*, version: ModelVersion, card: Mapping[str, str], by: Actor) -> ModelVersion:
    """Write sections of the model card; sections that are not given stay."""
    allow_any(by, ("version.register", "model.register"), version.model.use_case)
    texts = _card(card)
    with unit_of_work(by=by) as uow:
        version = _locked(version)
        before = {"card": version.card}
        version.card = {**version.card, **texts}
        version.save(update_fields=["card"])
        use_case = version.model.use_case
        uow.record(
            "version.card_edited", subject=version, use_case=use_case, before=before, after={"card": version.card}
        )
        announce_change(uow, use_case.pk, "evidence")
    return version


def approve_version(*, version: ModelVersion, by: Actor) -> ModelVersion:
    """Somebody other than its author stands for a version."""
    someone = person(by)
    allow(by, "version.approve", version.model.use_case)
    another(by, version.author_id, _("You cannot approve this version: you registered it."))
    with unit_of_work(by=by) as uow:
        version = _locked(version)
        if version.approved_by_id:
            raise Conflict(_("This version is approved already."))
        version.approved_by, version.approved_at = someone, timezone.now()
        version.save(update_fields=["approved_by", "approved_at"])
        use_case = version.model.use_case
        after = state(version, ("approved_by",))
        uow.record("version.approved", subject=version, use_case=use_case, before={"approved_by": None}, after=after)
        announce_change(uow, use_case.pk, "evidence")
    return version


def promote_version(*, version: ModelVersion, by: Actor) -> ModelVersion:
    """Make a candidate live; the version that was live is retired.

    On limited and high tier an author does not promote alone: somebody else promotes it, or has approved it.
    """
    allow(by, "deployment.promote", version.model.use_case)
    if _needs_two(version.model.use_case) and version.approved_by_id is None:
        message = _("You cannot promote this version alone: you registered it. Somebody else promotes or approves it.")
        another(by, version.author_id, message)
    with unit_of_work(by=by) as uow:
        version = _locked(version)
        if version.state != ModelVersion.VersionState.CANDIDATE:
            raise Conflict(_("Only a candidate can be promoted."))
        use_case, now = version.model.use_case, timezone.now()
        for live in lock_rows(ModelVersion.objects.filter(model=version.model, state="live")):
            before = state(live, LIFE)
            live.state, live.retired_at = ModelVersion.VersionState.RETIRED, now
            live.save(update_fields=["state", "retired_at"])
            uow.record("version.retired", subject=live, use_case=use_case, before=before, after=state(live, LIFE))
        before = state(version, LIFE)
        version.state, version.live_at = ModelVersion.VersionState.LIVE, now
        version.save(update_fields=["state", "live_at"])
        uow.record("version.promoted", subject=version, use_case=use_case, before=before, after=state(version, LIFE))
        announce_change(uow, use_case.pk, "model")
    return version


def retire_version(*, version: ModelVersion, by: Actor, reason: str) -> ModelVersion:
    """Take a version out of use, or a candidate out of consideration."""
    allow(by, "model.retire", version.model.use_case)
    if not reason.strip():
        message = _("Say why it is retired.")
        raise Invalid(message, errors={"reason": [message]})
    with unit_of_work(by=by) as uow:
        version = _locked(version)
        if version.state == ModelVersion.VersionState.RETIRED:
            raise Conflict(_("This version is retired already."))
        before = state(version, LIFE)
        version.state, version.retired_at = ModelVersion.VersionState.RETIRED, timezone.now()
        version.save(update_fields=["state", "retired_at"])
        use_case, after = version.model.use_case, state(version, LIFE)
        uow.record(
            "version.retired", subject=version, use_case=use_case, before=before, after=after, note=reason.strip()
        )
        announce_change(uow, use_case.pk, "model")
    return version


def needs_two_to_promote(version: ModelVersion) -> bool:
    """Whether the author may not promote this version alone."""
    return _needs_two(version.model.use_case)


def _needs_two(use_case: UseCase) -> bool:
    return use_case.effective_tier != Tier.MINIMAL


def _card(card: Mapping[str, str]) -> dict[str, str]:
    known = {section.key for section in card_sections()}
    unknown = sorted(set(card) - known)
    if unknown:
        message = _("The model card has no section %(sections)s.") % {"sections": ", ".join(unknown)}
        raise Invalid(message, errors={"card": [message]})
    return {key: str(text).strip() for key, text in card.items()}


def _used(version: ModelVersion, used: Used) -> VersionDataset:
    dataset, purpose = used if isinstance(used, tuple) else (used, VersionDataset.Purpose.TRAINING)
    return VersionDataset(version=version, dataset=dataset, purpose=purpose)


def _locked(version: ModelVersion) -> ModelVersion:
    rows = ModelVersion.objects.select_related("model__use_case__unit", "approved_by")
    return lock_rows(rows).get(pk=version.pk)
