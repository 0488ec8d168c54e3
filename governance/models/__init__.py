"""What must hold: evidence, documents, risk, models and their validation, people and access."""

from governance.models.assets import AiModel, Dataset, ModelVersion, VersionDataset
from governance.models.controls import (
    AccessReview,
    DataAccessRequest,
    IntegrationPoint,
    IntegrationTest,
    PracticeDeclaration,
    SpecialistReview,
    TrainingRecord,
)
from governance.models.documents import Document
from governance.models.evidence import Evidence
from governance.models.issues import Incident, Issue
from governance.models.oversight import DecisionType, OversightPlan
from governance.models.post_mortems import PostMortem
from governance.models.questionnaires import QuestionnaireResponse
from governance.models.risks import RiskClassification, RiskItem, TierLowering
from governance.models.validation import ValidationRun

__all__ = [
    "AccessReview",
    "AiModel",
    "DataAccessRequest",
    "Dataset",
    "DecisionType",
    "Document",
    "Evidence",
    "Incident",
    "IntegrationPoint",
    "IntegrationTest",
    "Issue",
    "ModelVersion",
    "OversightPlan",
    "PostMortem",
    "PracticeDeclaration",
    "QuestionnaireResponse",
    "RiskClassification",
    "RiskItem",
    "SpecialistReview",
    "TierLowering",
    "TrainingRecord",
    "ValidationRun",
    "VersionDataset",
]
