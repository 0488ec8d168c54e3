"""What changes facts of a use case is announced after the commit, in the words that policies use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from governance import services
from kernel.errors import Invalid
from portfolio.signals import facts_changed
from tests.factories import governance as make
from tests.factories.accounts import person_with
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db
Capture = Callable[..., Any]


def heard(capture: Capture, call: Callable[[], object]) -> list[tuple[UUID, str]]:
    found: list[tuple[UUID, str]] = []

    def listen(use_case_id: UUID, what: str, **_more: object) -> None:
        found.append((use_case_id, what))

    facts_changed.connect(listen)
    try:
        with capture(execute=True):
            call()
    finally:
        facts_changed.disconnect(listen)
    return found


def test_a_result_and_evidence_are_evidence(django_capture_on_commit_callbacks: Capture) -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    record = lambda: services.record_validation(use_case=use_case, kind="stress", verdict="pass", by=lead)  # noqa: E731
    add = lambda: services.add_link(use_case=use_case, url="https://example.com", title="x", by=lead)  # noqa: E731
    assert heard(django_capture_on_commit_callbacks, record) == [(use_case.pk, "evidence")]
    assert heard(django_capture_on_commit_callbacks, add) == [(use_case.pk, "evidence")]


@pytest.mark.parametrize(("significant", "what"), [(True, "model"), (False, "evidence")])
def test_a_significant_version_is_a_change_of_the_model(
    significant: bool, what: str, django_capture_on_commit_callbacks: Capture
) -> None:
    model = make.AiModelFactory.create()
    lead = person_with("technical_lead", model.use_case)
    register = lambda: services.register_version(model=model, label="1", by=lead, significant=significant)  # noqa: E731
    assert heard(django_capture_on_commit_callbacks, register) == [(model.use_case_id, what)]


def test_incident_oversight_and_integration_have_their_words(django_capture_on_commit_callbacks: Capture) -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    calls: dict[str, Callable[[], object]] = {
        "incident": lambda: services.report_incident(use_case=use_case, severity="sev3", title="Wrong", by=lead),
        "oversight": lambda: services.save_oversight(use_case=use_case, by=lead, reviewers="Two."),
        "integration": lambda: services.save_integration_point(use_case=use_case, name="CRM", by=lead),
    }
    for what, call in calls.items():
        assert heard(django_capture_on_commit_callbacks, call) == [(use_case.pk, what)]


def test_dataset_is_announced_to_every_use_case_that_rests_on_it(django_capture_on_commit_callbacks: Capture) -> None:
    dataset = make.DatasetFactory.create()
    version = make.ModelVersionFactory.create(model__use_case=UseCaseFactory.create(tier="limited"))
    version.version_datasets.create(dataset=dataset, purpose="training")
    steward = person_with("data_steward", dataset.unit)
    certify = lambda: services.certify_dataset(dataset=dataset, by=steward)  # noqa: E731
    assert heard(django_capture_on_commit_callbacks, certify) == [(version.model.use_case_id, "data")]


def test_nothing_is_announced_when_it_was_refused(django_capture_on_commit_callbacks: Capture) -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)

    def refused() -> None:
        with pytest.raises(Invalid):
            services.record_validation(use_case=use_case, kind="stress", verdict="great", by=lead)

    assert heard(django_capture_on_commit_callbacks, refused) == []
