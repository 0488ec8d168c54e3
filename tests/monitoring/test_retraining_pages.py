"""Pages and REST of retraining: who finds what, the calendar, the settings, answers of machines."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from governance.models import Evidence
from monitoring import services
from monitoring.models import RetrainingRequest, RetrainingSetup
from portfolio.models import OperatingPlan, UseCase
from tests.factories.accounts import ServiceAccountFactory, api_as, give, person_with
from tests.factories.governance import AiModelFactory, ModelVersionFactory
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db
API = "/api/v1/retraining-requests/"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: User, address: str) -> str:
    answer = as_(user).get(address)
    assert answer.status_code == 200, answer.content[:400]
    return str(answer.content.decode())


def url(name: str, *args: object) -> str:
    return reverse(f"monitoring:retraining{name}", args=args)


def asked(kind: str = "retrain") -> tuple[UseCase, User, RetrainingRequest]:
    use_case = UseCaseFactory.create(stage="production")
    ModelVersionFactory.create(model=AiModelFactory.create(use_case=use_case), label="1.0", state="live", number=1)
    lead = person_with("technical_lead", use_case)
    row = services.request_retraining(use_case=use_case, kind=kind, reason="Inputs shifted in May.", by=lead)
    return use_case, lead, row


def test_nobody_reads_without_signing_in_and_strangers_find_nothing() -> None:
    use_case, _lead, row = asked()
    lists = (url(""), url("_calendar"))
    own = (url("_request", row.pk), url("_answer", row.pk), url("_setup", use_case.key), url("_ask", use_case.key))
    for address in (*lists, *own):
        assert Client().get(address).status_code == 302
    other = person_with("technical_lead", UseCaseFactory.create())
    for address in own:
        assert as_(other).get(address).status_code == 404
    assert row.reason not in page(other, url(""))
    assert APIClient().get(API).status_code == 401
    assert api_as(other).get(f"{API}{row.pk}/").status_code == 404
    assert api_as(other).post(f"{API}{row.pk}/answer/", {"state": "accepted"}).status_code == 404


def test_the_list_filters_searches_and_exports() -> None:
    use_case, lead, row = asked()
    link = url("_request", row.pk)
    for query in ("", "?q=shifted", f"?q=T-{row.pk}", "?state=open", "?kind=retrain", "?origin=person"):
        assert link in page(lead, url("") + query), query
    for query in ("?q=unicorn", "?state=done", "?state=overdue", "?kind=roll_back", "?origin=rule"):
        assert link not in page(lead, url("") + query), query
    RetrainingRequest.objects.update(accept_by=timezone.now())
    assert link in page(lead, url("") + "?state=overdue")
    exported = b"".join(as_(lead).get(url("") + "?export=csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert use_case.name in exported


def test_the_list_and_the_calendar_stand_in_the_navigation_of_monitoring() -> None:
    _use_case, lead, _row = asked()
    for address in (reverse("monitoring:index"), reverse("monitoring:alerts"), url(""), url("_calendar")):
        assert f'href="{url("")}"' in page(lead, address), address
    for address in (url(""), url("_calendar")):
        assert f'href="{url("_calendar")}"' in page(lead, address)


def test_lists_take_as_many_queries_for_one_as_for_five() -> None:
    use_case, lead, _row = asked()
    client, machine = as_(lead), api_as(lead)
    month = timezone.localdate() + timedelta(days=5)
    calendar = f"{url('_calendar')}?month={month:%Y-%m}"
    counts: list[list[int]] = []
    for _round in range(2):
        counts.append([])
        for ask in (lambda: client.get(url("")), lambda: client.get(calendar), lambda: machine.get(API)):
            ask()
            with CaptureQueriesContext(connection) as captured:
                assert ask().status_code == 200
            counts[-1].append(len(captured))
        for _more in range(4):
            RetrainingRequest.objects.filter(use_case=use_case).update(state="done", finished_at=timezone.now())
            services.request_retraining(use_case=use_case, kind="retrain", reason="More.", by=lead)
    assert counts[0] == counts[1]


def test_the_calendar_shows_what_is_planned_due_and_done_and_repeats_the_cadence() -> None:
    use_case, lead, row = asked()
    day = timezone.localdate().replace(day=1) + timedelta(days=35)
    OperatingPlan.objects.update_or_create(
        use_case=use_case, defaults={"retrain_next_date": day.replace(day=3), "retrain_cadence_days": 10}
    )
    shown = page(lead, f"{url('_calendar')}?month={day:%Y-%m}")
    assert shown.count("Retraining planned") >= 1
    assert shown.count("Retraining, every 10 days") >= 2
    RetrainingRequest.objects.update(due_at=timezone.now() + timedelta(days=40))
    due = RetrainingRequest.objects.get().due_at
    assert f"{row} Retrain is due" in page(lead, f"{url('_calendar')}?month={due:%Y-%m}")
    services.answer_request(request=row, state_now="done", version="2.0", by=lead)
    assert f"{row} Retrain: done" in page(lead, url("_calendar"))
    assert "Nothing this month" in page(lead, f"{url('_calendar')}?month=2001-01")
    assert as_(lead).get(f"{url('_calendar')}?month=nonsense").status_code == 200


def test_the_settings_say_when_the_product_asks_by_itself() -> None:
    use_case, lead, _row = asked()
    client, address = as_(lead), url("_setup", use_case.key)
    assert client.post(address, {"finish_hours": "0"}).status_code == 422
    assert client.post(address, {"finish_hours": "48", "on_due_day": "on"}).status_code == 302
    setup = RetrainingSetup.objects.get()
    assert (setup.finish_hours, setup.on_due_day) == (48, True)
    owner = person_with("business_owner", use_case)
    assert "<h2>Settings" not in page(owner, address)
    for name in ("_setup", "_ask"):
        assert as_(owner).post(url(name, use_case.key)).status_code == 403


def test_asking_and_answering_by_hand() -> None:
    use_case, lead, row = asked()
    client = as_(lead)
    again = client.post(url("_ask", use_case.key), {"kind": "retrain", "reason": "Again."})
    assert again.status_code == 422
    assert "asks for this already" in again.content.decode()
    assert client.post(url("_ask", use_case.key), {"kind": "roll_back", "reason": "At once."}).status_code == 302
    address = url("_answer", row.pk)
    assert client.get(address).status_code == 200
    assert client.post(address, {"state_now": "failed"}).status_code == 422
    assert client.post(address, {"state_now": "done", "version": "1.1", "message": "Done."}).status_code == 302
    shown = page(lead, url("_request", row.pk))
    for words in ("Done.", "1.1", "Retraining done", "Nothing was sent"):
        assert words in shown
    assert as_(person_with("business_owner", use_case)).get(address).status_code == 403
    assert client.post(url("_again", row.pk)).status_code == 409


def test_a_service_account_reads_and_answers_what_it_runs_over_rest() -> None:
    use_case, _lead, row = asked()
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    client = api_as(machine, ["version.register"])
    assert [found["id"] for found in client.get(API, {"state": "open"}).json()["results"]] == [row.pk]
    one = f"{API}{row.pk}/answer/"
    assert client.post(one, {"state": "overdue"}, format="json").status_code == 422
    assert client.post(one, {"state": "refused"}, format="json").status_code == 422
    assert client.post(one, {"state": "accepted"}, format="json").json()["state"] == "accepted"
    body = {"state": "done", "version": "1.1", "metrics": {"f1": "0.9"}, "reference": "https://ci.example.com/1"}
    done = client.post(one, body, format="json")
    assert done.status_code == 200, done.content
    assert (done.json()["new_version"], done.json()["evidence"]) == ("1.1", str(Evidence.objects.get().pk))
    assert client.post(one, body, format="json").status_code == 409
    assert api_as(machine, ["monitor.ingest"]).post(one, body, format="json").status_code in {403, 404}


def test_asking_over_rest_needs_the_right_to_configure() -> None:
    use_case, lead, _row = asked()
    body = {"use_case": use_case.key, "kind": "recalibrate", "reason": "Thresholds."}
    assert api_as(lead).post(API, body, format="json").status_code == 201
    assert api_as(lead).post(API, body, format="json").status_code == 409
    assert api_as(lead).post(API, {**body, "kind": "shrug"}, format="json").status_code == 422
    assert api_as(person_with("business_owner", use_case)).post(API, body, format="json").status_code == 403
