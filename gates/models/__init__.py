"""May it pass: policies, reviews, signatures, decisions, what is owed after them, and what the engine found."""

from gates.models.assessments import Assessment
from gates.models.boards import AgendaItem, Attendance, Meeting, Recusal
from gates.models.breaches import BreachDecision
from gates.models.comments import Assignment, ReviewComment
from gates.models.conditions import MOST_CONDITIONS, Condition
from gates.models.findings import CriterionFinding, GateAssurance
from gates.models.obligations import EmergencyRelease, ReviewCall
from gates.models.policies import Policy, PolicyVersion
from gates.models.reviews import Decision, Review, SignOff, Snapshot
from gates.models.simulations import Simulation
from gates.models.waivers import Waiver, WaiverVote

__all__ = [
    "MOST_CONDITIONS",
    "AgendaItem",
    "Assessment",
    "Assignment",
    "Attendance",
    "BreachDecision",
    "Condition",
    "CriterionFinding",
    "Decision",
    "EmergencyRelease",
    "GateAssurance",
    "Meeting",
    "Policy",
    "PolicyVersion",
    "Recusal",
    "Review",
    "ReviewCall",
    "ReviewComment",
    "SignOff",
    "Simulation",
    "Snapshot",
    "Waiver",
    "WaiverVote",
]
