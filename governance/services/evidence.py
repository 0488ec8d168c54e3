"""Evidence: files, links and attestations; verified by somebody else; withdrawn, never edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.files import File
from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import access
from accounts.roles import role_name
from governance import files
from governance.models import Evidence, ModelVersion
from governance.services.permission import Actor, account, allow, allow_any, another, hold, person
from kernel.canonical import digest, plain
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import state, unit_of_work
from portfolio.models import UseCase
from portfolio.signals import announce_change

SHOWN = ("kind", "evidence_type", "criterion", "title", "url", "file_name", "size", "sha256", "valid_until", "version")


def add_file(
    *,
    use_case: UseCase,
    upload: File,  # type: ignore[type-arg]
    title: str,
    by: Actor,
    evidence_type: str = "",
    criterion: str = "",
    valid_until: datetime | None = None,
    version: ModelVersion | None = None,
    statement: str = "",
) -> Evidence:
    """Keep a file as evidence. Empty, too large and forbidden files are refused (``governance.files``)."""
    allow(by, "evidence.upload", use_case)
    checked = files.check(upload)
    evidence = _new(
        use_case=use_case,
        kind=Evidence.Kind.FILE,
        title=title or checked.name,
        by=by,
        evidence_type=evidence_type,
        criterion=criterion,
        valid_until=valid_until,
        version=version,
    )
    evidence.statement = statement.strip()
    evidence.file.name = files.keep(upload, checked)
    evidence.file_name, evidence.media_type = checked.name, checked.media_type
    evidence.size, evidence.sha256 = checked.size, checked.sha256
    return _add(evidence, by)


def add_link(
    *,
    use_case: UseCase,
    url: str,
    title: str,
    by: Actor,
    evidence_type: str = "",
    criterion: str = "",
    valid_until: datetime | None = None,
    version: ModelVersion | None = None,
    statement: str = "",
) -> Evidence:
    """Point to evidence that is kept elsewhere. Its digest is that of the address, not of what lies behind it."""
    allow(by, "evidence.upload", use_case)
    try:
        URLValidator(schemes=["http", "https"])(url)
    except DjangoValidationError as error:
        raise Invalid(_("This is no address of the web."), errors={"url": error.messages}) from error
    evidence = _new(
        use_case=use_case,
        kind=Evidence.Kind.LINK,
        title=title or url,
        by=by,
        evidence_type=evidence_type,
        criterion=criterion,
        valid_until=valid_until,
        version=version,
    )
    evidence.url, evidence.statement = url, statement.strip()
    evidence.sha256 = digest({"url": url})
    return _add(evidence, by)


def add_run(
    *,
    use_case: UseCase,
    title: str,
    content: Mapping[str, Any],
    by: Actor,
    rights: tuple[str, ...],
    statement: str = "",
    url: str = "",
    version: ModelVersion | None = None,
    evidence_type: str = "",
) -> Evidence:
    """What somebody, or a machine, reports of a run. Its digest is that of what was reported, as canonical JSON.

    ``rights``: one of these has to be held; the caller names them, for it knows which kind of report this is.
    """
    allow_any(by, rights, use_case)
    evidence = _new(
        use_case=use_case,
        kind=Evidence.Kind.RUN,
        title=title,
        by=by,
        evidence_type=evidence_type,
        criterion="",
        valid_until=None,
        version=version,
    )
    evidence.url, evidence.statement, evidence.sha256 = url, statement.strip(), digest(content)
    reported = plain(content)
    assert isinstance(reported, dict)
    return _add(evidence, by, extra={"reported": reported})


def attest(
    *,
    use_case: UseCase,
    criterion: str,
    role: str,
    statement: str,
    by: Actor,
    items: Sequence[str] = (),
    sample_size: int | None = None,
    evidence_type: str = "attestation",
    title: str = "",
    valid_until: datetime | None = None,
    version: ModelVersion | None = None,
) -> Evidence:
    """A person confirms a statement in a role that they hold on the use case. Machines never attest."""
    someone = person(by)
    hold(someone, [role], use_case, scope="evidence.upload")
    if not statement.strip():
        message = _("Say in words what you confirm.")
        raise Invalid(message, errors={"statement": [message]})
    name = title or _("Attestation by %(role)s") % {"role": role_name(role)}
    evidence = _new(
        use_case=use_case,
        kind=Evidence.Kind.ATTESTATION,
        title=name,
        by=by,
        evidence_type=evidence_type,
        criterion=criterion,
        valid_until=valid_until,
        version=version,
    )
    evidence.statement, evidence.role = statement.strip(), role
    evidence.items, evidence.sample_size = list(items), sample_size
    evidence.sha256 = digest(
        {
            "criterion": criterion,
            "role": role,
            "statement": evidence.statement,
            "items": list(items),
            "sample_size": sample_size,
            "by": someone.pk,
            "at": evidence.added_at,
        }
    )
    return _add(evidence, by, extra={"role": role, "statement": evidence.statement, "items": list(items)})


def verify_evidence(*, evidence: Evidence, by: Actor) -> Evidence:
    """Another person looked at it and stands for it too."""
    someone = person(by)
    allow(by, "evidence.verify", evidence.use_case)
    another(by, evidence.added_by_id, _("You cannot verify this: you added it."))
    with unit_of_work(by=by) as uow:
        evidence = _locked(evidence)
        if evidence.verified_by_id:
            raise Conflict(_("This is verified already, by %(name)s.") % {"name": evidence.verified_by})
        before = state(evidence, ("verified_by", "verified_at"))
        evidence.verified_by, evidence.verified_at = someone, timezone.now()
        evidence.save(update_fields=["verified_by", "verified_at"])
        after = state(evidence, ("verified_by", "verified_at"))
        uow.record("evidence.verified", subject=evidence, use_case=evidence.use_case, before=before, after=after)
        announce_change(uow, evidence.use_case_id, "evidence")
    return evidence


def withdraw_evidence(*, evidence: Evidence, by: Actor, reason: str) -> Evidence:
    """Take evidence back: it stays on record, and counts no longer. Its author may, and whoever may verify."""
    someone = account(by)
    if someone.pk != evidence.added_by_id and not access.can(someone, "evidence.verify", evidence.use_case):
        raise PermissionDenied(_("Only its author, or somebody who may verify evidence here, can withdraw this."))
    if not reason.strip():
        message = _("Say why it is withdrawn.")
        raise Invalid(message, errors={"reason": [message]})
    with unit_of_work(by=by) as uow:
        evidence = _locked(evidence)
        evidence.withdrawn_at, evidence.withdrawn_by = timezone.now(), someone
        evidence.withdrawn_reason = reason.strip()[:300]
        evidence.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason"])
        uow.record(
            "evidence.withdrawn",
            subject=evidence,
            use_case=evidence.use_case,
            before={"withdrawn_at": None},
            after=state(evidence, ("withdrawn_at", "withdrawn_reason")),
            note=reason.strip(),
        )
        announce_change(uow, evidence.use_case_id, "evidence")
    return evidence


def _new(
    *,
    use_case: UseCase,
    kind: str,
    title: str,
    by: Actor,
    evidence_type: str,
    criterion: str,
    valid_until: datetime | None,
    version: ModelVersion | None,
) -> Evidence:
    now = timezone.now()
    if valid_until is not None and valid_until <= now:
        message = _("It has to be valid until a day in the future.")
        raise Invalid(message, errors={"valid_until": [message]})
    if version is not None and version.model.use_case_id != use_case.pk:
        message = _("This version belongs to another use case.")
        raise Invalid(message, errors={"version": [message]})
    return Evidence(
        use_case=use_case,
        kind=kind,
        title=title.strip()[:300],
        evidence_type=evidence_type,
        criterion=criterion.strip(),
        valid_from=now,
        valid_until=valid_until,
        version=version,
        added_by=account(by),
        added_at=now,
    )


def _add(evidence: Evidence, by: Actor, extra: dict[str, Any] | None = None) -> Evidence:
    with unit_of_work(by=by) as uow:
        evidence.save(force_insert=True)
        after = {**state(evidence, SHOWN), **(extra or {})}
        uow.record("evidence.added", subject=evidence, use_case=evidence.use_case, after=after)
        announce_change(uow, evidence.use_case_id, "evidence")
    return evidence


def _locked(evidence: Evidence) -> Evidence:
    found = lock_rows(Evidence.objects.select_related("use_case__unit", "verified_by")).get(pk=evidence.pk)
    if found.withdrawn_at:
        raise Conflict(_("This evidence was withdrawn."), hint=found.withdrawn_reason)
    return found
