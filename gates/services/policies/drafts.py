"""Draft a policy: start from what is in force, save, propose, send back, discard. A draft is always a sound policy."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from gates.in_force import primary
from gates.models import Policy, PolicyVersion
from gates.policy import PolicyBody
from gates.policy_access import DRAFT, PUBLISH, authors_of, people_who_may, require_may
from gates.policy_edits import edited
from gates.policy_extension import merge
from gates.policy_reading import read_policy
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, unit_of_work
from ledger.models import Event
from notify.services import tell
from portfolio.models import BusinessUnit

LABEL = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}")
State = PolicyVersion.State
EXTENSION = """\
policy: {key}
extends: {base}
title: {title}
version: {label}
# What {unit} adds to the policy above, or tightens in it. Nothing here can ask for less.
# gates:
#   poc_to_pilot:
#     change:
#       PP-03: {{threshold: {{limited: 0.2}}, applies: {{minimal: mandatory}}, waivable: false}}
#     add:
#     - id: UNIT-01
#       ...
# approval_matrix:
#   poc_to_pilot:
#     limited: {{add_signers: [legal_privacy]}}
# least_tier: limited
"""


class DraftChanged(Conflict):
    """Somebody saved the draft since it was read: nothing of either is lost."""

    code = "draft_changed"


@dataclass(frozen=True, slots=True)
class Written:
    """A text that was read: what is stored of it."""

    text: str
    source: str
    body: PolicyBody
    label: str


def start_draft(*, policy: Policy, by: User, label: str, note: str = "") -> PolicyVersion:
    """A draft that begins as a copy of the published version, under a higher label.

    ``Conflict`` when nothing of the policy is published or the label is taken, ``Invalid`` when it is not higher.
    """
    require_may(by, DRAFT, policy.unit)
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(Policy.objects.select_related("unit").filter(pk=policy.pk)).get()
        base = published_of(fresh)
        if base is None:
            raise Conflict(f"Nothing of “{fresh.title}” is published, so there is nothing to start from.")
        text = edited(base.source or base.text, [(("version",), label.strip())], f"{fresh.key} {label}")
        written = read_draft(fresh, text)
        require_label(fresh, written.label, base)
        version = _create(fresh, written, by, base, note)
        _record(uow, "policy.draft_started", version, None)
    return version


def start_extension(*, unit: BusinessUnit, by: User, title: str = "", label: str = "1.0.0") -> PolicyVersion:
    """The first draft of what a business unit adds to the organisation's policy or tightens in it.

    ``Conflict`` when the unit extends it already: draft the next version of that.
    """
    require_may(by, DRAFT, unit)
    if unit.parent_id is None:
        raise Conflict("The organisation changes its own policy; only a unit below it extends it.")
    with unit_of_work(by=by) as uow:
        _version, base = primary()
        lock_rows(BusinessUnit.objects.filter(pk=unit.pk)).get()
        policy = Policy.objects.filter(unit=unit).first()
        if policy is None:
            title = title.strip()[:200] or f"{base.title}: {unit.name}"
            policy = Policy.objects.create(key=_free_key(unit.code), title=title, unit=unit)
        elif policy.versions.filter(state__in=("draft", "proposed", "published")).exists():
            raise Conflict(f"{unit} extends the policy already: “{policy.title}”.", hint="Draft its next version.")
        named = {"title": _quoted(policy.title), "unit": unit.name.replace("\n", " ")}
        text = EXTENSION.format(key=policy.key, base=base.key, label=_quoted(label.strip()), **named)
        written = read_draft(policy, text)
        require_label(policy, written.label, None)
        version = _create(policy, written, by, None, "")
        _record(uow, "policy.draft_started", version, None)
    return version


def save_draft(*, version: PolicyVersion, text: str, by: User, seen: str, note: str | None = None) -> PolicyVersion:
    """Replace the text of a draft; a proposed one becomes a draft again.

    ``seen`` is the digest of what the writer had before them: of the text (``text_digest``) or of the policy
    (``version.digest``). ``DraftChanged`` (409) when somebody saved since, ``Invalid`` (422) with line and column
    when the text is no sound policy; either way nothing is changed.
    """
    require_may(by, DRAFT, version.policy.unit)
    text = text.replace("\r\n", "\n")
    with unit_of_work(by=by) as uow:
        fresh = locked_draft(version)
        if seen not in (text_digest(fresh), fresh.digest):
            raise DraftChanged(
                f"{_last_writer(fresh)} saved this draft after you had opened it. Yours was not saved.",
                hint="Compare the two texts, then save again from the newest.",
            )
        written = read_draft(fresh.policy, text)
        require_label(fresh.policy, written.label, fresh.base, but=fresh)
        if text == text_of(fresh) and note in (None, fresh.note):
            return fresh
        before = _state(fresh)
        fresh.text, fresh.source, fresh.digest = written.text, written.source, written.body.digest
        fresh.label, fresh.state = written.label, State.DRAFT
        fresh.note = fresh.note if note is None else note.strip()
        fresh.save(update_fields=["text", "source", "digest", "label", "state", "note"])
        _record(uow, "policy.draft_saved", fresh, before)
    return fresh


def rebase_draft(*, version: PolicyVersion, by: User) -> PolicyVersion:
    """Take the version now in force as what this draft changes; its differences to that are then what is proposed."""
    require_may(by, DRAFT, version.policy.unit)
    with unit_of_work(by=by) as uow:
        fresh = locked_draft(version)
        base = published_of(fresh.policy)
        written = read_draft(fresh.policy, text_of(fresh))
        require_label(fresh.policy, written.label, base, but=fresh)
        before = _state(fresh)
        fresh.base, fresh.state = base, State.DRAFT
        fresh.text, fresh.digest = written.text, written.body.digest
        fresh.save(update_fields=["base", "state", "text", "digest"])
        _record(uow, "policy.draft_rebased", fresh, before)
    return fresh


def propose_draft(*, version: PolicyVersion, by: User, note: str = "") -> PolicyVersion:
    """Ask for publication by another person. ``Conflict`` when it changes nothing or another version came between."""
    require_may(by, DRAFT, version.policy.unit)
    with unit_of_work(by=by) as uow:
        fresh = locked_draft(version)
        if fresh.state == State.PROPOSED:
            raise Conflict("This draft waits for publication already.")
        require_current_base(fresh)
        if fresh.base is not None and _says_the_same(fresh, fresh.base):
            raise Conflict("This draft changes nothing yet.", hint="Change a rule, then propose it.")
        before = _state(fresh)
        fresh.state = State.PROPOSED
        fresh.note = note.strip() or fresh.note
        fresh.save(update_fields=["state", "note"])
        _record(uow, "policy.draft_proposed", fresh, before, note)
        authors = authors_of(fresh)
        tell(
            recipients=[p for p in people_who_may(PUBLISH, fresh.policy.unit) if p.pk not in authors],
            kind="policy.draft_proposed",
            title=f"{fresh.policy.title} {fresh.label} waits for publication",
            body=fresh.note[:500],
            url=page_of(fresh),
        )
    return fresh


def send_back_draft(*, version: PolicyVersion, by: User, reason: str) -> PolicyVersion:
    """Refuse to publish a proposed draft for now; its author is told why."""
    require_may(by, PUBLISH, version.policy.unit)
    if not reason.strip():
        raise Invalid("Say why it goes back.", errors={"reason": ["Say why it goes back."]})
    with unit_of_work(by=by) as uow:
        fresh = locked_draft(version)
        if fresh.state != State.PROPOSED:
            raise Conflict("Only a draft that waits for publication can be sent back.")
        before = _state(fresh)
        fresh.state = State.DRAFT
        fresh.save(update_fields=["state"])
        _record(uow, "policy.draft_sent_back", fresh, before, reason)
        tell(
            recipients=User.objects.filter(pk__in=authors_of(fresh)).exclude(pk=by.pk),
            kind="policy.draft_sent_back",
            title=f"{fresh.policy.title} {fresh.label} came back to you",
            body=reason.strip()[:500],
            url=page_of(fresh),
        )
    return fresh


def discard_draft(*, version: PolicyVersion, by: User, reason: str = "") -> PolicyVersion:
    """Give a draft up. It stays on record; its label is free again."""
    require_may(by, DRAFT, version.policy.unit)
    with unit_of_work(by=by) as uow:
        fresh = locked_draft(version)
        before = _state(fresh)
        fresh.state = State.DISCARDED
        fresh.label = f"{fresh.label[:20]} (given up {str(fresh.pk)[:8]})"
        fresh.save(update_fields=["state", "label"])
        _record(uow, "policy.draft_discarded", fresh, before, reason)
    return fresh


# What publishing shares with this.


def read_draft(policy: Policy, text: str) -> Written:
    """A text as a version of ``policy``; an extension is laid over the primary policy of now."""
    if policy.unit_id is None:
        body = read_policy(text, policy.key)
        written = Written(text, "", body, body.version)
    else:
        _version, base = primary()
        merged = merge(text, base, policy.key)
        written = Written(merged.text, text, merged.body, merged.body.version)
    if written.body.key != policy.key:
        said = f"{policy.key} line 1, column 1, policy: the key of a policy stays “{policy.key}”"
        raise Invalid(said, errors={"text": [said]})
    if policy.unit_id is None and written.body.primary != policy.is_primary:
        said = f"{policy.key} line 1, column 1, primary: which policy decides stages does not change with a version"
        raise Invalid(said, errors={"text": [said]})
    return written


def require_label(policy: Policy, label: str, base: PolicyVersion | None, but: PolicyVersion | None = None) -> None:
    """A version is numbers with points, higher than the one it changes, and given once."""
    said = ""
    if not LABEL.fullmatch(label):
        said = f"{label!r} is no version: write numbers with points, such as 1.1.0."
    elif base is not None and label_order(label) <= label_order(base.label):
        said = f"The version {label} has to be higher than {base.label}, which it changes."
    if said:
        raise Invalid(said, errors={"label": [said]})
    taken = PolicyVersion.objects.filter(policy=policy, label=label)
    if (taken.exclude(pk=but.pk) if but else taken).exists():
        raise Conflict(f"There is a version {label} of “{policy.title}” already.", hint="Choose a higher one.")


def label_order(label: str) -> tuple[int, ...]:
    """1.10 comes after 1.9; what stands after a plus (the policy an extension was laid over) does not count."""
    parts = [int(part) for part in re.findall(r"\d+", label.partition("+")[0])[:4]]
    return tuple(parts + [0] * (4 - len(parts)))


def locked_draft(version: PolicyVersion) -> PolicyVersion:
    """The draft under its row lock. ``Conflict`` once it is published or given up: that never changes."""
    rows = PolicyVersion.objects.select_related("policy__unit", "base__policy", "created_by")
    fresh = lock_rows(rows.filter(pk=version.pk)).get()
    if fresh.state not in (State.DRAFT, State.PROPOSED):
        words = fresh.get_state_display().lower()
        raise Conflict(f"{fresh.policy.title} {fresh.label} is {words}: it cannot be changed any more.")
    return fresh


def published_of(policy: Policy) -> PolicyVersion | None:
    return PolicyVersion.objects.select_related("policy").filter(policy=policy, state=State.PUBLISHED).first()


def require_current_base(version: PolicyVersion) -> None:
    """A draft that changes an older version would undo what was published since."""
    now = published_of(version.policy)
    if now is not None and now.pk != version.base_id:
        was = version.base.label if version.base else "nothing"
        raise Conflict(
            f"This draft changes {was}, but {now.label} was published since.",
            hint="Compare it with the version in force and take that as its base.",
        )


def text_of(version: PolicyVersion) -> str:
    """What people write: of an extension what it adds and tightens, else the policy."""
    return version.source or version.text


def text_digest(version: PolicyVersion) -> str:
    """SHA-256 of the text as written, comments and all: what optimistic locking compares."""
    return hashlib.sha256(text_of(version).encode()).hexdigest()


def page_of(version: PolicyVersion) -> str:
    return f"/gates/policy-drafts/{version.pk}/"


def _create(policy: Policy, written: Written, by: User, base: PolicyVersion | None, note: str) -> PolicyVersion:
    try:
        with transaction.atomic():
            return PolicyVersion.objects.create(
                policy=policy,
                label=written.label,
                text=written.text,
                source=written.source,
                digest=written.body.digest,
                base=base,
                note=note.strip(),
                created_by=by,
                created_at=timezone.now(),
            )
    except IntegrityError as twice:
        raise Conflict(f"There is a version {written.label} of “{policy.title}” already.") from twice


def _says_the_same(version: PolicyVersion, base: PolicyVersion) -> bool:
    """The version itself is no difference."""
    place = ("version",)
    mine = edited(text_of(version), [(place, "0")])
    theirs = edited(text_of(base), [(place, "0")])
    if version.source:
        return mine == theirs
    return read_policy(mine, "draft").digest == read_policy(theirs, "base").digest


def _last_writer(version: PolicyVersion) -> str:
    event = Event.objects.filter(
        subject_type=version._meta.label_lower, subject_id=str(version.pk), action="policy.draft_saved"
    ).order_by("-index")
    last = event.first()
    person = version.created_by
    if last is not None and last.actor_id is not None:
        person = User.objects.filter(pk=last.actor_id).first()
    return str(person or "Somebody")


def _state(version: PolicyVersion) -> dict[str, object]:
    return {"state": str(version.state), "label": version.label, "digest": version.digest, "base": version.base_id}


def _record(
    uow: UnitOfWork, action: str, version: PolicyVersion, before: dict[str, object] | None, note: str = ""
) -> None:
    unit = version.policy.unit
    uow.record(action, subject=version, unit=unit, before=before, after=_state(version), note=note.strip()[:300])


def _free_key(code: str) -> str:
    key, number = code[:50], 2
    while Policy.objects.filter(key=key).exists():
        key, number = f"{code[:50]}-{number}", number + 1
    return key


def _quoted(text: str) -> str:
    return "'" + text.replace("\n", " ").replace("'", "''") + "'"
