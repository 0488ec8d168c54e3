"""Rows of governance as tests need them: written straight to the tables, without permissions and events."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import factory as factory_boy
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from factory.django import DjangoModelFactory

from governance import models
from tests.factories.accounts import PersonFactory
from tests.factories.portfolio import UnitFactory, UseCaseFactory

factory: Any = factory_boy  # its declarations carry no types

PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"


def upload(name: str = "report.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    """A file as a form or the API hands it over."""
    return SimpleUploadedFile(name, content)


class EvidenceFactory(DjangoModelFactory[models.Evidence]):
    class Meta:
        model = models.Evidence

    use_case = factory.SubFactory(UseCaseFactory)
    kind = "link"
    title = factory.Sequence(lambda n: f"Evidence {n}")
    url = factory.Sequence(lambda n: f"https://example.com/evidence/{n}")
    sha256 = factory.LazyAttribute(lambda row: hashlib.sha256(row.title.encode()).hexdigest())
    added_by = factory.SubFactory(PersonFactory)


class AttestationFactory(EvidenceFactory):
    kind = "attestation"
    criterion = "IP-03"
    role = "business_owner"
    statement = "I accept."
    url = ""


class DocumentFactory(DjangoModelFactory[models.Document]):
    class Meta:
        model = models.Document

    use_case = factory.SubFactory(UseCaseFactory)
    doc_type = "poc_charter"
    title = "PoC charter"
    sections: Any = factory.LazyFunction(dict)
    measures: Any = factory.LazyFunction(dict)
    written_by = factory.SubFactory(PersonFactory)


class QuestionnaireResponseFactory(DjangoModelFactory[models.QuestionnaireResponse]):
    class Meta:
        model = models.QuestionnaireResponse

    use_case = factory.SubFactory(UseCaseFactory)
    questionnaire = "prioritisation"
    score = Decimal("75.00")
    complete = True
    answered_by = factory.SubFactory(PersonFactory)


class RiskClassificationFactory(DjangoModelFactory[models.RiskClassification]):
    class Meta:
        model = models.RiskClassification

    use_case = factory.SubFactory(UseCaseFactory)
    rule_version = "1.0.0"
    tier = "limited"
    score = 40
    provisional = False
    legal_hold = False
    reasons: Any = factory.LazyFunction(lambda: ["SCORE"])
    classified_by = factory.SubFactory(PersonFactory)


class RiskItemFactory(DjangoModelFactory[models.RiskItem]):
    class Meta:
        model = models.RiskItem

    use_case = factory.SubFactory(UseCaseFactory)
    title = factory.Sequence(lambda n: f"Risk {n}")
    likelihood = 2
    impact = 3
    inherent = "medium"
    residual = "medium"
    raised_by = factory.SubFactory(PersonFactory)


class AiModelFactory(DjangoModelFactory[models.AiModel]):
    class Meta:
        model = models.AiModel

    use_case = factory.SubFactory(UseCaseFactory)
    name = factory.Sequence(lambda n: f"Model {n}")
    kind = "classifier"


class DatasetFactory(DjangoModelFactory[models.Dataset]):
    class Meta:
        model = models.Dataset

    unit = factory.SubFactory(UnitFactory)
    name = factory.Sequence(lambda n: f"Dataset {n}")


class ModelVersionFactory(DjangoModelFactory[models.ModelVersion]):
    class Meta:
        model = models.ModelVersion

    model = factory.SubFactory(AiModelFactory)
    label = factory.Sequence(lambda n: f"1.{n}")
    number = factory.Sequence(lambda n: n + 1)
    author = factory.SubFactory(PersonFactory)


class ValidationRunFactory(DjangoModelFactory[models.ValidationRun]):
    class Meta:
        model = models.ValidationRun

    use_case = factory.SubFactory(UseCaseFactory)
    kind = "performance_representative"
    verdict = "pass"
    recorded_by = factory.SubFactory(PersonFactory)


class IssueFactory(DjangoModelFactory[models.Issue]):
    class Meta:
        model = models.Issue

    use_case = factory.SubFactory(UseCaseFactory)
    kind = "assumption"
    title = factory.Sequence(lambda n: f"Issue {n}")
    raised_by = factory.SubFactory(PersonFactory)


class IncidentFactory(DjangoModelFactory[models.Incident]):
    class Meta:
        model = models.Incident

    use_case = factory.SubFactory(UseCaseFactory)
    severity = "sev3"
    title = factory.Sequence(lambda n: f"Incident {n}")
    reported_by = factory.SubFactory(PersonFactory)


class DataAccessRequestFactory(DjangoModelFactory[models.DataAccessRequest]):
    class Meta:
        model = models.DataAccessRequest

    use_case = factory.SubFactory(UseCaseFactory)
    purpose = "Train the first version."
    requested_by = factory.SubFactory(PersonFactory)


class IntegrationPointFactory(DjangoModelFactory[models.IntegrationPoint]):
    class Meta:
        model = models.IntegrationPoint

    use_case = factory.SubFactory(UseCaseFactory)
    name = factory.Sequence(lambda n: f"System {n}")


class IntegrationTestFactory(DjangoModelFactory[models.IntegrationTest]):
    class Meta:
        model = models.IntegrationTest

    point = factory.SubFactory(IntegrationPointFactory)
    cases_run = 10
    cases_passed = 10
    recorded_by = factory.SubFactory(PersonFactory)


class TrainingRecordFactory(DjangoModelFactory[models.TrainingRecord]):
    class Meta:
        model = models.TrainingRecord

    use_case = factory.SubFactory(UseCaseFactory)
    course = "user"
    person = factory.SubFactory(PersonFactory)


class SpecialistReviewFactory(DjangoModelFactory[models.SpecialistReview]):
    class Meta:
        model = models.SpecialistReview

    use_case = factory.SubFactory(UseCaseFactory)
    area = "privacy"
    opened_by = factory.SubFactory(PersonFactory)


class AccessReviewFactory(DjangoModelFactory[models.AccessReview]):
    class Meta:
        model = models.AccessReview

    use_case = factory.SubFactory(UseCaseFactory)
    reviewed_by = factory.SubFactory(PersonFactory)
    reviewed_at = factory.LazyFunction(timezone.now)


class PracticeDeclarationFactory(DjangoModelFactory[models.PracticeDeclaration]):
    class Meta:
        model = models.PracticeDeclaration

    use_case = factory.SubFactory(UseCaseFactory)
    practice = "OMB-4b-i"
    answer = "yes"


class OversightPlanFactory(DjangoModelFactory[models.OversightPlan]):
    class Meta:
        model = models.OversightPlan

    use_case = factory.SubFactory(UseCaseFactory)


class DecisionTypeFactory(DjangoModelFactory[models.DecisionType]):
    class Meta:
        model = models.DecisionType

    use_case = factory.SubFactory(UseCaseFactory)
    name = factory.Sequence(lambda n: f"Decision {n}")
