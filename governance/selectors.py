"""Reads across rows that several pages need."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.access import for_user, reach
from accounts.models import User
from governance.models import Dataset, Evidence, Incident, Issue, ModelVersion, RiskClassification
from portfolio.models import BusinessUnit, UseCase

SOON = timedelta(days=30)
VIEW = "use_case.view"


def visible_datasets(user: User) -> QuerySet[Dataset]:
    """Datasets of units that a person may look into, and those behind versions of use cases that they may see."""
    units = for_user(BusinessUnit.objects.all(), user, VIEW)
    behind = for_user(ModelVersion.objects.filter(datasets=OuterRef("pk")), user, VIEW)
    rows = Dataset.objects.select_related("unit", "steward", "certified_by")
    if reach(user, VIEW).everything:
        return rows
    return rows.filter(Q(unit__in=units) | Exists(behind))


def usable_datasets(user: User, use_case: UseCase) -> QuerySet[Dataset]:
    """What a version of the use case may be said to rest on: data of its own units, and what the person may see."""
    path = use_case.unit.path
    own = [path[: index + 1] for index, letter in enumerate(path) if letter == "/"]
    seen = visible_datasets(user).values("pk")
    return Dataset.objects.filter(Q(unit__path__in=own) | Q(pk__in=seen)).select_related("unit").order_by("name")


def expiring_evidence(rows: QuerySet[Evidence]) -> QuerySet[Evidence]:
    """Evidence in force that ends within thirty days, or has ended already."""
    return rows.filter(withdrawn_at__isnull=True, valid_until__lt=timezone.now() + SOON)


def with_governance(rows: QuerySet[UseCase]) -> QuerySet[Any]:
    """Use cases with what the register shows: state of the classification, open issues, evidence that ends."""
    here = {"use_case": OuterRef("pk")}
    current = RiskClassification.objects.filter(**here, is_current=True)
    return rows.annotate(
        classified=Exists(current),
        confirmed=Exists(current.filter(confirmed_at__isnull=False)),
        provisional=Exists(current.filter(provisional=True)),
        open_issues=_number_of(Issue.objects.filter(**here, state=Issue.IssueState.OPEN)),
        open_incidents=_number_of(Incident.objects.filter(**here, closed_at__isnull=True)),
        expiring=_number_of(expiring_evidence(Evidence.objects.filter(**here))),
    )


def _number_of(rows: QuerySet[Any]) -> Coalesce:
    """How many rows, as a subquery: joined they would multiply each other, and be counted for pages nobody sees."""
    counted = rows.order_by().values("use_case").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)


def current_classification(use_case: UseCase) -> RiskClassification | None:
    rows = RiskClassification.objects.filter(use_case=use_case, is_current=True)
    return rows.select_related("classified_by", "confirmed_by", "override_by").first()


def evidence_state(evidence: Evidence) -> str:
    """In one word: withdrawn, expired, expiring, verified, attested or unverified.

    An attestation is a person's own word in a role: it may be verified, but does not wait for it.
    """
    now = timezone.now()
    if evidence.withdrawn_at:
        return "withdrawn"
    if evidence.valid_until and evidence.valid_until < now:
        return "expired"
    if evidence.valid_until and evidence.valid_until < now + SOON:
        return "expiring"
    if evidence.verified_by_id:
        return "verified"
    return "attested" if evidence.kind == Evidence.Kind.ATTESTATION else "unverified"
