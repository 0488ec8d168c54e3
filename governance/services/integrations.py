"""Integration points and the runs of their tests."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.models import IntegrationPoint, IntegrationTest, ModelVersion
from governance.services.permission import Actor, account, allow_any
from kernel.database import lock_rows
from kernel.errors import Invalid
from ledger import SYSTEM, state, unit_of_work
from portfolio.models import UseCase
from portfolio.services import mark_change
from portfolio.signals import announce_change

SHOWN = ("name", "critical", "requirement", "constraint", "failure_mode", "feasible")
TEST = ("point", "version", "cases_run", "cases_passed", "environment", "performed_at")
MATERIAL = ("name", "critical", "requirement", "constraint")
MAY_SAVE = ("activity.update", "evidence.upload")
MAY_TEST = ("validation.record", "activity.update")


def save_integration_point(
    *,
    use_case: UseCase,
    name: str,
    by: Actor,
    point: IntegrationPoint | None = None,
    critical: bool = True,
    requirement: str = "",
    constraint: str = "",
    failure_mode: str = "",
    feasible: bool | None = None,
) -> IntegrationPoint:
    """Describe a place where the system touches another one; ``point`` is changed, or that of the same name."""
    allow_any(by, MAY_SAVE, use_case)
    if not name.strip():
        message = _("Name the system at the other end.")
        raise Invalid(message, errors={"name": [message]})
    with unit_of_work(by=by) as uow:
        lock_rows(UseCase.objects.filter(pk=use_case.pk)).get()
        rows = IntegrationPoint.objects.filter(use_case=use_case)
        there = rows.filter(pk=point.pk).first() if point else rows.filter(name=name.strip()).first()
        if there and rows.filter(name=name.strip()).exclude(pk=there.pk).exists():
            message = _("There is another point of this name.")
            raise Invalid(message, errors={"name": [message]})
        before = state(there, SHOWN) if there else None
        saved = there or IntegrationPoint(use_case=use_case)
        saved.name, saved.critical, saved.feasible = name.strip()[:200], critical, feasible
        saved.requirement, saved.constraint = requirement.strip(), constraint.strip()
        saved.failure_mode = failure_mode.strip()
        after = state(saved, SHOWN)
        if before != after:
            saved.save()
            uow.record("integration_point.saved", subject=saved, use_case=use_case, before=before, after=after)
            announce_change(uow, use_case.pk, "integration")
            if before is not None and any(before[name] != after[name] for name in MATERIAL):
                note = _("Integration with %(name)s changed.") % {"name": saved.name}
                mark_change(use_case=use_case, what="integration", note=note, by=SYSTEM)
    return saved


def remove_integration_point(*, point: IntegrationPoint, by: Actor, reason: str) -> None:
    """The system no longer touches this one. Its tests go with it; the ledger keeps what it was."""
    allow_any(by, MAY_SAVE, point.use_case)
    if not reason.strip():
        message = _("Say why it is removed.")
        raise Invalid(message, errors={"reason": [message]})
    with unit_of_work(by=by) as uow:
        found = lock_rows(IntegrationPoint.objects.select_related("use_case__unit")).get(pk=point.pk)
        before = state(found, SHOWN)
        uow.record("integration_point.removed", subject=found, use_case=found.use_case, before=before, note=reason)
        announce_change(uow, found.use_case_id, "integration")
        found.delete()


def record_integration_test(
    *,
    point: IntegrationPoint,
    cases_run: int,
    cases_passed: int,
    by: Actor,
    version: ModelVersion | None = None,
    environment: str = "",
    performed_at: datetime | None = None,
) -> IntegrationTest:
    """Record one run of the tests of one point."""
    allow_any(by, MAY_TEST, point.use_case)
    at = performed_at or timezone.now()
    errors: dict[str, list[str]] = {}
    if cases_run < 1:
        errors["cases_run"] = [_("A run has at least one case.")]
    if not 0 <= cases_passed <= cases_run:
        errors["cases_passed"] = [_("No more cases can pass than were run.")]
    if at > timezone.now() + timedelta(minutes=5):
        errors["performed_at"] = [_("It cannot have been performed in the future.")]
    if version is not None and version.model.use_case_id != point.use_case_id:
        errors["version"] = [_("This version belongs to another use case.")]
    if errors:
        raise Invalid(_("The test cannot be recorded like this."), errors=errors)
    with unit_of_work(by=by) as uow:
        test = IntegrationTest.objects.create(
            point=point,
            version=version,
            cases_run=cases_run,
            cases_passed=cases_passed,
            environment=environment.strip(),
            performed_at=at,
            recorded_by=account(by),
        )
        uow.record("integration.tested", subject=test, use_case=point.use_case, after=state(test, TEST))
        announce_change(uow, point.use_case_id, "evidence")
    return test
