"""Who may draft and publish policies, and who may see what is not published yet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.access import can, can_everywhere, for_user, reach, require, require_everywhere
from accounts.models import Delegation, User
from accounts.people import current
from accounts.roles import roles_allowing
from gates.in_force import policy_for
from gates.models import Policy, PolicyVersion, Review
from ledger.models import Event
from portfolio.models import BusinessUnit, UseCase

DRAFT, PUBLISH = "policy.draft", "policy.publish"
AUTHORING = ("policy.draft_started", "policy.draft_saved", "policy.draft_rebased")
UNPUBLISHED = ("draft", "proposed", "discarded")


def may(user: User, action: str, unit: BusinessUnit | None) -> bool:
    """Whether somebody may draft or publish a policy of this unit; of the whole organisation without one."""
    return can(user, action, unit) if unit is not None else can_everywhere(user, action)


def require_may(user: User, action: str, unit: BusinessUnit | None) -> None:
    if unit is not None:
        require(user, action, unit)
    else:
        require_everywhere(user, action)


def drafts_for(user: User) -> QuerySet[PolicyVersion, PolicyVersion]:
    """Versions that are not published, of the policies that somebody may draft or publish; the newest first."""
    rows = PolicyVersion.objects.filter(state__in=UNPUBLISHED)
    rows = rows.select_related("policy__unit", "base__policy", "created_by").order_by("-created_at")
    if any(can_everywhere(user, action) for action in (DRAFT, PUBLISH)):
        return rows
    units = for_user(BusinessUnit.objects.all(), user, DRAFT) | for_user(BusinessUnit.objects.all(), user, PUBLISH)
    return rows.filter(policy__unit__in=units)


def versions_for(user: User, policy: Policy) -> QuerySet[PolicyVersion, PolicyVersion]:
    """Versions of a policy that somebody may read: every published one, and drafts where they may see them."""
    rows = PolicyVersion.objects.filter(policy=policy).select_related("policy__unit", "created_by", "published_by")
    if not any(may(user, action, policy.unit) for action in (DRAFT, PUBLISH)):
        rows = rows.exclude(state__in=UNPUBLISHED)
    return rows.exclude(state="discarded").order_by("-created_at")


def visible_turns(user: User, result: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of the use cases that the person may see; the counts tell of all."""
    turns: list[dict[str, Any]] = result.get("turns", [])
    if reach(user, "use_case.view").everything:
        return turns
    seen = {str(pk) for pk in for_user(UseCase.objects.all(), user, "use_case.view").values_list("pk", flat=True)}
    return [turn for turn in turns if turn["use_case"] in seen]


def versions_to_compare(review: Review, user: User) -> list[PolicyVersion]:
    """Other versions of what judges this use case: of its policy, and of the one that is in force for it today."""
    today = policy_for(review.use_case)[0].policy_id
    rows = PolicyVersion.objects.filter(policy__in={today, review.policy_version.policy_id})
    readable = Q(state__in=("published", "superseded")) | Q(pk__in=drafts_for(user).exclude(state="discarded"))
    rows = rows.filter(readable).exclude(pk=review.policy_version_id)
    return list(rows.select_related("policy__unit").order_by("-created_at")[:30])


def chosen_version(review: Review, user: User, label: str) -> PolicyVersion | None:
    """The version asked for, as label, key:label or id; without one, what is in force when that is another one."""
    if not label:
        version = policy_for(review.use_case)[0]
        return version if version.pk != review.policy_version_id else None
    for version in [*versions_to_compare(review, user), review.policy_version]:
        if label in (version.label, f"{version.policy.key}:{version.label}", str(version.pk)):
            return version
    return None


def authors_of(version: PolicyVersion) -> set[UUID]:
    """Everybody who wrote on a version, as the ledger has it."""
    events = Event.objects.filter(
        subject_type=version._meta.label_lower, subject_id=str(version.pk), action__in=AUTHORING
    )
    found = {actor for actor in events.values_list("actor_id", flat=True) if actor is not None}
    return found | ({version.created_by_id} if version.created_by_id else set())


def why_not_publish(user: User, version: PolicyVersion) -> str:
    """In words, why somebody who holds the role may not publish this version; empty when they may (SOD-09)."""
    if not user.is_person:
        return "Service accounts never publish a policy (SOD-12)."
    if user.token_scopes is not None:
        return "A token never publishes a policy: sign in and do it yourself (SOD-12)."
    authors = authors_of(version)
    if user.pk in authors:
        return "You wrote on this version: another person has to publish it (SOD-09)."
    now = timezone.now()
    standing_in = Delegation.objects.filter(
        stand_in=user,
        giver__in=authors,
        role__in=list(roles_allowing(PUBLISH)),
        starts_at__lte=now,
        ends_at__gt=now,
        ended_at__isnull=True,
    ).select_related("giver")
    if (row := standing_in.first()) is not None:
        return f"You stand in for {row.giver}, who wrote on this version: somebody else has to publish it (SOD-09)."
    return ""


def require_other_hand(user: User, version: PolicyVersion) -> None:
    if reason := why_not_publish(user, version):
        raise PermissionDenied(reason)


def people_who_may(action: str, unit: BusinessUnit | None) -> Iterable[User]:
    """Everybody who holds a role that allows ``action`` where the policy is at home."""
    above = BusinessUnit.objects.filter(parent__isnull=True)
    if unit is not None:
        wanted = Q(parent__isnull=True)
        for path in _above(unit.path):
            wanted |= Q(path=path)
        above = BusinessUnit.objects.filter(wanted)
    held = current(role__in=list(roles_allowing(action)), scope_kind="unit", scope_id__in=above.values("pk"))
    return User.objects.filter(pk__in=held.values("user_id"), is_active=True).order_by("full_name", "pk")


def _above(path: str) -> list[str]:
    parts = path.strip("/").split("/")
    return [f"/{'/'.join(parts[:n])}/" for n in range(1, len(parts) + 1)]
