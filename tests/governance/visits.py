"""Who is at the browser in these tests, where they go, and what they find there."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import User
from governance.models import (
    Document,
    Issue,
)
from portfolio.models import UseCase
from tests.factories import governance as make
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.portfolio import UseCaseFactory


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def case_with(role: str = "technical_lead") -> tuple[UseCase, User, Client]:
    use_case = UseCaseFactory.create()
    user = person_with(role, use_case)
    return use_case, user, signed_in(user)


def enter(use_case: UseCase, entry: str) -> str:
    return reverse("governance:enter", args=[use_case.key, entry])


def act(entry: str, subject: Any) -> str:
    return reverse("governance:act", args=[entry, subject.pk])


def panel(use_case: UseCase, key: str) -> str:
    return reverse("portfolio:use_case_panel", args=[use_case.key, key])


def furnish(use_case: UseCase) -> None:
    """One of everything."""
    evidence = make.EvidenceFactory.create(use_case=use_case)
    make.AttestationFactory.create(use_case=use_case)
    version = make.ModelVersionFactory.create(model__use_case=use_case)
    version.version_datasets.create(dataset=make.DatasetFactory.create(unit=use_case.unit), purpose="training")
    make.ValidationRunFactory.create(
        use_case=use_case, version=version, evidence=evidence, metrics={"f1": "0.9"}, independent=True
    )
    make.DocumentFactory.create(use_case=use_case, sections={"scope": "All."}, doc_type=f"t{Document.objects.count()}")
    make.RiskItemFactory.create(use_case=use_case, owner=PersonFactory.create(), treatment="Watched.")
    make.IssueFactory.create(use_case=use_case, owner=PersonFactory.create())
    make.IncidentFactory.create(use_case=use_case)
    make.IntegrationTestFactory.create(point__use_case=use_case)
    make.TrainingRecordFactory.create(use_case=use_case)
    make.DataAccessRequestFactory.create(use_case=use_case)
    make.AccessReviewFactory.create(use_case=use_case)
    make.PracticeDeclarationFactory.create(use_case=use_case, practice=f"P-{Issue.objects.count()}")
    make.DecisionTypeFactory.create(use_case=use_case)
