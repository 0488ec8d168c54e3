"""Publish a policy: by another person than its authors. What was in force is superseded, never changed."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.utils import timezone

from accounts.models import User
from gates.models import Assessment, Policy, PolicyVersion, Review
from gates.policy import PolicyBody
from gates.policy_access import DRAFT, PUBLISH, authors_of, people_who_may, require_may, require_other_hand
from gates.policy_extension import merge
from gates.services.policies.drafts import (
    State,
    Written,
    locked_draft,
    published_of,
    read_draft,
    require_current_base,
    text_of,
)
from gates.tasks import assess_all
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, unit_of_work
from notify.services import tell

logger = logging.getLogger(__name__)


def publish_draft(*, version: PolicyVersion, by: User) -> PolicyVersion:
    """Put a proposed version in force and judge everything by it in the background.

    Open reviews stay on the version they were submitted under. ``PermissionDenied`` for its authors, whoever stands in
    for them, machines and tokens; ``Conflict`` when it was not proposed or another version was published since.
    """
    require_may(by, PUBLISH, version.policy.unit)
    with unit_of_work(by=by) as uow:
        policy = lock_rows(Policy.objects.select_related("unit").filter(pk=version.policy_id)).get()
        fresh = locked_draft(version)
        if fresh.state != State.PROPOSED:
            raise Conflict("This draft was not proposed for publication yet.", hint="Its author proposes it first.")
        require_other_hand(by, fresh)
        require_current_base(fresh)
        written = _still_sound(fresh)
        before = {"state": str(fresh.state), "digest": fresh.digest}
        supersede(uow, policy)
        fresh.text, fresh.digest, fresh.state = written.text, written.body.digest, State.PUBLISHED
        fresh.published_by, fresh.published_at = by, timezone.now()
        fresh.save(update_fields=["text", "digest", "state", "published_by", "published_at"])
        _rename(policy, written.body.title)
        after = {"state": str(fresh.state), "digest": fresh.digest}
        note = f"{policy.key} {fresh.label}"
        uow.record("policy.published", subject=fresh, unit=policy.unit, before=before, after=after, note=note)
        if policy.is_primary:
            lay_over(uow, written.body)
        _tell_of(fresh, by)
        judge_again(uow)
    return fresh


def withdraw_policy(*, policy: Policy, by: User, reason: str) -> Policy:
    """Take a policy that is not the primary one out of force, such as the extension of a unit. Nothing is deleted.

    ``Conflict`` while reviews of one of its versions are open: they are pinned to it.
    """
    require_may(by, PUBLISH, policy.unit)
    if not reason.strip():
        raise Invalid("Say why it ends.", errors={"reason": ["Say why it ends."]})
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(Policy.objects.select_related("unit").filter(pk=policy.pk)).get()
        require_removable(fresh)
        current = published_of(fresh)
        if current is None:
            raise Conflict(f"“{fresh.title}” is not in force.")
        supersede(uow, fresh)
        uow.record("policy.withdrawn", subject=fresh, unit=fresh.unit, note=reason.strip()[:300])
        judge_again(uow)
    return fresh


def require_removable(policy: Policy) -> None:
    """``Conflict`` that says what holds a policy: it decides stages, or reviews are open under it."""
    if policy.is_primary:
        raise Conflict(f"“{policy.title}” decides the stages of every use case: it can be replaced, not removed.")
    numbers = Review.objects.filter(policy_version__policy=policy, state="open").order_by("number")
    held = [f"R-{number}" for number in numbers.values_list("number", flat=True)[:6]]
    if held:
        names = ", ".join(held[:5]) + (" and more" if len(held) > 5 else "")
        raise Conflict(
            f"Reviews are open under “{policy.title}”: {names}.", hint="Have them decided or withdrawn first."
        )


def supersede(uow: UnitOfWork, policy: Policy) -> None:
    """What is in force no longer is; there is at most one such version."""
    for old in PolicyVersion.objects.filter(policy=policy, state=State.PUBLISHED):
        old.state = State.SUPERSEDED
        old.save(update_fields=["state"])
        before, after = {"state": "published"}, {"state": "superseded"}
        uow.record("policy.superseded", subject=old, unit=policy.unit, before=before, after=after)


def judge_again(uow: UnitOfWork) -> None:
    """Everything is due to be judged; a worker is woken once this has committed, and the sweep does what it misses."""
    Assessment.objects.update(asked_at=timezone.now())
    uow.after_commit(wake_for_all)


def wake_for_all() -> None:
    """A broker that does not answer is no reason to fail what has already committed."""
    try:
        assess_all.apply_async(retry=False)
    except Exception:
        logger.warning("gates.worker_not_woken", exc_info=True)


def lay_over(uow: UnitOfWork, base: PolicyBody) -> list[PolicyVersion]:
    """Every extension in force, laid over a new version of the primary policy.

    Rules of it that would now loosen are left out, so that it is as strict as the new version and as its other rules;
    those who can change it are told which.
    """
    rows = PolicyVersion.objects.filter(state=State.PUBLISHED, policy__unit__isnull=False)
    made = []
    for old in rows.select_related("policy__unit").order_by("policy__key"):
        label = _free_label(old, base)
        merged = merge(old.source, base, old.policy.key, leave_out=True, label=label)
        supersede(uow, old.policy)
        new = PolicyVersion.objects.create(
            policy=old.policy,
            label=label,
            state=State.PUBLISHED,
            text=merged.text,
            source=old.source,
            digest=merged.body.digest,
            base=old,
            note="\n".join(merged.conflicts),
            published_at=timezone.now(),
        )
        after = {"state": "published", "label": label, "digest": new.digest}
        note = f"{old.policy.key}: laid over {base.key} {base.version}; {len(merged.conflicts)} rules no longer apply"
        uow.record("policy.laid_over", subject=new, unit=old.policy.unit, after=after, note=note)
        if merged.conflicts:
            _tell_conflicts(new, base, merged.conflicts)
        made.append(new)
    return made


def _still_sound(version: PolicyVersion) -> Written:
    """Read again: roles and the primary policy may have changed since it was saved."""
    try:
        return read_draft(version.policy, text_of(version))
    except Invalid as wrong:
        raise Conflict(
            f"This draft is no longer sound: {wrong.message}", hint="Change it, then propose it again."
        ) from wrong


def _rename(policy: Policy, title: str) -> None:
    if title and policy.title != title[:200]:
        policy.title = title[:200]
        policy.save(update_fields=["title"])


def _free_label(old: PolicyVersion, base: PolicyBody) -> str:
    """1.2.0+1.1.0: the extension's own version, then that of what it was laid over."""
    stem = f"{old.label.partition('+')[0]}+{base.version}"[:36]
    label, number = stem, 2
    while PolicyVersion.objects.filter(policy=old.policy, label=label).exists():
        label, number = f"{stem}.{number}", number + 1
    return label


def _tell_of(version: PolicyVersion, by: User) -> None:
    policy = version.policy
    told = {p.pk: p for action in (DRAFT, PUBLISH) for p in people_who_may(action, policy.unit)}
    told |= {p.pk: p for p in User.objects.filter(pk__in=authors_of(version))}
    told.pop(by.pk, None)
    tell(
        recipients=told.values(),
        kind="policy.published",
        title=f"{policy.title} {version.label} is in force",
        body=version.note[:500],
        url=f"/gates/policies/{policy.key}/",
    )


def _tell_conflicts(version: PolicyVersion, base: PolicyBody, conflicts: Iterable[str]) -> None:
    unit = version.policy.unit
    told = {p.pk: p for action in (DRAFT, PUBLISH) for p in people_who_may(action, unit)}
    tell(
        recipients=told.values(),
        kind="policy.extension_conflicts",
        title=f"{version.policy.title}: rules no longer apply over {base.key} {base.version}",
        body="\n".join(conflicts)[:1000],
        url=f"/gates/policies/{version.policy.key}/",
    )
