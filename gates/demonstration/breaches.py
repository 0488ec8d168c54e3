"""Breaches of the demonstration: decisions owed and made, retraining asked for and answered, what KPIs rest on."""

from __future__ import annotations

from gates.breaching import open_owed
from gates.demonstration.story import Story
from gates.models import BreachDecision
from gates.services.breaches import decide_breach
from monitoring.models import RetrainingRequest, Series
from monitoring.services import answer_request, request_retraining, set_up_retraining
from monitoring.services.kpi_links import link_kpi
from portfolio.models import Kpi

WATCHED = ("production", "operations")
WHY = {
    "f1": "Fewer wrong results mean fewer cases that people do twice.",
    "task_success": "What succeeds at the first go needs nobody to do it again.",
}
REASON = "Inputs changed with the new form in the customer portal; the thresholds no longer fit."
PROGRESS = "Thresholds are set anew on the last four weeks; the comparison runs until tomorrow."
SEASON = "The winter rates came into the data; calibration was checked with it."
DONE = "Calibrated on October and November. The error per class is back within two points."
RUN = "https://training.example/runs/4711"


def decide(stories: list[Story]) -> None:
    """As people do it by the services; the rest of what is owed waits for whoever walks through."""
    open_owed()
    lived = [story for story in stories if story.stage in WATCHED]
    _links(lived)
    _decided(lived)
    _answered(lived)


def _links(stories: list[Story]) -> None:
    series = {
        (row.use_case_id, row.metric): row
        for row in Series.objects.filter(use_case__in=[s.use_case.pk for s in stories], segment="")
    }
    keys = set(Kpi.objects.filter(is_current=True).values_list("use_case_id", "key"))
    for story in stories:
        metric = story.traits.metric
        row = series.get((story.use_case.pk, metric))
        if row is not None and (story.use_case.pk, story.kpi) in keys:
            owner = story.person("business_owner")
            link_kpi(use_case=story.use_case, kpi=story.kpi, series=row, why=WHY[metric], by=owner)


def _decided(stories: list[Story]) -> None:
    """A breach on the limited tier: its owner asked for recalibration, which is under way."""
    story = next((s for s in stories if s.health == "breached" and s.tier == "limited"), None)
    owed = BreachDecision.objects.filter(use_case=story.use_case, state="owed") if story else None
    row = owed.select_related("alert__series__use_case").first() if owed is not None else None
    if story is None or row is None or row.owed_by is None:
        return
    decide_breach(alert=row.alert, outcome="recalibrate", reason=REASON, by=row.owed_by)
    asked = RetrainingRequest.objects.get(decision=str(row))
    lead = story.person("technical_lead")
    answer_request(request=asked, state_now="accepted", by=lead)
    answer_request(request=asked, state_now="in_progress", message=PROGRESS, by=lead)


def _answered(stories: list[Story]) -> None:
    """A system in operation: asked for by hand, done, and kept as evidence."""
    story = next((s for s in stories if s.stage == "operations" and s.tier == "limited"), None)
    if story is None:
        return
    lead = story.person("technical_lead")
    set_up_retraining(use_case=story.use_case, on_due_day=True, by=lead)
    asked = request_retraining(use_case=story.use_case, kind="recalibrate", reason=SEASON, by=lead)
    answer_request(request=asked, state_now="done", message=DONE, reference=RUN, by=lead)
