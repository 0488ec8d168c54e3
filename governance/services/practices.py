"""What an organisation declares about the practices of a framework, with where it was declared."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.models import PracticeDeclaration
from governance.services.permission import Actor, account_or_none, allow_any
from kernel.database import lock_rows
from kernel.errors import Invalid
from ledger import state, unit_of_work
from portfolio.models import UseCase
from portfolio.signals import announce_change

SHOWN = ("practice", "answer", "detail", "source")
MAY_DECLARE = ("use_case.edit", "risk.edit_register")


def declare_practice(
    *, use_case: UseCase, practice: str, answer: str, detail: str, source: str, by: Actor, reason: str = ""
) -> PracticeDeclaration:
    """Declare one practice; a changed declaration takes a reason. Declaring the same again changes nothing."""
    allow_any(by, MAY_DECLARE, use_case)
    errors: dict[str, list[str]] = {}
    if not practice.strip():
        errors["practice"] = [_("Name the practice.")]
    if answer not in PracticeDeclaration.Answer.values:
        errors["answer"] = [_("Choose one of %(answers)s.") % {"answers": ", ".join(PracticeDeclaration.Answer.values)}]
    if errors:
        raise Invalid(_("The declaration cannot be kept like this."), errors=errors)
    with unit_of_work(by=by) as uow:
        lock_rows(UseCase.objects.filter(pk=use_case.pk)).get()
        there = PracticeDeclaration.objects.filter(use_case=use_case, practice=practice.strip()).first()
        before = state(there, SHOWN) if there else None
        saved = there or PracticeDeclaration(use_case=use_case, practice=practice.strip())
        saved.answer, saved.detail, saved.source = answer, detail, source[:300]
        after = state(saved, SHOWN)
        if before == after:
            return saved
        if before is not None and account_or_none(by) is not None and not reason.strip():
            message = _("Say why the declaration changes.")
            raise Invalid(message, errors={"reason": [message]})
        saved.declared_by, saved.declared_at = account_or_none(by), timezone.now()
        saved.save()
        uow.record(
            "practice.declared", subject=saved, use_case=use_case, before=before, after=after, note=reason.strip()
        )
        announce_change(uow, use_case.pk, "evidence")
    return saved
