"""What people ask of the portfolio: verbs, keyword-only, that take ``by=`` and return the object they changed."""

from portfolio.services.changes import mark_change
from portfolio.services.kpis import define_kpi, edit_kpi, lock_kpi, record_measurement
from portfolio.services.plans import edit_plan, save_phase
from portfolio.services.stages import declare_stage, move_stage
from portfolio.services.standing import set_standing, set_tier
from portfolio.services.units import create_unit, edit_unit
from portfolio.services.use_cases import create_use_case, edit_use_case, hold, resume
from portfolio.services.views import delete_view, rename_view, save_view, share_view

__all__ = [
    "create_unit",
    "create_use_case",
    "declare_stage",
    "define_kpi",
    "delete_view",
    "edit_kpi",
    "edit_plan",
    "edit_unit",
    "edit_use_case",
    "hold",
    "lock_kpi",
    "mark_change",
    "move_stage",
    "record_measurement",
    "rename_view",
    "resume",
    "save_phase",
    "save_view",
    "set_standing",
    "set_tier",
    "share_view",
]
