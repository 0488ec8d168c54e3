"""Somebody to be, when the demonstration mode looks at an inventory of somebody's own: one person for each role.

The generated demonstration brings its own people. An imported inventory brings none, and without them nobody could sign
in to look at it. They answer for the whole organisation, so each sees every use case.
"""

from __future__ import annotations

from accounts.conflicts import SERVICE_ROLE
from accounts.demo import DOMAIN, demo_people
from accounts.models import RoleAssignment
from accounts.roles import catalogue
from accounts.services.bulk import Grant, assign_roles_bulk
from accounts.services.people import create_person
from ledger import SYSTEM, unit_of_work
from portfolio.models import BusinessUnit


def provide_people() -> list[RoleAssignment]:
    """One person for each role on the whole organisation, unless there are people of the demonstration already."""
    root = BusinessUnit.objects.filter(parent__isnull=True).first()
    if root is None or demo_people().exists():
        return []
    with unit_of_work(by=SYSTEM):
        grants = [
            Grant(
                create_person(
                    email=f"{role.key}@{DOMAIN}", full_name=role.name, by=SYSTEM, job_title=role.purpose[:200]
                ),
                role.key,
                root,
            )
            for role in catalogue().roles.values()
            if role.key != SERVICE_ROLE  # nobody can be a machine
        ]
        return assign_roles_bulk(grants=grants, by=SYSTEM, reason="People to be in demonstration mode")
