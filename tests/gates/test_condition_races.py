"""Two people at once at one condition: exactly one wins, the other is told."""

from __future__ import annotations

import pytest

from gates.models import Condition
from gates.services.conditions import close_condition, report_condition, send_back_condition
from gates.services.decisions import decide
from tests.factories.accounts import person_with
from tests.factories.conditions import owing
from tests.factories.portfolio import organisation
from tests.gates.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_closing_and_sending_back_at_once_exactly_one_happens() -> None:
    _case, row, closer = owing()
    other = person_with("risk_compliance", organisation())
    report_condition(condition=row, by=row.owner, report="Done.")
    found = at_once(
        lambda: close_condition(condition=row, by=closer),
        lambda: send_back_condition(condition=row, by=other, reason="Half of it."),
    )
    assert sorted(type(one).__name__ for one in found) == ["Condition", "Conflict"]
    row.refresh_from_db()
    assert (row.state == "closed") == (row.closed_by_id is not None)


def test_a_report_and_a_stop_at_once_leave_nothing_owed() -> None:
    case, row, _closer = owing()
    review = case.submit("poc_to_pilot")
    sponsor = person_with("business_sponsor", case.use_case)
    plan = {"lessons": "Too few.", "disposal": "Deleted."}
    at_once(
        lambda: report_condition(condition=row, by=row.owner, report="Done."),
        lambda: decide(
            review=review,
            outcome="stop",
            by=sponsor,
            digest=review.digest,
            reason="No value.",
            reason_code="no_value",
            plan=plan,
        ),
    )
    case.use_case.refresh_from_db()
    assert case.use_case.stage == "stopped"
    assert Condition.objects.get().state == "dropped"
