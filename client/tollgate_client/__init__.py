"""The `tollgate` command for CI: send metrics and validation results, ask whether a gate is ready. No dependencies."""

from __future__ import annotations

__version__ = "0.1.0"
