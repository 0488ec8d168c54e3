"""Who answers for what: the people of every use case, one row for each role they hold there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.people import people_on
from kernel.tables import Column
from portfolio.models import UseCase
from portfolio.report import Report, reports

BATCH = 500


@reports.register
class Responsibilities(Report):
    key: ClassVar[str] = "responsibilities"
    title: ClassVar[Any] = _("Responsibilities")
    description: ClassVar[Any] = _("Who holds which role on which use case, since when, directly or through a unit.")
    order: ClassVar[int] = 30
    icon: ClassVar[str] = "people"

    def columns(self) -> Sequence[Column]:
        return (
            Column("key", _("Key")),
            Column("name", _("Use case")),
            Column("unit", _("Unit")),
            Column("role", _("Role")),
            Column("person", _("Person")),
            Column("email", _("E-mail address")),
            Column("since", _("Since")),
            Column("through", _("Through the unit")),
        )

    def rows(self, request: HttpRequest, use_cases: QuerySet[UseCase]) -> Iterator[dict[str, Any]]:
        found = use_cases.select_related("unit").only("key", "name", "unit__name").order_by("key").iterator(BATCH)
        while batch := list(islice(found, BATCH)):
            people = people_on([use_case.pk for use_case in batch])
            for use_case in batch:
                for held in people[use_case.pk]:
                    yield {
                        "key": use_case.key,
                        "name": use_case.name,
                        "unit": use_case.unit.name,
                        "role": held.role_name,
                        "person": held.user.full_name,
                        "email": held.user.email,
                        "since": held.since.date(),
                        "through": held.inherited_from,
                    }
