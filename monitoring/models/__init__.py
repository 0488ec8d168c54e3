"""How systems behave: sources, series, points, rules and alerts."""

from monitoring.models.alerts import Alert, AlertComment, Rule
from monitoring.models.comparisons import Comparison
from monitoring.models.contents import ContentComparison, ContentSetup
from monitoring.models.dashboards import Dashboard, DashboardRole
from monitoring.models.drift import DataProfile, DriftReport, DriftResult
from monitoring.models.kpi_links import KpiLink
from monitoring.models.output_reviews import Answer, ReasonCode, ReviewItem, Skip, Verdict
from monitoring.models.outputs import Output, SamplingPlan
from monitoring.models.pulls import PullRun
from monitoring.models.responses import ResponseTarget
from monitoring.models.retraining import RetrainingReceiver, RetrainingRequest, RetrainingSetup
from monitoring.models.rollups import Rollup
from monitoring.models.series import IngestBatch, Point, Series
from monitoring.models.sources import Source

__all__ = [
    "Alert",
    "AlertComment",
    "Answer",
    "Comparison",
    "ContentComparison",
    "ContentSetup",
    "Dashboard",
    "DashboardRole",
    "DataProfile",
    "DriftReport",
    "DriftResult",
    "IngestBatch",
    "KpiLink",
    "Output",
    "Point",
    "PullRun",
    "ReasonCode",
    "ResponseTarget",
    "RetrainingReceiver",
    "RetrainingRequest",
    "RetrainingSetup",
    "ReviewItem",
    "Rollup",
    "Rule",
    "SamplingPlan",
    "Series",
    "Skip",
    "Source",
    "Verdict",
]
