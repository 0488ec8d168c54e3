"""How systems behave: sources, series, points, rules and alerts."""

from monitoring.models.alerts import Alert, Rule
from monitoring.models.pulls import PullRun
from monitoring.models.rollups import Rollup
from monitoring.models.series import IngestBatch, Point, Series
from monitoring.models.sources import Source

__all__ = ["Alert", "IngestBatch", "Point", "PullRun", "Rollup", "Rule", "Series", "Source"]
