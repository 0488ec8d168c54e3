"""The people of the demonstration: everybody a gate asks for, in every unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

from accounts.demo import DOMAIN
from accounts.models import User
from accounts.services.bulk import Grant, assign_roles_bulk
from accounts.services.people import create_person
from accounts.services.service_accounts import create_service_account
from ledger import SYSTEM
from portfolio.models import BusinessUnit

ORGANISATION_WIDE = (
    ("risk_compliance", "Ruth Okafor", "Head of model risk"),
    ("risk_compliance", "Henrik Solberg", "Compliance officer"),
    ("security", "Mara Lindqvist", "Security architect"),
    ("legal_privacy", "Tomas Ferrante", "Counsel, data protection"),
    ("it_operations", "Grace Achterberg", "Head of service operations"),
    ("independent_validator", "Ingrid Vos", "Model validator"),
    ("ai_governance_board", "Amara Diallo", "Chair of the AI board"),
    ("ai_governance_board", "Paul Renner", "Chief risk officer"),
    ("ai_governance_board", "Lena Castellan", "Managing director, Customer Care"),
    ("ai_governance_board", "Victor Amundsen", "General counsel"),
    ("ai_governance_board", "Sofia Marchetti", "Managing director, Claims"),
    ("portfolio_manager", "Nadia Rahman", "Head of the AI programme"),
    ("auditor", "Oskar Brandt", "Internal audit"),
    ("executive_viewer", "Elena Petrova", "Chief operating officer"),
    ("vendor_manager", "Daniel Hofer", "Supplier management"),
    ("system_admin", "Yusuf Kaya", "Platform administration"),
)
ON_THE_BOARD = (
    ("Paul Renner", "risk_compliance", ""),
    ("Victor Amundsen", "legal_privacy", ""),
    ("Lena Castellan", "business_sponsor", "care"),
    ("Sofia Marchetti", "business_sponsor", "claims"),
)
"""For whom members of the board speak: a role, and the unit that it is held on (none: the whole organisation)."""
IN_EVERY_UNIT = (
    "business_sponsor",
    "business_owner",
    "technical_lead",
    "data_steward",
    "use_case_lead",
    "transition_owner",
    "data_scientist",
    "data_engineer",
    "domain_expert",
    "human_reviewer",
    "end_user",
)
TITLES = {
    "business_sponsor": "Executive sponsor",
    "business_owner": "Process owner",
    "technical_lead": "Lead engineer",
    "data_steward": "Data steward",
    "use_case_lead": "Product lead",
    "transition_owner": "Transition manager",
    "data_scientist": "Data scientist",
    "data_engineer": "Data engineer",
    "domain_expert": "Senior specialist",
    "human_reviewer": "Reviewer",
    "end_user": "Specialist",
}
LAST = [
    "Weber",
    "Adeyemi",
    "Novak",
    "Sharma",
    "Rossi",
    "Lund",
    "Haddad",
    "Berg",
    "Moreau",
    "Chen",
    "Silva",
    "Kowalski",
    "Mensah",
    "Dubois",
    "Torres",
    "Rahimi",
    "Petersen",
    "Nilsson",
    "Aziz",
    "Keller",
    "Romero",
    "Karimi",
    "Vogel",
    "Conti",
    "Nasser",
    "Holm",
    "Horvat",
    "Ortiz",
    "Okoro",
    "Dahl",
    "Martin",
    "Saleh",
    "Jansen",
    "Costa",
    "Levi",
    "Sund",
    "Vega",
    "Mansour",
    "Braun",
    "Park",
    "Lindgren",
    "Iversen",
    "Rao",
    "Falk",
    "Ström",
    "Fathi",
    "Greco",
    "Ek",
    "Peters",
    "Popov",
    "Bakr",
    "Lindholm",
    "Baptiste",
    "Moen",
    "Diallo",
    "Wolff",
    "Ramos",
    "Aydin",
    "Maric",
    "Fuchs",
    "Soto",
    "Hassan",
    "Bergman",
    "Vitale",
    "Menon",
    "Roth",
    "Hagen",
    "Petrov",
    "Björk",
    "Larsen",
    "Khan",
    "Leroy",
    "Nowak",
    "Jafari",
    "Becker",
    "Serra",
    "Wagner",
    "Marin",
    "Wójcik",
    "Demir",
    "Virtanen",
    "Ivanova",
    "Malik",
    "Kraus",
    "Castro",
]


@dataclass(slots=True)
class Cast:
    """Who is who. ``of(unit, role)`` gives the people of a unit, or of the organisation."""

    everywhere: dict[str, list[User]] = field(default_factory=dict)
    by_unit: dict[str, dict[str, list[User]]] = field(default_factory=dict)
    machine: User | None = None

    def of(self, unit: str, role: str) -> list[User]:
        return self.by_unit.get(unit, {}).get(role) or self.everywhere.get(role, [])

    def one(self, unit: str, role: str, n: int = 0) -> User:
        people = self.of(unit, role)
        return people[n % len(people)]


def make_cast(root: BusinessUnit, units: Iterable[BusinessUnit], given: list[str], family: list[str]) -> Cast:
    """Open the accounts and give roles: organisation-wide ones on the root, the rest on the unit where they work.

    Sponsors, owners, leads and builders get their roles on single use cases later; stewards and experts hold
    theirs on the unit.
    """
    cast = Cast()
    names = _names(given, family)
    grants: list[Grant] = []
    for role, name, title in ORGANISATION_WIDE:
        person = _person(name, title)
        cast.everywhere.setdefault(role, []).append(person)
        grants.append(Grant(person, role, root))
    units = list(units)
    places = {"": root, **{unit.code: unit for unit in units}}
    members = {person.full_name: person for person in cast.everywhere["ai_governance_board"]}
    grants += [Grant(members[name], role, places[code]) for name, role, code in ON_THE_BOARD if code in places]
    for unit in units:
        people = cast.by_unit.setdefault(unit.code, {})
        for role in IN_EVERY_UNIT:
            for _n in range(2 if role in ("business_owner", "technical_lead") else 1):
                first, last = next(names)
                person = _person(f"{first} {last}", f"{TITLES[role]}, {unit.name}")
                people.setdefault(role, []).append(person)
                if role in ("data_steward", "domain_expert", "human_reviewer", "end_user"):
                    grants.append(Grant(person, role, unit))
    cast.machine = create_service_account(
        name="Monitoring pipeline", owner=cast.everywhere["system_admin"][0], by=SYSTEM
    )
    grants.append(Grant(cast.machine, "service_account", root))
    assign_roles_bulk(grants=grants, by=SYSTEM, reason="Demonstration organisation")
    return cast


def _person(name: str, title: str) -> User:
    local = name.lower().translate(str.maketrans("éñöóåäüßúí", "enooaausui")).replace(" ", ".")
    return create_person(email=f"{local}@{DOMAIN}", full_name=name, by=SYSTEM, job_title=title)


def _names(given: list[str], family: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs without end; the first few hundred are all different."""
    for n in count():
        yield given[n % len(given)], family[(3 * n + n // len(given)) % len(family)]
