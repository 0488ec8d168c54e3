"""What a person asks governance to do: verbs that check the right, write, record the event and announce it."""

from __future__ import annotations

from governance.services.datasets import (
    certify_dataset,
    decide_data_access,
    edit_dataset,
    register_dataset,
    request_data_access,
)
from governance.services.documents import approve_document, review_document, write_document
from governance.services.evidence import add_file, add_link, attest, verify_evidence, withdraw_evidence
from governance.services.incidents import close_incident, edit_incident, report_incident
from governance.services.integrations import record_integration_test, remove_integration_point, save_integration_point
from governance.services.issues import close_issue, edit_issue, raise_issue
from governance.services.models import (
    approve_version,
    edit_card,
    edit_model,
    promote_version,
    register_model,
    register_version,
    retire_version,
)
from governance.services.oversight import save_oversight
from governance.services.post_mortems import approve_post_mortem, write_post_mortem
from governance.services.practices import declare_practice
from governance.services.questionnaires import answer_questionnaire
from governance.services.reviews import close_specialist_review, open_specialist_review, record_access_review
from governance.services.risk import (
    classify,
    confirm_tier,
    confirm_tier_lowering,
    override_tier,
    reconsider_tier,
    refuse_tier_lowering,
    release_legal_hold,
    request_tier_lowering,
)
from governance.services.risks import accept_risk, add_risk, close_risk, concur_with_risk, edit_risk
from governance.services.training import assign_training, complete_training
from governance.services.validation import record_validation, sign_independent

__all__ = [
    "accept_risk",
    "add_file",
    "add_link",
    "add_risk",
    "answer_questionnaire",
    "approve_document",
    "approve_post_mortem",
    "approve_version",
    "assign_training",
    "attest",
    "certify_dataset",
    "classify",
    "close_incident",
    "close_issue",
    "close_risk",
    "close_specialist_review",
    "complete_training",
    "concur_with_risk",
    "confirm_tier",
    "confirm_tier_lowering",
    "decide_data_access",
    "declare_practice",
    "edit_card",
    "edit_dataset",
    "edit_incident",
    "edit_issue",
    "edit_model",
    "edit_risk",
    "open_specialist_review",
    "override_tier",
    "promote_version",
    "raise_issue",
    "reconsider_tier",
    "record_access_review",
    "record_integration_test",
    "record_validation",
    "refuse_tier_lowering",
    "register_dataset",
    "register_model",
    "register_version",
    "release_legal_hold",
    "remove_integration_point",
    "report_incident",
    "request_data_access",
    "request_tier_lowering",
    "retire_version",
    "review_document",
    "save_integration_point",
    "save_oversight",
    "sign_independent",
    "verify_evidence",
    "withdraw_evidence",
    "write_document",
    "write_post_mortem",
]
