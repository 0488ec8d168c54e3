"""What reviewers found of a version, put on record as its validation run by a person who answers for it."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.models import ModelVersion, ValidationRun
from governance.services import record_validation
from governance.services.permission import person as human
from kernel.errors import Conflict, Invalid
from monitoring.models import SamplingPlan
from monitoring.review_measures import run_of
from monitoring.selectors.review_statistics import statistics_of
from portfolio.models import UseCase
from portfolio.services.rights import Actor, demand


def record_review_result(*, use_case: UseCase, version: ModelVersion, by: Actor) -> ValidationRun:
    """Record the reviews of the plan's window as a run: pass, fail, or inconclusive while they are too few.

    The figures are the product's; the person says that they stand for the version. ``Conflict`` without a review.
    """
    human(by)
    demand(by, "validation.record", use_case)
    if version.model.use_case_id != use_case.pk:
        said = _("This version belongs to another use case.")
        raise Invalid(said, errors={"version": [said]})
    plan = SamplingPlan.objects.select_related("use_case__unit").filter(use_case=use_case).first()
    if plan is None:
        raise Conflict(_("There is no sampling plan, so nothing was reviewed."))
    now = timezone.now()
    statistics = statistics_of(plan, now)
    if version.pk not in statistics.by_version:
        raise Conflict(_("No output of this version that was drawn at random has been reviewed in the window."))
    return record_validation(**run_of(plan, statistics, version), performed_at=now, by=by)
