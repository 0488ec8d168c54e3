"""What every test gets without asking. Settings that hold for all tests are in `tests/settings.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from ledger.context import COMMAND, ledger_context

pytest_plugins = ["tests.plugins.ledger_flush", "tests.plugins.migrated"]


@pytest.fixture(autouse=True)
def _files_of_its_own(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture(autouse=True)
def _nobody_signed_in() -> Iterator[None]:
    """What one test says of its request or token ends with it, as a request ends in the product."""
    with ledger_context(request_id="", auth_method=COMMAND):
        yield
