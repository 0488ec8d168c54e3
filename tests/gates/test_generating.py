"""The synthetic portfolio: the same for the same seed, whole in the ledger, with the rows that pages show."""

from __future__ import annotations

from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import RoleAssignment
from gates.generating.portfolio import generate
from gates.models import Assessment
from governance.models import Evidence, ValidationRun
from ledger.models import Event, Head
from monitoring.models import Point, Rule, Series
from portfolio.models import BusinessUnit, Kpi, KpiMeasurement, Stage, StageChange, Tier, UseCase

pytestmark = pytest.mark.django_db


def test_a_portfolio_has_every_stage_and_tier_and_what_belongs_to_them() -> None:
    generate(200, seed=1)
    assert UseCase.objects.count() == 200
    assert set(UseCase.objects.values_list("stage", flat=True)) == set(Stage.values)
    assert set(UseCase.objects.values_list("tier", flat=True)) == {"", Tier.MINIMAL, Tier.LIMITED, Tier.HIGH}
    assert BusinessUnit.objects.count() == 1 + 8 + 40
    for model in (Kpi, KpiMeasurement, Evidence, ValidationRun, Series, Point, Rule):
        assert model._default_manager.exists(), model
    assert RoleAssignment.objects.filter(scope_kind="use_case").count() == 600


def test_each_history_ends_in_the_stage_that_a_use_case_is_in() -> None:
    generate(60, seed=3)
    for use_case in UseCase.objects.all():
        last = StageChange.objects.filter(use_case=use_case).order_by("at").last()
        assert last is not None
        assert (last.to_stage, last.at) == (use_case.stage, use_case.stage_since)


def test_the_ledger_tells_of_every_row_and_has_no_gap() -> None:
    generate(40, seed=1)
    actions = Counter(Event.objects.values_list("action", flat=True))
    assert actions["use_case.created"] == 40
    assert actions["kpi.defined"] == Kpi.objects.count()
    assert actions["kpi.measured"] == KpiMeasurement.objects.count()
    assert actions["evidence.added"] == Evidence.objects.count()
    assert actions["validation.recorded"] == ValidationRun.objects.count()
    assert Head.objects.get().next_index == Event.objects.count()


def test_the_same_seed_makes_the_same_portfolio_and_another_one_another() -> None:
    from django.db import transaction

    def names(seed: int) -> list[tuple[str, str, str]]:
        found: list[tuple[str, str, str]] = []
        with transaction.atomic():
            generate(20, seed=seed)
            found = list(UseCase.objects.order_by("key").values_list("name", "stage", "tier"))
            transaction.set_rollback(True)
        return found

    first = names(5)
    assert names(5) == first
    assert names(6) != first


def test_the_command_judges_what_it_made_and_refuses_to_do_it_twice() -> None:
    out = StringIO()
    call_command("generate_portfolio", use_cases=12, stdout=out)
    assert "12 use cases made in" in out.getvalue()
    assert UseCase.objects.count() == 12
    with pytest.raises(CommandError, match="synthetic portfolio already"):
        call_command("generate_portfolio", use_cases=12)
    with pytest.raises(CommandError, match="takes a number from 1"):
        call_command("generate_portfolio", use_cases=0)


def test_with_policies_published_every_use_case_is_judged() -> None:
    from gates.services.policies import install_policies

    install_policies()
    call_command("generate_portfolio", use_cases=10, stdout=StringIO())
    assert Assessment.objects.filter(done_at__isnull=False).count() == 10
