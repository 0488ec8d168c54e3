"""Prepared queries answer what the query itself answers, each time with what they are asked with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kernel.prepared import Prepared, Question
from portfolio.models import Kpi, StageChange, UseCase
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


def moved(ids: Any, at: datetime) -> QuerySet[Any, Any]:
    rows = StageChange.objects.filter(at__lte=at).order_by("at", "pk")
    return (rows if ids is None else rows.filter(use_case__in=ids)).values("use_case_id", "to_stage", "at")


def stage_changes() -> tuple[UseCase, UseCase, datetime]:
    first, second, now = UseCaseFactory.create(), UseCaseFactory.create(), timezone.now()
    for use_case, stage, days in ((first, "poc", 9), (first, "pilot", 3), (second, "poc", 1)):
        StageChange.objects.create(
            use_case=use_case, from_stage="idea", to_stage=stage, at=now - timedelta(days=days), reason=""
        )
    return first, second, now


def test_each_object_and_each_moment_has_its_own_answer() -> None:
    first, second, now = stage_changes()
    question = Question(moved)
    for use_case in (first, second):
        for days in (0, 2, 5, 30):
            at = now - timedelta(days=days)
            assert list(question.of([use_case.pk], at)) == list(moved([use_case.pk], at))
    assert list(question.of([first.pk, second.pk], now)) == list(moved([first.pk, second.pk], now))
    assert list(question.of(None, now)) == list(moved(None, now))
    assert question.of([uuid4()], now) == []


def test_values_come_as_the_types_of_their_fields() -> None:
    first, _second, now = stage_changes()
    row = next(iter(Question(moved).of([first.pk], now)))
    assert isinstance(row["use_case_id"], UUID)
    assert row["at"].tzinfo is UTC
    tuples = Prepared(lambda one: UseCase.objects.filter(pk=one).values_list("pk", "key"), one=UUID)
    assert tuples.rows(one=first.pk) == [(first.pk, first.key)]


def test_it_is_one_statement() -> None:
    first, _second, now = stage_changes()
    question = Question(moved)
    for _time in range(2):
        with CaptureQueriesContext(connection) as captured:
            list(question.of([first.pk], now))
        assert len(captured) == 1


def test_a_parameter_that_is_worked_into_another_value_is_refused() -> None:
    by_day = Question(
        lambda ids, at: Kpi.objects.filter(use_case__in=ids or [], baseline_date__gte=at.date()).values("pk")
    )
    with pytest.raises(TypeError, match="worked into another value"):
        by_day.of([uuid4()], timezone.now())


def test_two_parameters_of_one_type_are_refused() -> None:
    with pytest.raises(TypeError, match="one parameter of each type"):
        Prepared(lambda a, b: UseCase.objects.filter(pk__in=[a, b]).values("pk"), a=UUID, b=UUID)
