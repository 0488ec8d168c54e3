"""Documents: each save is a new revision; another person reviews it and another one than its author approves it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import access
from accounts.models import User
from governance.catalogue import DocumentType, document_types
from governance.figures import decimals
from governance.models import Document, Evidence, ModelVersion
from governance.services.permission import Actor, account, allow, another, hold, person
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid, NotReady
from ledger import state, unit_of_work
from portfolio.models import UseCase
from portfolio.signals import announce_change

SHOWN = ("doc_type", "title", "revision", "status", "sections", "measures", "describes", "evidence", "tested_at")
STATUS = ("status", "reviewed_by", "reviewed_at", "approved_by", "approved_at")


def write_document(
    *,
    use_case: UseCase,
    doc_type: str,
    title: str,
    sections: Mapping[str, str],
    by: Actor,
    measures: Mapping[str, Decimal | str | int] | None = None,
    status: str = "draft",
    describes: ModelVersion | None = None,
    tested_at: datetime | None = None,
    evidence: Evidence | None = None,
    base_revision: int | None = None,
) -> Document:
    """Write the next revision and make it current. It starts as a draft, whatever the one before was.

    ``base_revision`` is the revision that was open while writing: if somebody saved another one since, this is a
    ``Conflict`` and nothing is lost. Sections may go beyond those of the type; required ones decide completeness.
    """
    kind = known_type(doc_type)
    allow(by, kind.action, use_case)
    if status != Document.DocStatus.DRAFT:
        message = _("A new revision is a draft: others review and approve it.")
        raise Invalid(message, errors={"status": [message]})
    _check_belongs(use_case, describes, evidence)
    if tested_at is not None and tested_at > timezone.now():
        message = _("It cannot have been tried in the future.")
        raise Invalid(message, errors={"tested_at": [message]})
    with unit_of_work(by=by) as uow:
        lock_rows(UseCase.objects.filter(pk=use_case.pk)).get()
        current = Document.objects.filter(use_case=use_case, doc_type=doc_type, is_current=True).first()
        revision = current.revision if current else 0
        if base_revision is not None and base_revision != revision:
            raise Conflict(
                _("Somebody saved revision %(revision)d while you were writing.") % {"revision": revision},
                hint=_("Compare it with yours, then save again."),
            )
        if current:
            current.is_current = False
            current.save(update_fields=["is_current"])
        document = Document.objects.create(
            use_case=use_case,
            doc_type=doc_type,
            title=(title.strip() or kind.title)[:300],
            revision=revision + 1,
            sections={key: str(text) for key, text in sections.items()},
            measures=decimals(measures or {}),
            describes=describes,
            tested_at=tested_at,
            evidence=evidence,
            written_by=account(by),
            written_at=timezone.now(),
        )
        before = state(current, SHOWN) if current else None
        uow.record("document.written", subject=document, use_case=use_case, before=before, after=state(document, SHOWN))
        announce_change(uow, use_case.pk, "evidence")
    return document


def review_document(*, document: Document, by: Actor) -> Document:
    """Another person read the draft and finds it sound."""
    kind = known_type(document.doc_type)
    someone = _may_judge(document, kind, by)
    with unit_of_work(by=by) as uow:
        document = _locked(document)
        if document.status != Document.DocStatus.DRAFT:
            raise Conflict(_("This revision was reviewed already."))
        before = state(document, STATUS)
        document.status = Document.DocStatus.REVIEWED
        document.reviewed_by, document.reviewed_at = someone, timezone.now()
        document.save(update_fields=["status", "reviewed_by", "reviewed_at"])
        after = state(document, STATUS)
        uow.record("document.reviewed", subject=document, use_case=document.use_case, before=before, after=after)
        announce_change(uow, document.use_case_id, "evidence")
    return document


def approve_document(*, document: Document, by: Actor) -> Document:
    """Approve a reviewed revision. Every required section has to be filled."""
    kind = known_type(document.doc_type)
    someone = _may_judge(document, kind, by)
    with unit_of_work(by=by) as uow:
        document = _locked(document)
        if document.status == Document.DocStatus.APPROVED:
            raise Conflict(_("This revision was approved already."))
        if document.status != Document.DocStatus.REVIEWED:
            raise NotReady(_("Somebody has to review this revision before it can be approved."))
        _check_complete(document, kind)
        before = state(document, STATUS)
        document.status = Document.DocStatus.APPROVED
        document.approved_by, document.approved_at = someone, timezone.now()
        document.save(update_fields=["status", "approved_by", "approved_at"])
        after = state(document, STATUS)
        uow.record("document.approved", subject=document, use_case=document.use_case, before=before, after=after)
        announce_change(uow, document.use_case_id, "evidence")
    return document


def may_judge(user: User, document: Document) -> bool:
    """Whether ``user`` may review and approve this document: not its author, and in a fitting role."""
    if not user.is_person or user.pk == document.written_by_id:
        return False
    if access.can(user, "evidence.verify", document.use_case):
        return True
    kind = document_types().get(document.doc_type)
    return bool(kind and access.roles_on(user, document.use_case) & set(kind.approvers))


def known_type(key: str) -> DocumentType:
    try:
        return document_types()[key]
    except KeyError:
        message = _("There is no document type %(key)s.") % {"key": key}
        raise Invalid(message, errors={"doc_type": [message]}) from None


def _may_judge(document: Document, kind: DocumentType, by: Actor) -> User:
    someone = person(by)
    another(by, document.written_by_id, _("You cannot review or approve this: you wrote it."))
    if not access.can(someone, "evidence.verify", document.use_case):
        hold(someone, kind.approvers, document.use_case)
    return someone


def _locked(document: Document) -> Document:
    found = lock_rows(Document.objects.select_related("use_case__unit")).get(pk=document.pk)
    if not found.is_current:
        raise Conflict(_("There is a newer revision of this document."))
    return found


def _check_complete(document: Document, kind: DocumentType) -> None:
    empty = [s for s in kind.sections if s.required and not str(document.sections.get(s.key, "")).strip()]
    # A document that was written elsewhere may be one attached file.
    if empty and document.evidence_id is None:
        errors: dict[str, Any] = {section.key: [_("This section is empty.")] for section in empty}
        names = ", ".join(section.label for section in empty)
        raise NotReady(_("Sections are empty: %(sections)s.") % {"sections": names}, errors=errors)


def _check_belongs(use_case: UseCase, version: ModelVersion | None, evidence: Evidence | None) -> None:
    if version is not None and version.model.use_case_id != use_case.pk:
        message = _("This version belongs to another use case.")
        raise Invalid(message, errors={"describes": [message]})
    if evidence is not None and evidence.use_case_id != use_case.pk:
        message = _("This evidence belongs to another use case.")
        raise Invalid(message, errors={"evidence": [message]})
