"""`manage.py prepare`: from nothing to something to look at, and nothing more when it is asked again."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.demo import demo_people
from accounts.models import RoleAssignment
from accounts.roles import catalogue
from config.entrance import provide_people
from gates.models import CriterionFinding, PolicyVersion
from ledger.models import Event
from portfolio.models import UseCase
from tests.factories.portfolio import UnitFactory

INVENTORY = "key,name,unit_code,stage\nUC-0001,Triage of letters,{unit},pilot\n"


def _prepare(**options: object) -> str:
    out = StringIO()
    call_command("prepare", stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_the_shipped_policies_are_published_once() -> None:
    _prepare()
    published = PolicyVersion.objects.count()
    events = Event.objects.count()
    assert published >= 2
    assert _prepare() == ""
    assert PolicyVersion.objects.count() == published
    assert Event.objects.count() == events


@pytest.mark.django_db
def test_an_inventory_needs_a_profile(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--profile"):
        _prepare(portfolio=tmp_path / "inventory.csv")


@pytest.mark.django_db
def test_outside_the_demonstration_nobody_is_invented(settings: Settings) -> None:
    settings.TOLLGATE_DEMO = False
    _prepare()
    assert not demo_people().exists()
    assert not UseCase.objects.exists()


@pytest.mark.django_db
def test_an_inventory_is_imported_evaluated_and_given_people_once(settings: Settings, tmp_path: Path) -> None:
    settings.TOLLGATE_DEMO = True
    settings.TOLLGATE_DATA_DIR = tmp_path
    unit = UnitFactory.create(parent=None)
    file = tmp_path / "inventory.csv"
    file.write_text(INVENTORY.format(unit=unit.code))

    said = _prepare(portfolio=file, profile="tollgate-inventory")
    assert "1 rows: 1 use cases" in said
    assert UseCase.objects.get().stage == "pilot"
    assert CriterionFinding.objects.exists()
    assert set(catalogue().roles) - set(RoleAssignment.objects.values_list("role", flat=True)) == {"service_account"}
    assert json.loads((tmp_path / "import-report.json").read_text())["created"] == 1

    assert _prepare(portfolio=file, profile="tollgate-inventory") == ""


@pytest.mark.django_db
def test_people_to_be_need_an_organisation() -> None:
    assert provide_people() == []
