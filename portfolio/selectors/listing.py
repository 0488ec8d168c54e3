"""The list of use cases: what a person may see, what is theirs, and the orders it can be shown in."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber

from accounts.access import for_user, unit_grants
from accounts.models import User
from accounts.roles import catalogue
from portfolio.models import Assurance, BusinessUnit, Stage, Tier, UseCase, UseCaseGrant

STAGE_ORDER = tuple(Stage.values)
TIER_ORDER = (Tier.MINIMAL, Tier.LIMITED, Tier.HIGH, Tier.PROHIBITED)
ASSURANCE_ORDER = (Assurance.IN_FORCE, Assurance.AT_RISK, Assurance.REAPPROVAL)
AT_RISK = (Assurance.AT_RISK, Assurance.REAPPROVAL)
LONG_TEXTS = ("source_data", "source_values", "problem_statement", "target_users", "non_ai_alternative", "objective")
"""Columns that a list never shows: read for a page of one use case, not for fifty of them."""


def visible(user: User) -> QuerySet[UseCase]:
    """Every use case that ``user`` may see."""
    return for_user(UseCase.objects.all(), user, "use_case.view")


def mine(user: User) -> Q:
    """Use cases that ``user`` answers for: held directly, through a unit, or opened by them.

    Roles that by their nature watch over everything (risk, security, auditors) make nothing "mine".
    """
    direct = UseCaseGrant.objects.filter(user=user).values("content_object_id")
    condition = Q(pk__in=direct) | Q(created_by=user.pk)
    near = {role.permission for role in catalogue().roles.values() if role.default_scope != "all"}
    for path in sorted({path for codename, path in unit_grants(user) if codename in near}):
        condition |= Q(unit__path__startswith=path)
    return condition


def below(unit: BusinessUnit) -> Q:
    """Use cases of a unit and of all units below it."""
    return Q(unit__path__startswith=unit.path)


def matching(text: str) -> Q:
    """Use cases in which every word of ``text`` is found: in the name, key, summary or vendor."""
    condition = Q()
    for word in text.split()[:8]:
        found = Q(name__icontains=word) | Q(key__icontains=word) | Q(summary__icontains=word)
        condition &= found | Q(vendor__icontains=word)
    return condition


def ranked(queryset: QuerySet[UseCase]) -> QuerySet[UseCase]:
    """With ``stage_rank``, ``tier_rank`` and ``assurance_rank``, which sort as people think of them."""
    return queryset.annotate(
        stage_rank=_rank("stage", STAGE_ORDER),
        tier_rank=_rank("tier", TIER_ORDER),
        assurance_rank=_rank("assurance", ASSURANCE_ORDER),
    )


def longest_by_stage(queryset: QuerySet[UseCase], each: int) -> list[UseCase]:
    """At most ``each`` use cases of every stage, the longest there first. Two queries: keys first, then their rows."""
    place = Window(RowNumber(), partition_by="stage", order_by=[F("stage_since").asc(), F("pk").asc()])
    keys = queryset.order_by().annotate(place=place).filter(place__lte=each).values_list("pk", flat=True)
    rows = UseCase.objects.filter(pk__in=list(keys)).select_related("unit").defer(*LONG_TEXTS)
    return list(rows.order_by("stage", "stage_since", "pk"))


def days_between(start: datetime, end: datetime) -> int:
    """Whole days from one moment to another."""
    return max((end - start) // timedelta(days=1), 0)


def _rank(field: str, order: tuple[str, ...]) -> Case:
    whens = [When(**{field: value}, then=Value(place)) for place, value in enumerate(order)]
    return Case(*whens, default=Value(None), output_field=IntegerField())
