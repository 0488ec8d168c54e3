"""docs/access.md says what the code does."""

from __future__ import annotations

from pathlib import Path

from accounts.api.idempotency import DEFINITIVE, LEASE, LONGEST_KEY
from accounts.services.tokens import LONGEST
from accounts.tasks import ANSWERS_ARE_KEPT
from notify.delivery import BACKOFF

TEXT = " ".join((Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8").split())


def test_the_figures_in_the_documentation_are_those_of_the_code() -> None:
    hours = int(ANSWERS_ARE_KEPT.total_seconds() // 3600)
    kept = [str(code) for code in sorted(DEFINITIVE)]
    assert f"up to {LONGEST_KEY} characters" in TEXT
    assert f"Answers of 2xx, {', '.join(kept[:-1])} and {kept[-1]} are kept for {hours} hours" in TEXT
    assert f"after {LONGEST.days} days at the latest" in TEXT
    assert LEASE.total_seconds() == 300
    assert "after five minutes" in TEXT


def test_the_times_between_attempts_are_those_of_the_code() -> None:
    minutes = [int(wait.total_seconds() // 60) for wait in BACKOFF]
    assert minutes == [2, 10, 30, 120, 360, 720, 1440]
    assert "after 2, 10 and 30 minutes, 2, 6, 12 and 24 hours" in TEXT
