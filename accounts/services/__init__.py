"""What can be asked of people, machines, roles and keys."""

from accounts.services.bulk import Grant, assign_roles_bulk
from accounts.services.people import create_person, deactivate, edit_person, reactivate, record_arrival
from accounts.services.roles import assign_role, end_role
from accounts.services.service_accounts import create_service_account
from accounts.services.tokens import issue_token, revoke_token

__all__ = [
    "Grant",
    "assign_role",
    "assign_roles_bulk",
    "create_person",
    "create_service_account",
    "deactivate",
    "edit_person",
    "end_role",
    "issue_token",
    "reactivate",
    "record_arrival",
    "revoke_token",
]
