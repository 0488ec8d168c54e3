"""Breaches of systems in use, and the people who decide about them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from gates.breaching import open_owed
from gates.models import BreachDecision, GateAssurance
from monitoring.models import Alert
from portfolio.models import Stage, UseCase
from tests.factories.accounts import person_with
from tests.factories.gates import Case, ready_case
from tests.factories.monitoring import AlertFactory, SeriesFactory, points


def system(*, tier: str = "limited", stage: str = Stage.PRODUCTION, policy: bool = True) -> Case:
    """A use case in use that has just passed a gate, with somebody who owns and sponsors it."""
    case = ready_case(tier=tier, policy=policy)
    person_with("business_sponsor", case.use_case)
    UseCase.objects.filter(pk=case.use_case.pk).update(stage=stage)
    GateAssurance.objects.create(use_case=case.use_case, gate="idea_to_poc", since=timezone.now())
    if tier == "high":  # what the small policy asks of the tier
        points(SeriesFactory.create(use_case=case.use_case, metric="f1"), [0.95])
    case.use_case.refresh_from_db()
    return case


def breach_of(case: Case, **fields: Any) -> Alert:
    """An alert at the act level, open."""
    metric = f"metric_{Alert.objects.count() + 1}"
    words = "F1 score is 0.7; it should be at least 0.8."
    given = {"rule__series__metric": metric, "level": "act", "value": 0.7, "limit": 0.8, "message": words}
    alert: Alert = AlertFactory.create(rule__series__use_case=case.use_case, **{**given, **fields})
    return alert


def owed(case: Case, **fields: Any) -> BreachDecision:
    """The decision that a breach owes."""
    alert = breach_of(case, **fields)
    assert open_owed([case.use_case.pk]) == 1
    return BreachDecision.objects.select_related("alert__series__use_case", "use_case").get(alert=alert)
