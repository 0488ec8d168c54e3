"""Django's admin shows what was reviewed, signed and decided; it adds, changes and deletes none of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from gates import models
from gates.assessment import assess
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory
from tests.factories.conditions import owed_by
from tests.factories.gates import ready_case
from tests.factories.waivers import WaiverFactory

pytestmark = pytest.mark.django_db
SHOWN: list[Any] = [
    models.PolicyVersion,
    models.Review,
    models.SignOff,
    models.Decision,
    models.GateAssurance,
    models.CriterionFinding,
    models.Condition,
    models.Waiver,
    models.WaiverVote,
]


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model.__name__)
def test_the_admin_shows_and_never_edits(client: Client, model: Any) -> None:
    ready_case().pass_gate()
    WaiverFactory.create(use_case=UseCase.objects.get())
    owed_by(UseCase.objects.get())
    assess()
    client.force_login(PersonFactory.create(is_staff=True, is_superuser=True))
    address = f"/admin/gates/{model._meta.model_name}/"
    row = model.objects.first()
    assert client.get(address).status_code == 200
    assert client.get(f"{address}{row.pk}/change/").status_code == 200
    assert client.get(f"{address}add/").status_code == 403
    assert client.post(f"{address}{row.pk}/change/", {"state": "open"}).status_code == 403
    assert client.post(f"{address}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()
