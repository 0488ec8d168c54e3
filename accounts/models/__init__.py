"""People and machines, the roles they hold, their keys, and who stands in for whom."""

from accounts.models.delegations import MOST_DAYS, Absence, Delegation
from accounts.models.people import ApiToken, IdempotencyRecord, Preference, RoleAssignment, User, UserManager

__all__ = [
    "MOST_DAYS",
    "Absence",
    "ApiToken",
    "Delegation",
    "IdempotencyRecord",
    "Preference",
    "RoleAssignment",
    "User",
    "UserManager",
]
