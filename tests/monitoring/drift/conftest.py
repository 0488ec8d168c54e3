"""What tests of drift share."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture
def root(tmp_path: Path, settings: Settings) -> Path:
    settings.SOURCE_ROOTS = [str(tmp_path)]
    return tmp_path
