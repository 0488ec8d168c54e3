"""Which policy versions are in force, as typed policies, and which of them judge a use case.

A use case is judged by the primary policy as the nearest unit above it extends that, and by every other policy of the
organisation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.db.models import QuerySet

from accounts.people import ancestors
from gates.fact import within
from gates.models import Policy, PolicyVersion
from gates.policy import PolicyBody
from gates.policy_reading import read_policy
from kernel.errors import Conflict, Invalid
from portfolio.models import UseCase

InForce = tuple[PolicyVersion, PolicyBody]
NOTHING = "No primary policy is published; run manage.py prepare."


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything in force: policies of the organisation, the primary one first; extensions by path of their unit."""

    policies: tuple[InForce, ...]
    extensions: Mapping[str, InForce]

    def at(self, path: str) -> list[InForce]:
        """What judges the use cases of a unit, the primary policy first, as it is extended there."""
        extended = self._nearest(path)
        if extended is None:
            return list(self.policies)
        return [extended, *(row for row in self.policies if not row[0].policy.is_primary)]

    def primary_at(self, path: str) -> InForce:
        found = self._nearest(path) or next((row for row in self.policies if row[0].policy.is_primary), None)
        if found is None:
            raise Invalid(NOTHING)
        return found

    def every(self) -> list[InForce]:
        return [*self.policies, *self.extensions.values()]

    def needs(self) -> frozenset[str]:
        """Facts that some policy asks for."""
        return frozenset(need for _version, body in self.every() for need in body.needs())

    def paths_of(self, use_case_ids: Sequence[UUID] | None) -> Mapping[UUID, str]:
        """use case -> path of its unit; one query, and none while no unit extends anything."""
        if not self.extensions:
            return {}
        rows = within(UseCase.objects.order_by(), use_case_ids, "pk")
        return dict(rows.values_list("pk", "unit__path"))

    def judging(
        self, ids: Iterable[UUID], paths: Mapping[UUID, str]
    ) -> Iterator[tuple[PolicyVersion, PolicyBody, list[UUID]]]:
        """Every policy with the use cases among ``ids`` that it judges; the primary ones first."""
        together: dict[str, list[UUID]] = {}
        for pk in ids:
            together.setdefault(paths.get(pk, "/"), []).append(pk)
        found: dict[UUID, tuple[PolicyVersion, PolicyBody, list[UUID]]] = {}
        for path, theirs in together.items():
            for version, body in self.at(path):
                found.setdefault(version.pk, (version, body, []))[2].extend(theirs)
        yield from sorted(found.values(), key=lambda row: not row[1].primary)

    def _nearest(self, path: str) -> InForce | None:
        if not self.extensions:
            return None
        return next((self.extensions[above] for above in ancestors(path) if above in self.extensions), None)


def rules_in_force() -> Rules:
    """One query."""
    rows = _published().select_related("policy__unit").order_by("-policy__is_primary", "policy__key")
    policies: list[InForce] = []
    extensions: dict[str, InForce] = {}
    for version in rows:
        row = (version, body_of(version))
        if version.policy.unit is None:
            policies.append(row)
        else:
            extensions[version.policy.unit.path] = row
    return Rules(tuple(policies), extensions)


def policy_for(use_case: UseCase) -> InForce:
    """The version that decides the stages of a use case: of the nearest unit that extends it, else the primary one."""
    rules = rules_in_force()
    return rules.primary_at(_path(use_case, rules))


def policies_for(use_case: UseCase) -> list[InForce]:
    """Every policy that judges a use case, the one that decides its stages first."""
    rules = rules_in_force()
    return rules.at(_path(use_case, rules))


def published(key: str) -> InForce:
    """The version in force of a policy. ``Invalid`` names the policies there are."""
    version = PolicyVersion.objects.select_related("policy").filter(policy__key=key, state="published").first()
    if version is None:
        known = ", ".join(Policy.objects.values_list("key", flat=True)) or "none; run manage.py prepare"
        raise Invalid(f"There is no published policy “{key}” (there are: {known}).")
    return version, body_of(version)


def all_published() -> list[InForce]:
    """Every policy of the organisation in force, the primary one first; extensions of units are not among them."""
    return list(rules_in_force().policies)


def primary() -> InForce:
    """The organisation's own policy that decides stages."""
    return rules_in_force().primary_at("")


def body_of(version: PolicyVersion) -> PolicyBody:
    """The typed policy of a stored version; parsed once a process, for the text of a version never changes."""
    return _parsed(version.text, f"{version.policy.key} {version.label}", version.digest)


def _published() -> QuerySet[PolicyVersion]:
    return PolicyVersion.objects.filter(state="published")


def _path(use_case: UseCase, rules: Rules) -> str:
    return use_case.unit.path if rules.extensions else ""


@lru_cache(maxsize=128)
def _parsed(text: str, name: str, digest: str) -> PolicyBody:
    body = read_policy(text, name)
    if digest and body.digest != digest:
        raise Conflict(f"The stored text of {name} does not match its digest. Verify the ledger.")
    return body
