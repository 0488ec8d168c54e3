"""Which policy versions are in force, as typed policies."""

from __future__ import annotations

from functools import lru_cache

from gates.models import Policy, PolicyVersion
from gates.policy import PolicyBody
from gates.policy_reading import read_policy
from kernel.errors import Conflict, Invalid


def published(key: str) -> tuple[PolicyVersion, PolicyBody]:
    """The version in force of a policy. ``Invalid`` names the policies there are."""
    version = PolicyVersion.objects.select_related("policy").filter(policy__key=key, state="published").first()
    if version is None:
        known = ", ".join(Policy.objects.values_list("key", flat=True)) or "none; run manage.py prepare"
        raise Invalid(f"There is no published policy “{key}” (there are: {known}).")
    return version, body_of(version)


def all_published() -> list[tuple[PolicyVersion, PolicyBody]]:
    """Every policy in force, the primary one first. One query."""
    rows = PolicyVersion.objects.select_related("policy").filter(state="published")
    return [(v, body_of(v)) for v in rows.order_by("-policy__is_primary", "policy__key")]


def primary() -> tuple[PolicyVersion, PolicyBody]:
    """The policy that decides stages."""
    for version, body in all_published():
        if version.policy.is_primary:
            return version, body
    raise Invalid("No primary policy is published; run manage.py prepare.")


def body_of(version: PolicyVersion) -> PolicyBody:
    """The typed policy of a stored version; parsed once a process, for the text of a version never changes."""
    return _parsed(version.text, f"{version.policy.key} {version.label}", version.digest)


@lru_cache(maxsize=32)
def _parsed(text: str, name: str, digest: str) -> PolicyBody:
    body = read_policy(text, name)
    if digest and body.digest != digest:
        raise Conflict(f"The stored text of {name} does not match its digest. Verify the ledger.")
    return body
