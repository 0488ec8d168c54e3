"""What can be asked of people, machines, roles and keys."""

from accounts.services.bulk import Grant, assign_roles_bulk
from accounts.services.delegations import cancel_absence, delegate, end_delegation, record_absence, shared_roles
from accounts.services.people import (
    create_person,
    deactivate,
    edit_person,
    reactivate,
    record_arrival,
    set_manager,
)
from accounts.services.roles import assign_role, end_role
from accounts.services.service_accounts import create_service_account
from accounts.services.tokens import issue_token, revoke_token

__all__ = [
    "Grant",
    "assign_role",
    "assign_roles_bulk",
    "cancel_absence",
    "create_person",
    "create_service_account",
    "deactivate",
    "delegate",
    "edit_person",
    "end_delegation",
    "end_role",
    "issue_token",
    "reactivate",
    "record_absence",
    "record_arrival",
    "revoke_token",
    "set_manager",
    "shared_roles",
]
