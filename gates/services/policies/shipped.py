"""Bring the shipped policies into the database."""

from __future__ import annotations

from pathlib import Path

from django.utils import timezone

from accounts.models import User
from gates.models import Policy, PolicyVersion
from gates.policy_reading import read_policy
from gates.services.policies.publishing import lay_over, supersede
from kernel.errors import Conflict
from ledger import SYSTEM, unit_of_work

SHIPPED = Path(__file__).resolve().parents[2] / "policies"


def install_policies(*, by: User | str = SYSTEM) -> list[PolicyVersion]:
    """Publish every shipped policy version that is not there yet. Doing it again changes nothing.

    A version whose text differs from the published one of the same label is refused: published never changes.
    """
    return [_install(path, by) for path in sorted(SHIPPED.glob("*.yaml"))]


def _install(path: Path, by: User | str) -> PolicyVersion:
    text = path.read_text(encoding="utf-8")
    body = read_policy(text, path.name)
    known = PolicyVersion.objects.filter(policy__key=body.key, label=body.version).first()
    if known is not None:
        if known.digest != body.digest:
            raise Conflict(
                f"{path.name} says {body.version} like the published version but differs from it: raise its version."
            )
        return known
    current = PolicyVersion.objects.filter(policy__key=body.key, state="published", published_by__isnull=False).first()
    if current is not None:
        return current  # people have published a version of their own: what ships with an update is theirs to take over
    with unit_of_work(by=by) as uow:
        policy, _new = Policy.objects.get_or_create(
            key=body.key, defaults={"title": body.title, "is_primary": body.primary}
        )
        supersede(uow, policy)
        version = PolicyVersion.objects.create(
            policy=policy,
            label=body.version,
            state=PolicyVersion.State.PUBLISHED,
            text=text,
            digest=body.digest,
            published_at=timezone.now(),
        )
        uow.record(
            "policy.published",
            subject=version,
            after={"policy": body.key, "version": body.version, "digest": body.digest},
        )
        if policy.is_primary:
            lay_over(uow, body)
    return version
