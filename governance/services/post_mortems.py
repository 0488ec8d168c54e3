"""Post-mortems: written by whoever handled the incident, approved and sealed by somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import can
from accounts.models import User
from governance.failure_modes import failure_modes
from governance.models import Incident, Issue, PostMortem
from governance.services.issues import raise_issue
from governance.services.permission import Actor, account_or_none, allow, another, person
from kernel.canonical import digest
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid, NotReady
from ledger import state, unit_of_work
from portfolio.signals import announce_change

CONTENT = ("what_happened", "causes", "why", "what_changes", "owner", "due_on", "written_by", "written_at")
SEAL = ("approved_by", "sealed_at", "sha256", "action")
LONGEST = 20_000


def write_post_mortem(
    *,
    incident: Incident,
    what_happened: str,
    causes: Sequence[str],
    why: str,
    what_changes: str,
    owner: User,
    due_on: date,
    by: Actor,
) -> PostMortem:
    """Write or rewrite it. ``Conflict`` once it is sealed."""
    allow(by, "incident.manage", incident.use_case)
    texts = {"what_happened": what_happened.strip(), "why": why.strip(), "what_changes": what_changes.strip()}
    errors = {
        name: [_("Write something, in at most %(most)d characters.") % {"most": LONGEST}]
        for name, text in texts.items()
        if not text or len(text) > LONGEST
    }
    if not causes or set(causes) - failure_modes().keys():
        errors["causes"] = [_("Choose at least one known cause.")]
    if not (owner.is_person and can(owner, "use_case.view", incident.use_case)):
        errors["owner"] = [_("Choose somebody who works with this use case.")]
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=errors)
    with unit_of_work(by=by) as uow:
        lock_rows(Incident.objects.filter(pk=incident.pk)).get()
        found = lock_rows(PostMortem.objects.filter(incident=incident)).first()
        if found is not None and found.is_sealed:
            raise Conflict(_("This post-mortem is sealed."))
        before = state(found, CONTENT) if found else None
        written = found or PostMortem(incident=incident)
        for name, text in texts.items():
            setattr(written, name, text)
        written.causes = [key for key in failure_modes() if key in causes]
        written.owner, written.due_on = owner, due_on
        written.written_by, written.written_at = account_or_none(by), timezone.now()
        written.save()
        uow.record(
            "post_mortem.written",
            subject=written,
            use_case=incident.use_case,
            before=before,
            after=state(written, CONTENT),
        )
    return written


def approve_post_mortem(*, post_mortem: PostMortem, by: User) -> PostMortem:
    """Approve and seal it. What changes becomes a corrective action with its owner and day.

    ``NotReady`` while the incident is open; ``PermissionDenied`` for whoever wrote it, and for machines.
    """
    use_case = post_mortem.incident.use_case
    allow(by, "incident.close", use_case)
    person(by)
    with unit_of_work(by=by) as uow:
        rows = PostMortem.objects.select_related("incident__use_case__unit", "owner", "written_by")
        found = lock_rows(rows.filter(pk=post_mortem.pk)).get()
        another(by, found.written_by_id, _("You cannot approve this post-mortem: you wrote it."))
        if found.is_sealed:
            raise Conflict(_("This post-mortem is sealed."))
        if found.incident.closed_at is None:
            raise NotReady(_("Close the incident first: its cause and its times belong to what is approved."))
        found.action = raise_issue(
            use_case=use_case,
            kind=Issue.Kind.INCIDENT_ACTION,
            title=found.what_changes.splitlines()[0],
            description=found.what_changes,
            owner=found.owner,
            due_on=found.due_on,
            incident=found.incident,
            by=by,
        )
        found.approved_by, found.sealed_at = by, timezone.now()
        found.sha256 = content_digest(found)
        found.save(update_fields=SEAL)
        uow.record("post_mortem.sealed", subject=found, use_case=use_case, after=state(found, SEAL))
        announce_change(uow, use_case.pk, "incident")
    return found


def content_digest(post_mortem: PostMortem) -> str:
    """SHA-256 of the canonical JSON of what was approved; anybody can calculate it again."""
    return digest({"incident": str(post_mortem.incident_id), **state(post_mortem, CONTENT)})
