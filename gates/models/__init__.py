"""May it pass: policies, reviews, signatures, decisions, and what the engine found."""

from gates.models.assessments import Assessment
from gates.models.findings import CriterionFinding, GateAssurance
from gates.models.policies import Policy, PolicyVersion
from gates.models.reviews import Decision, Review, SignOff, Snapshot

__all__ = [
    "Assessment",
    "CriterionFinding",
    "Decision",
    "GateAssurance",
    "Policy",
    "PolicyVersion",
    "Review",
    "SignOff",
    "Snapshot",
]
