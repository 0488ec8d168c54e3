"""What the organisation does with AI, and why."""

from portfolio.models.access import UnitGrant, UseCaseGrant
from portfolio.models.changes import MaterialChange
from portfolio.models.imports import ImportRun
from portfolio.models.keys import KeyNumber
from portfolio.models.kpis import Direction, Kpi, KpiMeasurement
from portfolio.models.plans import OperatingPlan, Phase
from portfolio.models.units import BusinessUnit
from portfolio.models.use_cases import Assurance, OversightTier, Stage, StageChange, Status, Tier, UseCase
from portfolio.models.views import SavedView

__all__ = [
    "Assurance",
    "BusinessUnit",
    "Direction",
    "ImportRun",
    "KeyNumber",
    "Kpi",
    "KpiMeasurement",
    "MaterialChange",
    "OperatingPlan",
    "OversightTier",
    "Phase",
    "SavedView",
    "Stage",
    "StageChange",
    "Status",
    "Tier",
    "UnitGrant",
    "UseCase",
    "UseCaseGrant",
]
