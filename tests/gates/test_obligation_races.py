"""Emergency releases and review calls when several do the same at once: it happens once."""

from __future__ import annotations

import pytest

from gates.calling import call_due_reviews
from gates.models import EmergencyRelease, ReviewCall
from gates.services.emergencies import confirm_emergency, request_emergency
from governance.models import Incident
from governance.services.incidents import report_incident
from ledger import SYSTEM
from tests.factories.accounts import person_with
from tests.factories.gates import publish, ready_case, small_text
from tests.factories.portfolio import organisation
from tests.gates.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

REASON = "The old service is down and patients wait for their letters."


def test_of_two_who_confirm_at_once_one_releases_and_one_incident_opens() -> None:
    case = ready_case()
    operations = person_with("it_operations", case.use_case)
    second = [person_with("business_sponsor", case.use_case), person_with("ai_governance_board", organisation())]
    release = request_emergency(use_case=case.use_case, gate="idea_to_poc", reason=REASON, by=operations)
    found = at_once(*[lambda who=who: confirm_emergency(release=release, by=who) for who in second])
    assert sorted(type(one).__name__ for one in found) == ["Conflict", "EmergencyRelease"]
    assert (Incident.objects.count(), ReviewCall.objects.count()) == (1, 1)


def test_of_two_who_ask_at_once_one_request_stands() -> None:
    case = ready_case()
    people = [person_with(role, case.use_case) for role in ("it_operations", "business_sponsor")]
    found = at_once(
        *[
            lambda who=who: request_emergency(use_case=case.use_case, gate="idea_to_poc", reason=REASON, by=who)
            for who in people
        ]
    )
    assert sorted(type(one).__name__ for one in found) == ["Conflict", "EmergencyRelease"]
    assert EmergencyRelease.objects.count() == 1


def test_two_workers_call_a_review_once() -> None:
    publish(small_text() + "out_of_cycle_triggers: [severity-1 incident]\n")
    case = ready_case(policy=False)
    case.pass_gate()
    report_incident(use_case=case.use_case, severity="sev1", title="Letters to the wrong people", by=SYSTEM)
    assert sum(at_once(call_due_reviews, call_due_reviews)) == 1
    assert ReviewCall.objects.count() == 1
