"""Profiles of data: one pass over each column leaves counts that add up, and every statistic of drift comes from them.

Nothing here knows Django or a model of ours: a worker, a benchmark and a test use the same code.
"""

from __future__ import annotations

from monitoring.profiles.columns import Categories, Numbers
from monitoring.profiles.errors import ProfileError, SchemaMismatch
from monitoring.profiles.frame import ColumnFrame, Frame, Kind, Lattice
from monitoring.profiles.profile import Profile

__all__ = [
    "Categories",
    "ColumnFrame",
    "Frame",
    "Kind",
    "Lattice",
    "Numbers",
    "Profile",
    "ProfileError",
    "SchemaMismatch",
]
