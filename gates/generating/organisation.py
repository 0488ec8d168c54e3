"""Units, people and the roles that hold for whole units."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

from accounts.models import User
from accounts.services import assign_roles_bulk
from accounts.services.bulk import Grant
from accounts.services.people import create_person
from gates.generating.names import DIVISIONS, FIRST_NAMES, LAST_NAMES
from ledger import SYSTEM
from portfolio.models import BusinessUnit
from portfolio.services.units import create_unit

DOMAIN = "synthetic.example"
LEADS = 12
"""Technical leads of each division; as many business owners and use case leads."""
EVERYWHERE = ("portfolio_manager", "risk_compliance", "security", "legal_privacy", "auditor", "ai_governance_board")


@dataclass(slots=True)
class Division:
    """A division with its departments and the people that its use cases are given."""

    unit: BusinessUnit
    departments: list[BusinessUnit] = field(default_factory=list)
    technical_leads: list[User] = field(default_factory=list)
    business_owners: list[User] = field(default_factory=list)
    leads: list[User] = field(default_factory=list)


@dataclass(slots=True)
class Organisation:
    root: BusinessUnit
    divisions: list[Division]
    verifier: User
    """Somebody who verifies what others gave as evidence."""


def make_organisation() -> Organisation:
    """The organisation, made once: what is there of it already is used."""
    root = BusinessUnit.objects.filter(parent=None).first()
    root = root or create_unit(code="synthetic", name="Synthetic Group", by=SYSTEM)
    people = _People()
    grants = [Grant(people.next(), role, root) for role in EVERYWHERE]
    divisions = []
    for code, name, departments in DIVISIONS:
        division = Division(_unit(code, name, root))
        division.departments = [
            _unit(f"{code}-{each}", f"{name}: {each.replace('-', ' ')}", division.unit) for each in departments
        ]
        grants += [
            Grant(people.next(), "business_sponsor", division.unit),
            Grant(people.next(), "data_steward", division.unit),
        ]
        division.technical_leads = [people.next() for _ in range(LEADS)]
        division.business_owners = [people.next() for _ in range(LEADS)]
        division.leads = [people.next() for _ in range(LEADS)]
        divisions.append(division)
    assign_roles_bulk(grants=grants, by=SYSTEM, reason="Synthetic portfolio")
    return Organisation(root, divisions, verifier=grants[1].user)


def _unit(code: str, name: str, parent: BusinessUnit) -> BusinessUnit:
    return BusinessUnit.objects.filter(code=code).first() or create_unit(code=code, name=name, parent=parent, by=SYSTEM)


class _People:
    """People under names that are all different, the same ones in the same order each time."""

    def __init__(self) -> None:
        self._known = {user.email: user for user in User.objects.filter(email__endswith=f"@{DOMAIN}")}
        self._names = product(range(100), LAST_NAMES, FIRST_NAMES)

    def next(self) -> User:
        turn, last, first = next(self._names)
        name = f"{first} {last}" + (f" {turn + 1}" if turn else "")
        email = f"{name.lower().replace(' ', '.')}@{DOMAIN}"
        return self._known.get(email) or create_person(email=email, full_name=name, by=SYSTEM)
