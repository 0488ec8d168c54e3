"""What people and machines ask of monitoring: verbs, keyword-only, by somebody whose rights are checked."""

from __future__ import annotations

from monitoring.services.alerts import acknowledge_alert
from monitoring.services.points import push_fitting_points, push_points, record_point
from monitoring.services.rules import define_rule, edit_rule, switch_rule, try_rule
from monitoring.services.series import define_series, edit_series, set_baseline
from monitoring.services.source_care import (
    backfill_source,
    clone_source,
    delete_source,
    pause_source,
    pull_now,
    resume_source,
)
from monitoring.services.sources import connect_source, edit_source, try_source

__all__ = [
    "acknowledge_alert",
    "backfill_source",
    "clone_source",
    "connect_source",
    "define_rule",
    "define_series",
    "delete_source",
    "edit_rule",
    "edit_series",
    "edit_source",
    "pause_source",
    "pull_now",
    "push_fitting_points",
    "push_points",
    "record_point",
    "resume_source",
    "set_baseline",
    "switch_rule",
    "try_rule",
    "try_source",
]
