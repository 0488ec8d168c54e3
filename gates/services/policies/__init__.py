"""Policies: drafted by one person, published by another; what a unit adds or tightens; shipped ones at installation."""

from gates.services.policies.drafts import (
    DraftChanged,
    discard_draft,
    propose_draft,
    rebase_draft,
    save_draft,
    send_back_draft,
    start_draft,
    start_extension,
    text_digest,
    text_of,
)
from gates.services.policies.publishing import publish_draft, withdraw_policy
from gates.services.policies.shipped import SHIPPED, install_policies

__all__ = [
    "SHIPPED",
    "DraftChanged",
    "discard_draft",
    "install_policies",
    "propose_draft",
    "publish_draft",
    "rebase_draft",
    "save_draft",
    "send_back_draft",
    "start_draft",
    "start_extension",
    "text_digest",
    "text_of",
    "withdraw_policy",
]
