"""Open an account and give it a role: how the first administrator of an installation comes to be."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

import ledger
from accounts.access import scopes
from accounts.models import User
from accounts.roles import role_choices
from accounts.services import assign_role, create_person
from kernel.errors import DomainError


class Command(BaseCommand):
    help = (
        "Opens an account for a person, or finds the one there is, and gives it a role on a unit (the whole"
        " organisation when none is named) or on one use case. Recorded in the ledger as done by the system."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="full name; needed for a new account")
        parser.add_argument("--role", choices=[key for key, _name in role_choices()], metavar="ROLE")
        place = parser.add_mutually_exclusive_group()
        place.add_argument("--unit", help="code of a unit")
        place.add_argument("--use-case", help="key of a use case")
        parser.add_argument("--password", action="store_true", help="ask for a password (never given as an argument)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with ledger.unit_of_work(by=ledger.SYSTEM):
                person = self._person(options)
                if options["role"]:
                    on = _place(options)
                    reason = "manage.py add_person"
                    assign_role(user=person, role=options["role"], on=on, by=ledger.SYSTEM, reason=reason)
        except DomainError as error:
            said = [error.message, *(sentence for each in error.errors.values() for sentence in each)]
            raise CommandError("\n".join(said)) from error
        self.stdout.write(_("%(name)s <%(email)s> is ready.") % {"name": person, "email": person.email})

    def _person(self, options: dict[str, Any]) -> User:
        found = User.objects.filter(email=options["email"].strip().lower()).first()
        if found is not None:
            return found
        if not options["name"]:
            raise CommandError("There is no account with this address yet: give the person's --name.")
        password = getpass.getpass() if options["password"] else None
        return create_person(email=options["email"], full_name=options["name"], password=password, by=ledger.SYSTEM)


def _place(options: dict[str, Any]) -> Any:
    """The unit or use case that was named, or the organisation."""
    units: Any = scopes().unit._default_manager
    cases: Any = scopes().use_case._default_manager.select_related("unit")
    if options["use_case"]:
        found = cases.filter(key=options["use_case"]).first()
    elif options["unit"]:
        found = units.filter(code=options["unit"]).first()
    else:
        found = units.filter(parent__isnull=True).first()
    if found is None:
        raise CommandError(
            "There is no such place to hold a role on. Units are made first, the organisation before all."
        )
    return found
