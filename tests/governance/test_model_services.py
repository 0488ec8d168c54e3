"""Models, versions, datasets and validation runs."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from governance import services
from governance.models import Dataset, ModelVersion, ValidationRun
from kernel.errors import Conflict, Invalid
from ledger.models import Event
from portfolio.models import MaterialChange, UseCase
from tests.factories.accounts import ServiceAccountFactory, give, person_with
from tests.factories.governance import (
    AiModelFactory,
    DataAccessRequestFactory,
    DatasetFactory,
    ModelVersionFactory,
    ValidationRunFactory,
)
from tests.factories.portfolio import UnitFactory, UseCaseFactory

pytestmark = pytest.mark.django_db


def test_model_name_is_taken_once_in_a_use_case() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    services.register_model(use_case=use_case, name="Ranker", by=lead)
    with pytest.raises(Invalid) as caught:
        services.register_model(use_case=use_case, name=" Ranker ", by=lead)
    assert "name" in caught.value.errors


def test_versions_are_numbered_in_order_and_keep_their_bundle() -> None:
    model = AiModelFactory.create()
    scientist = person_with("data_scientist", model.use_case)
    dataset = DatasetFactory.create()
    first = services.register_version(model=model, label="1.0", by=scientist, bundle={"code": "abc", "data": ""})
    second = services.register_version(
        model=model, label="1.1", by=scientist, metrics={"f1": Decimal("0.840")}, datasets=[(dataset, "test")]
    )
    assert (first.number, second.number, second.state, second.author) == (1, 2, "candidate", scientist)
    assert (first.bundle, second.metrics) == ({"code": "abc"}, {"f1": "0.84"})
    assert second.version_datasets.get().purpose == "test"


def test_label_and_card_sections_are_checked() -> None:
    version = ModelVersionFactory.create(label="1.0")
    lead = person_with("technical_lead", version.model.use_case)
    with pytest.raises(Invalid) as caught:
        services.register_version(model=version.model, label="1.0", by=lead)
    assert "label" in caught.value.errors
    with pytest.raises(Invalid) as caught:
        services.edit_card(version=version, card={"poem": "x"}, by=lead)
    assert "card" in caught.value.errors


def test_card_sections_that_are_not_given_stay() -> None:
    version = ModelVersionFactory.create(card={"risks": "Some."})
    lead = person_with("technical_lead", version.model.use_case)
    assert services.edit_card(version=version, card={"limitations": "Many."}, by=lead).card == {
        "risks": "Some.",
        "limitations": "Many.",
    }


def operator_of(version: ModelVersion) -> Any:
    return person_with("it_operations", version.model.use_case)


def test_promoting_retires_the_version_that_was_live() -> None:
    old = ModelVersionFactory.create(state="live", number=1)
    new = ModelVersionFactory.create(model=old.model, number=2)
    services.promote_version(version=new, by=operator_of(new))
    old.refresh_from_db()
    assert old.state == "retired"
    assert ModelVersion.objects.filter(state="live").get() == new
    assert Event.objects.filter(action="version.retired").count() == 1


@pytest.mark.parametrize("tier", ["limited", "high", ""])
def test_author_cannot_promote_alone_on_limited_and_high(tier: str) -> None:
    version = ModelVersionFactory.create(model__use_case=UseCaseFactory.create(tier=tier))
    author = version.author
    give(author, "it_operations", version.model.use_case)
    with pytest.raises(PermissionDenied, match="alone"):
        services.promote_version(version=version, by=author)
    owner = person_with("business_owner", version.model.use_case)
    version = services.approve_version(version=version, by=owner)
    assert services.promote_version(version=version, by=author).state == "live"


def test_author_may_promote_on_minimal() -> None:
    version = ModelVersionFactory.create(model__use_case=UseCaseFactory.create(tier="minimal"))
    give(version.author, "it_operations", version.model.use_case)
    assert services.promote_version(version=version, by=version.author).state == "live"


def test_author_cannot_approve_own_version() -> None:
    version = ModelVersionFactory.create()
    give(version.author, "business_owner", version.model.use_case)
    with pytest.raises(PermissionDenied, match="you registered it"):
        services.approve_version(version=version, by=version.author)


def test_only_operations_promotes_and_only_candidates() -> None:
    version = ModelVersionFactory.create()
    with pytest.raises(PermissionDenied):
        services.promote_version(version=version, by=person_with("technical_lead", version.model.use_case))
    services.promote_version(version=version, by=operator_of(version))
    with pytest.raises(Conflict):
        services.promote_version(version=version, by=operator_of(version))


def test_owner_retires_a_version_with_a_reason() -> None:
    version = ModelVersionFactory.create(state="live")
    owner = person_with("business_owner", version.model.use_case)
    with pytest.raises(Invalid):
        services.retire_version(version=version, by=owner, reason="")
    assert services.retire_version(version=version, by=owner, reason="Replaced.").state == "retired"


def record(use_case: UseCase | None = None, **given: Any) -> ValidationRun:
    use_case = use_case or UseCaseFactory.create()
    by = given.pop("by", None) or person_with("technical_lead", use_case)
    return services.record_validation(
        use_case=use_case, kind=given.pop("kind", "stress"), verdict=given.pop("verdict", "pass"), by=by, **given
    )


def test_run_keeps_its_metrics_as_decimals_in_text() -> None:
    run = record(metrics={"f1": "0.910", "latency_p95": 640}, sample_size=1200)
    assert run.metrics == {"f1": "0.91", "latency_p95": "640"}


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-inf", "high", "", True, "1e40"])
def test_metric_that_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        record(metrics={"f1": value})
    assert "metrics" in caught.value.errors
    assert not ValidationRun.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"verdict": "great"}, "verdict"),
        ({"kind": "a b"}, "kind"),
        ({"kind": ""}, "kind"),
        ({"external_id": "42"}, "source"),
        ({"sample_size": -1}, "sample_size"),
    ],
)
def test_bad_runs_are_refused_by_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        record(**given)
    assert field in caught.value.errors


def test_run_of_the_future_and_version_of_others_are_refused() -> None:
    with pytest.raises(Invalid) as caught:
        record(performed_at=timezone.now() + timedelta(days=1), version=ModelVersionFactory.create())
    assert set(caught.value.errors) == {"performed_at", "version"}


def test_pipeline_that_sends_a_run_twice_records_it_once() -> None:
    use_case = UseCaseFactory.create()
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    sent = {"by": machine, "source": "ci", "external_id": "build-7", "metrics": {"f1": "0.9"}}
    assert record(use_case, **sent) == record(use_case, **sent)
    assert ValidationRun.objects.count() == 1
    assert Event.objects.filter(action="validation.recorded").count() == 1
    with pytest.raises(Conflict, match="another content"):
        record(use_case, **{**sent, "metrics": {"f1": "0.8"}})


def test_business_owner_cannot_record_a_run() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(PermissionDenied):
        record(use_case, by=person_with("business_owner", use_case))


def test_independent_validator_signs_what_others_recorded() -> None:
    run = ValidationRunFactory.create(kind="independent_review", independent=True)
    validator = person_with("independent_validator", run.use_case)
    assert services.sign_independent(run=run, by=validator).signed_by == validator


def test_validator_signs_neither_own_run_nor_own_version() -> None:
    use_case = UseCaseFactory.create()
    validator = person_with("independent_validator", use_case)
    own = ValidationRunFactory.create(use_case=use_case, independent=True, recorded_by=validator)
    with pytest.raises(PermissionDenied, match="recorded it"):
        services.sign_independent(run=own, by=validator)
    version = ModelVersionFactory.create(model__use_case=use_case, author=validator)
    of_own_version = ValidationRunFactory.create(use_case=use_case, independent=True, version=version)
    with pytest.raises(PermissionDenied, match="yours"):
        services.sign_independent(run=of_own_version, by=validator)


def test_steward_registers_and_certifies() -> None:
    unit = UnitFactory.create()
    steward = person_with("data_steward", unit)
    dataset = services.register_dataset(unit=unit, name="Orders", by=steward)
    certified = services.certify_dataset(dataset=dataset, by=steward, until=timezone.now() + timedelta(days=90))
    assert (certified.registered_by, certified.certified_by) == (steward, steward)


def used_in(tier: str) -> tuple[Dataset, Any]:
    unit = UnitFactory.create()
    use_case = UseCaseFactory.create(unit=unit, tier=tier)
    steward = person_with("data_steward", unit)
    dataset = services.register_dataset(unit=unit, name="Orders", by=steward)
    version = ModelVersionFactory.create(model__use_case=use_case)
    version.version_datasets.create(dataset=dataset, purpose="training")
    return dataset, steward


def test_registrant_cannot_certify_for_a_high_use_case() -> None:
    dataset, steward = used_in("high")
    with pytest.raises(PermissionDenied, match="you registered it"):
        services.certify_dataset(dataset=dataset, by=steward)
    services.certify_dataset(dataset=dataset, by=person_with("data_steward", dataset.unit))


def test_registrant_may_certify_for_a_limited_use_case() -> None:
    dataset, steward = used_in("limited")
    services.certify_dataset(dataset=dataset, by=steward)


def test_changed_sensitivity_ends_the_certification() -> None:
    dataset = DatasetFactory.create(certified_at=timezone.now())
    steward = person_with("data_steward", dataset.unit)
    changed = services.edit_dataset(dataset=dataset, changes={"sensitivity": "special category"}, by=steward)
    assert changed.certified_at is None


def test_engineer_registers_for_a_use_case_of_the_unit_only() -> None:
    use_case = UseCaseFactory.create()
    engineer = person_with("data_engineer", use_case)
    services.register_dataset(unit=use_case.unit, name="Orders", by=engineer, use_case=use_case)
    with pytest.raises(Invalid):
        services.register_dataset(unit=UnitFactory.create(), name="Other", by=engineer, use_case=use_case)
    with pytest.raises(PermissionDenied):
        services.register_dataset(unit=use_case.unit, name="More", by=engineer)


def test_steward_decides_about_access_and_the_requester_does_not() -> None:
    use_case = UseCaseFactory.create()
    scientist = person_with("data_scientist", use_case)
    request = services.request_data_access(use_case=use_case, purpose="Train.", by=scientist)
    give(scientist, "data_steward", use_case)
    with pytest.raises(PermissionDenied, match="you made it"):
        services.decide_data_access(request=request, approve=True, by=scientist)
    steward = person_with("data_steward", use_case.unit)
    decided = services.decide_data_access(request=request, approve=True, by=steward)
    assert (decided.state, decided.decided_role, decided.decided_by) == ("approved", "data_steward", steward)
    with pytest.raises(Conflict):
        services.decide_data_access(request=request, approve=False, note="No.", by=steward)


def test_steward_of_another_unit_cannot_decide_about_its_data() -> None:
    request = DataAccessRequestFactory.create(dataset=DatasetFactory.create())
    with pytest.raises(PermissionDenied, match="steward of the data"):
        services.decide_data_access(
            request=request, approve=True, by=person_with("data_steward", request.use_case.unit)
        )


def test_refusal_says_why() -> None:
    request = DataAccessRequestFactory.create()
    with pytest.raises(Invalid):
        services.decide_data_access(
            request=request, approve=False, by=person_with("data_steward", request.use_case.unit)
        )


def test_changed_sensitivity_is_a_material_change_for_every_use_case_behind_it() -> None:
    dataset, steward = used_in("limited")
    services.edit_dataset(dataset=dataset, changes={"sensitivity": "special_category"}, by=steward)
    assert [change.what for change in MaterialChange.objects.all()] == ["data"]
    services.edit_dataset(dataset=dataset, changes={"description": "Orders of a year."}, by=steward)
    assert MaterialChange.objects.count() == 1
