"""Policies small enough for tests, use cases that are ready for a gate under them, and the people who sign."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from accounts.models import User
from gates.models import Policy, PolicyVersion, Review, SignOff
from gates.policy_reading import read_policy
from gates.services.decisions import decide
from gates.services.policies import install_policies
from gates.services.reviews import submit_review
from gates.services.sign_offs import sign
from portfolio.models import UseCase
from tests.factories.accounts import person_with
from tests.factories.portfolio import UseCaseFactory, organisation

PAIR = ("business_owner", "technical_lead")
BOARD = "ai_governance_board"
SMALL = """\
policy: {key}
title: Small policy
version: {version}
primary: {primary}
gates:
  idea_to_poc:
    title: Idea to PoC
    from: idea
    to: poc
    criteria:
{criteria}
  poc_to_pilot:
    title: PoC to pilot
    from: poc
    to: pilot
    criteria:
    - id: PP-01
      title: Users named
      type: field_present
      params: {{fields: [target_users]}}
      applies: {{minimal: mandatory, limited: mandatory, high: mandatory}}
      owner: business_owner
    - id: PP-02
      title: Approved
      type: approval
      params: {{matrix: tier}}
      applies: {{minimal: mandatory, limited: mandatory, high: mandatory}}
      owner: business_owner
approval_matrix:
  idea_to_poc:
    minimal: {{signers: [business_owner], decision_sla_days: 5}}
    limited: {{signers: [business_owner, technical_lead], decision_sla_days: 10}}
    high: {{signers: [business_owner, technical_lead, ai_governance_board], decision_sla_days: 20}}
  poc_to_pilot:
    minimal: {{signers: [business_owner], decision_sla_days: 5}}
    limited: {{signers: [business_owner, technical_lead], decision_sla_days: 10}}
    high: {{signers: [business_owner, independent_validator], decision_sla_days: 20}}
review_cadence_days: {{minimal: 365, limited: 180, high: 90}}
sign_off_validity_days: 30
"""
CRITERIA = """\
    - id: IP-01
      title: Problem stated
      question: Which problem is it about?
      type: field_present
      params: {fields: [problem_statement]}
      applies: {minimal: mandatory, limited: mandatory, high: mandatory}
      owner: business_owner
    - id: IP-02
      title: F1 reached
      type: metric_threshold
      params: {metric: f1}
      threshold: {measure: f1, op: ">=", minimal: 0.7, limited: 0.8, high: 0.9, unit: ""}
      applies: {minimal: not_applicable, limited: advisory, high: mandatory}
      owner: technical_lead
    - id: IP-03
      title: No open assumption
      type: open_findings
      params: {kind: [assumption]}
      threshold: {measure: open, op: "<=", minimal: 0, limited: 0, high: 0}
      applies: {minimal: mandatory, limited: mandatory, high: mandatory}
      owner: use_case_lead
    - id: IP-09
      title: Approved
      type: approval
      params: {matrix: tier}
      applies: {minimal: mandatory, limited: mandatory, high: mandatory}
      owner: business_owner
"""


def small_text(*, criteria: str = CRITERIA, key: str = "small", version: str = "1.0.0", primary: bool = True) -> str:
    return SMALL.format(criteria=criteria.rstrip("\n"), key=key, version=version, primary=str(primary).lower())


def publish(text: str) -> PolicyVersion:
    """A published version of this text; what was published before under its key is superseded."""
    body = read_policy(text, "test.yaml")
    policy, _new = Policy.objects.get_or_create(
        key=body.key, defaults={"title": body.title, "is_primary": body.primary}
    )
    policy.versions.filter(state="published").update(state="superseded")
    return PolicyVersion.objects.create(
        policy=policy,
        label=body.version,
        state="published",
        text=text,
        digest=body.digest,
        published_at=timezone.now(),
    )


def small_policy() -> PolicyVersion:
    """The primary policy of most tests: four criteria at the first gate, two at the second."""
    return publish(small_text())


def shipped_policies() -> list[PolicyVersion]:
    return install_policies()


@dataclass
class Case:
    """A use case that is ready for its first gate under the small policy, with everybody who has a part in it."""

    use_case: UseCase
    lead: User
    manager: User
    signers: dict[str, User] = field(default_factory=dict)

    def submit(self, gate: str = "idea_to_poc") -> Review:
        return submit_review(use_case=self.use_case, gate=gate, by=self.lead, message="Please look at the scope.")

    def sign(self, review: Review, role: str, verdict: str = "approve", **more: Any) -> SignOff:
        review.refresh_from_db()
        more.setdefault("reason", "" if verdict == "approve" else "Because.")
        return sign(review=review, role=role, verdict=verdict, digest=review.digest, by=self.signers[role], **more)

    def sign_all(self, review: Review) -> None:
        for role in [slot["role"] for slot in review.slots]:
            self.sign(review, role)

    def decide(self, review: Review, outcome: str = "go", **more: Any) -> Any:
        review.refresh_from_db()
        return decide(review=review, outcome=outcome, by=self.manager, digest=review.digest, **more)

    def pass_gate(self, gate: str = "idea_to_poc") -> Review:
        """Submitted, signed by everybody, decided go."""
        review = self.submit(gate)
        self.sign_all(review)
        self.decide(review)
        self.use_case.refresh_from_db()
        review.refresh_from_db()
        return review


def ready_case(*, tier: str = "limited", policy: bool = True, **fields: Any) -> Case:
    """``policy=False`` when one is published already."""
    if policy:
        small_policy()
    fields = {"problem_statement": "Letters take two weeks.", "target_users": "Clerks", **fields}
    use_case = UseCaseFactory.create(**fields)
    UseCase.objects.filter(pk=use_case.pk).update(tier=tier)
    use_case.refresh_from_db()
    return Case(
        use_case=use_case,
        lead=person_with("use_case_lead", use_case),
        manager=person_with("portfolio_manager", organisation()),
        signers={role: person_with(role, use_case) for role in PAIR},
    )
