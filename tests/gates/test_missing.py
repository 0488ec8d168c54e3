"""What is missing for a gate: who settles it, by when, and what would make it pass."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from gates.assessment import assess
from gates.models import Assignment
from gates.services.assignments import assign_criterion
from gates.standing import results_of
from gates.todo import ToDo, by_day, by_owner, todo_of
from gates.worklist.assigned import Assigned
from kernel.errors import Invalid
from ledger.models import Event
from notify.models import Notice
from portfolio.models import OperatingPlan, Phase, UseCase
from tests.factories.accounts import PersonFactory, api_as, person_with
from tests.factories.gates import Case, ready_case
from tests.factories.governance import IssueFactory

pytestmark = pytest.mark.django_db
TOMORROW = timezone.localdate() + timedelta(days=1)


def unready(**fields: Any) -> Case:
    """A case whose first criterion is open."""
    return ready_case(**{"problem_statement": "", **fields})


def todo(case: Case) -> list[ToDo]:
    case.use_case = UseCase.objects.get(pk=case.use_case.pk)
    return todo_of(case.use_case, results_of(case.use_case)[0])


def give(case: Case, person: User | None = None, due_on: date | None = None, **more: str) -> Assignment | None:
    values = {"criterion": "IP-01", "gate": "idea_to_poc", **more}
    return assign_criterion(
        use_case=case.use_case, by=case.signers["technical_lead"], person=person, due_on=due_on, **values
    )


def page(user: User, case: Case, query: str = "") -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(f"/gates/missing/{case.use_case.key}/{query}")
    assert answer.status_code == 200, answer.content[:300]
    return str(answer.content.decode())


def test_each_open_criterion_says_what_would_make_it_pass_and_whom_it_waits_for() -> None:
    case = unready()
    found = {item.row.key: item for item in todo(case)}
    assert set(found) == {"IP-01", "IP-02"}  # IP-02 is advice at this tier; the signatures are nobody's homework
    assert found["IP-01"].row.todo
    assert found["IP-01"].people == (case.signers["business_owner"],)
    assert todo(case)[0].row.key == "IP-01"


def test_what_is_met_is_not_on_the_list() -> None:
    assert [item.row.key for item in todo(ready_case())] == ["IP-02"]


def test_the_day_comes_from_the_running_phase_then_from_the_plan_then_from_whoever_set_one() -> None:
    case = unready()
    assert todo(case)[0].due_on is None
    OperatingPlan.objects.update_or_create(use_case=case.use_case, defaults={"planned_end": date(2027, 5, 1)})
    assert (todo(case)[0].due_on, todo(case)[0].due_from_plan) == (date(2027, 5, 1), True)
    Phase.objects.create(use_case=case.use_case, name="Build", ends_on=date(2026, 1, 5), state="in_progress")
    assert (todo(case)[0].due_on, todo(case)[0].late) == (date(2026, 1, 5), True)
    give(case, due_on=TOMORROW)
    first = todo(case)[0]
    assert (first.due_on, first.due_from_plan, first.late) == (TOMORROW, False, False)


def test_an_assignment_names_the_person_tells_them_and_is_on_record() -> None:
    case = unready()
    helper = person_with("data_scientist", case.use_case)
    give(case, helper, TOMORROW, note="Ask the branch first")
    item = todo(case)[0]
    assert item.people == (helper,)
    assert by_owner([item])[0].heading == str(helper)
    assert Notice.objects.get(recipient=helper, kind="criterion.assigned").title.endswith("IP-01 is yours to settle")
    give(case, helper, TOMORROW + timedelta(days=1))
    assert Notice.objects.filter(recipient=helper, kind="criterion.assigned").count() == 1
    assert Event.objects.filter(action="criterion.assigned").count() == 2
    assert give(case) is None
    assert not Assignment.objects.exists()
    assert Event.objects.filter(action="criterion.unassigned").count() == 1


def test_who_may_not_assign_and_what_cannot_be_assigned() -> None:
    case = unready()
    with pytest.raises(PermissionDenied):
        assign_criterion(
            use_case=case.use_case,
            gate="idea_to_poc",
            criterion="IP-01",
            by=person_with("auditor", case.use_case.unit),
            person=None,
            due_on=TOMORROW,
        )
    for wrong, field in (
        ({"criterion": "XX-99"}, "criterion"),
        ({"gate": "no_such"}, "criterion"),
        ({"due_on": timezone.localdate() - timedelta(days=1)}, "due_on"),
        ({"person": PersonFactory.create()}, "person"),
        ({"person": PersonFactory.create(is_active=False)}, "person"),
    ):
        with pytest.raises(Invalid) as refused:
            give(case, **{"due_on": TOMORROW, **wrong})  # type: ignore[arg-type]
        assert list(refused.value.errors) == [field]
    assert not Assignment.objects.exists()


def test_the_list_reads_by_day_too_those_without_one_last() -> None:
    case = unready()
    give(case, due_on=TOMORROW)
    assert [group.heading for group in by_day(todo(case))] == [TOMORROW.isoformat(), ""]


def test_the_page_narrows_to_mine_and_late_and_exports() -> None:
    case = unready()
    owner = case.signers["business_owner"]
    assert "IP-01 Problem stated" in page(owner, case)
    assert "IP-02" not in page(owner, case, "?show=mine")
    assert "IP-01" in page(owner, case, "?show=mine")
    assert "Nothing that is missing falls under this choice" in page(owner, case, "?show=late")
    client = Client()
    client.force_login(owner)
    answer = client.get(f"/gates/missing/{case.use_case.key}/?export=csv")
    assert b"IP-01 Problem stated" in answer.getvalue()


def test_a_ready_gate_says_that_nothing_blocks_it() -> None:
    case = ready_case(tier="minimal")
    assert "Nothing is missing" in page(case.lead, case)


def test_a_stranger_finds_nothing() -> None:
    case = unready()
    client = Client()
    client.force_login(PersonFactory.create())
    assert client.get(f"/gates/missing/{case.use_case.key}/").status_code == 404


def test_assigning_on_the_page_keeps_what_was_typed_when_it_is_refused() -> None:
    case = unready()
    client = Client()
    client.force_login(case.lead)
    address = f"/gates/missing/{case.use_case.key}/IP-01/assign/"
    answer = client.post(address, {"criterion": "IP-01", "due_on": "2020-01-01", "note": "soon"})
    assert answer.status_code == 422
    assert "This day has passed" in answer.content.decode()
    assert 'value="soon"' in answer.content.decode()
    helper = person_with("data_scientist", case.use_case)
    answer = client.post(address, {"criterion": "IP-01", "person": str(helper.pk), "due_on": TOMORROW.isoformat()})
    assert answer.status_code == 302
    assert Assignment.objects.get().person == helper


def test_what_was_assigned_is_on_the_work_list_until_it_is_met() -> None:
    case = unready()
    helper = person_with("data_scientist", case.use_case)
    give(case, helper, TOMORROW)
    assess([case.use_case.pk])
    assert [item.title for item in Assigned().items(helper)] == ["Settle IP-01"]
    assert list(Assigned().items(case.lead)) == []
    UseCase.objects.filter(pk=case.use_case.pk).update(problem_statement="Letters take two weeks.")
    assess([case.use_case.pk])
    assert list(Assigned().items(helper)) == []


def test_the_list_over_rest() -> None:
    case = unready()
    address = f"/api/v1/use-cases/{case.use_case.key}/missing/"
    lead = api_as(case.lead)
    found = {row["criterion"]: row for row in lead.get(address).json()}
    assert found["IP-01"]["people"] == [case.signers["business_owner"].email]
    body = {"gate": "idea_to_poc", "criterion": "IP-01", "due_on": TOMORROW.isoformat()}
    answer = lead.post(address, {**body, "person": "nobody@example.org"}, format="json")
    assert (answer.status_code, "person" in answer.json()["errors"]) == (422, True)
    answer = lead.post(address, {**body, "person": case.lead.email}, format="json")
    assert answer.status_code == 200
    assert answer.json()[0]["people"] == [case.lead.email]
    assert answer.json()[0]["assigned"] is True
    reader = api_as(person_with("auditor", case.use_case.unit))
    assert reader.post(address, body, format="json").status_code == 403
    assert api_as(PersonFactory.create()).get(address).status_code == 404


def test_the_page_takes_the_same_queries_however_much_is_missing() -> None:
    case = unready(target_users="")
    counts = []
    for _more in range(2):
        client = Client()
        client.force_login(case.lead)
        client.get(f"/gates/missing/{case.use_case.key}/")
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/gates/missing/{case.use_case.key}/")
        counts.append(len(captured))
        IssueFactory.create_batch(5, use_case=case.use_case, kind="assumption")
        assess([case.use_case.pk])
    assert counts[0] == counts[1] <= 30
