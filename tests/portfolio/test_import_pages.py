"""Import in the browser: hand in, preview, confirm, follow, read the report. And over REST."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from ledger.models import Event
from portfolio.importing.jobs import execute, lost_runs
from portfolio.importing.profiles import own_profiles
from portfolio.models import BusinessUnit, ImportRun, UseCase
from portfolio.tasks import import_inventory, sweep_imports
from tests.factories.accounts import PersonFactory, api_as, person_with
from tests.factories.portfolio import organisation
from tests.portfolio.inventories import HEADER, ROWS, SMALL, csv_bytes, with_cells

pytestmark = pytest.mark.django_db
STATE = ImportRun.State


@pytest.fixture(autouse=True)
def _small_profile() -> Iterator[None]:
    own_profiles().mkdir(parents=True, exist_ok=True)
    path = own_profiles() / "small.yaml"
    path.write_text(SMALL)
    yield
    path.unlink()


@pytest.fixture
def manager() -> User:
    return person_with("portfolio_manager", organisation())


@pytest.fixture
def browser(manager: User) -> Client:
    client = Client()
    client.force_login(manager)
    return client


def upload(content: bytes, name: str = "inventory.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def hand_in(client: Client, content: bytes | None = None, profile: str = "small") -> Any:
    data = {"file": upload(csv_bytes() if content is None else content), "profile": profile}
    return client.post(reverse("portfolio:import_start"), data)


def prepared(client: Client, content: bytes | None = None) -> ImportRun:
    response = hand_in(client, content)
    assert response.status_code == 302, response.content.decode()
    run = ImportRun.objects.latest("created_at")
    assert response.headers["Location"] == reverse("portfolio:import_run", args=[run.pk])
    return run


def address(run: ImportRun, page: str = "import_run") -> str:
    return reverse(f"portfolio:{page}", args=[run.pk])


def _streamed(response: Any) -> Iterator[bytes]:
    yield from response.streaming_content


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


# -- Handing in ------------------------------------------------------------------------------------------------------


def test_the_form_offers_the_profiles_and_tells_of_earlier_imports(browser: Client) -> None:
    run = prepared(browser)
    page = text(browser.get(reverse("portfolio:import_start")))
    assert "US federal AI use case inventory, 2024" in page
    assert address(run) in page


def test_a_file_is_read_and_shown_and_nothing_is_imported(browser: Client, manager: User) -> None:
    run = prepared(browser, csv_bytes([*ROWS, ROWS[0]]))
    assert (run.state, run.rows, run.created, run.duplicates) == (STATE.PREVIEW, 4, 3, 1)
    assert (run.started_by, run.file_name) == (manager, "inventory.csv")
    assert not UseCase.objects.exists()
    page = text(browser.get(address(run)))
    assert "Nothing has changed yet" in page
    assert "Chat" in page
    assert "of row 2" in page


def test_the_preview_shows_problems_by_row_and_column(browser: Client) -> None:
    run = prepared(browser, csv_bytes([with_cells(ROWS[0], {"Risk": "Odd"}), *ROWS[1:]]))
    page = text(browser.get(address(run)))
    assert "<strong>Risk</strong>: “Odd” is not known to the profile" in page


def test_the_preview_can_be_searched_filtered_and_paged(browser: Client) -> None:
    rows = [with_cells(ROWS[0], {"Name": f"Thing {n}", "Risk": "Odd" if n % 10 == 0 else ""}) for n in range(120)]
    run = prepared(browser, csv_bytes(rows))
    first = text(browser.get(address(run)))
    assert "Thing 49" in first
    assert "Thing 50" not in first
    assert "Thing 119" in text(browser.get(address(run), {"page": "3"}))
    found = text(browser.get(address(run), {"q": "thing 77"}))
    assert "Thing 77" in found
    assert "Thing 78" not in found
    wrong = text(browser.get(address(run), {"problems": "yes"}))
    assert "Thing 110" in wrong
    assert "Thing 111" not in wrong
    assert "No row fits" in text(browser.get(address(run), {"outcome": "update"}))
    assert "Thing 119" in text(browser.get(address(run), {"sort": "-row"}))


def test_htmx_gets_the_rows_alone(browser: Client) -> None:
    run = prepared(browser)
    part = text(browser.get(address(run), {"q": "Scan"}, headers={"HX-Request": "true"}))
    assert part.startswith('<div id="table"')
    assert "Scan" in part
    assert "<html" not in part


def test_what_would_be_updated_is_shown_with_before_and_after(browser: Client) -> None:
    execute(_confirmed(browser).pk)
    run = prepared(browser, csv_bytes([with_cells(ROWS[0], {"Owner": "Eve"}), *ROWS[1:]]))
    page = text(browser.get(address(run), {"outcome": "update"}))
    assert "<strong>Owner</strong>: Ada → Eve" in page


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The submitted file is empty"),
        (b"Name,Unit\nonly one\n", "Row 2 has 1 cells, the header has 2"),
        (b"%PDF-1.7", "This is a PDF, not a table"),
        (csv_bytes([("HR",)], header=("Unit",)), "Row 1 lacks the columns “Name”, “Stage”"),
        (csv_bytes([with_cells(ROWS[0], {"Unit": ""})]), "Row 2, Unit: this is needed"),
        (b"Name,Unit\n\x81,b\n", "Line 2 holds the byte 0x81"),
    ],
)
def test_a_bad_file_is_refused_on_the_form_and_nothing_is_kept(browser: Client, content: bytes, said: str) -> None:
    response = hand_in(browser, content)
    assert response.status_code == 422
    assert said in text(response)
    assert not ImportRun.objects.exists()


def test_an_unknown_profile_is_refused_on_the_form(browser: Client) -> None:
    response = hand_in(browser, profile="../../etc/passwd")
    assert response.status_code == 422
    assert not ImportRun.objects.exists()


# -- Confirm, cancel, follow -----------------------------------------------------------------------------------------


def _confirmed(client: Client, content: bytes | None = None) -> ImportRun:
    run = prepared(client, content)
    assert client.post(address(run, "import_confirm")).headers["Location"] == address(run)
    run.refresh_from_db()
    assert run.state == STATE.QUEUED
    return run


def test_a_confirmed_import_is_carried_out_by_a_worker_as_whoever_confirmed(browser: Client, manager: User) -> None:
    run = _confirmed(browser)
    import_inventory(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.created, run.rows_done) == (STATE.DONE, 3, 3)
    event = Event.objects.filter(action="use_case.imported").first()
    assert event is not None
    assert event.actor_id == manager.pk
    actions = list(Event.objects.filter(subject_id=str(run.pk)).order_by("index").values_list("action", flat=True))
    assert actions == ["import.prepared", "import.confirmed", "import.finished"]


def test_the_report_can_be_read_and_downloaded(browser: Client) -> None:
    run = _confirmed(browser, csv_bytes([with_cells(ROWS[0], {"Risk": "Odd"}), *ROWS[1:]]))
    execute(run.pk)
    page = text(browser.get(address(run)))
    assert "Every value was known" not in page
    assert "“Odd” is not known to the profile" in page
    problems = b"".join(_streamed(browser.get(address(run, "import_problems")))).decode()
    assert problems.splitlines()[1].startswith("2,Risk,“Odd” is not known")
    summary = json.loads(browser.get(address(run, "import_summary")).content)
    assert (summary["rows"], summary["created"], len(summary["problems"])) == (3, 3, 1)
    workbook = b"".join(_streamed(browser.get(address(run, "import_problems"), {"format": "xlsx"})))
    assert workbook.startswith(b"PK")


def test_progress_is_asked_for_until_it_is_over(browser: Client) -> None:
    run = _confirmed(browser)
    asked = {"headers": {"HX-Request": "true"}}
    waiting = browser.get(address(run), {"part": "progress"}, **asked)  # type: ignore[arg-type]
    assert "Waiting for a worker" in text(waiting)
    assert "every 1s" in text(waiting)
    execute(run.pk)
    over = browser.get(address(run), {"part": "progress"}, **asked)  # type: ignore[arg-type]
    assert (over.status_code, over.headers["HX-Refresh"]) == (204, "true")


def test_the_files_of_a_run_are_gone_once_it_is_over(browser: Client, settings: Any) -> None:
    run = _confirmed(browser)
    folder = Path(settings.MEDIA_ROOT) / "imports"
    assert len(list(folder.iterdir())) == 2
    execute(run.pk)
    assert list(folder.iterdir()) == []


def test_a_cancelled_import_changes_nothing(
    browser: Client, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    run = prepared(browser)
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(address(run, "import_cancel"))
    run.refresh_from_db()
    assert run.state == STATE.CANCELLED
    assert list((Path(settings.MEDIA_ROOT) / "imports").iterdir()) == []
    assert browser.post(address(run, "import_confirm")).status_code == 409
    assert execute(run.pk) is None
    assert not UseCase.objects.exists()


def test_an_import_is_confirmed_once(browser: Client) -> None:
    run = _confirmed(browser)
    assert browser.post(address(run, "import_confirm")).status_code == 409
    execute(run.pk)
    assert execute(run.pk) is None
    assert browser.post(address(run, "import_cancel")).status_code == 409
    assert UseCase.objects.count() == 3


def test_a_run_whose_message_or_worker_was_lost_is_taken_up_by_the_sweep(browser: Client) -> None:
    run = _confirmed(browser)
    ImportRun.objects.filter(pk=run.pk).update(state=STATE.RUNNING, claimed_at=timezone.now())
    assert lost_runs() == []
    ImportRun.objects.filter(pk=run.pk).update(claimed_at=timezone.now() - timedelta(hours=1))
    sweep_imports()
    run.refresh_from_db()
    assert run.state == STATE.DONE


def test_a_preview_that_nobody_confirms_is_given_up_after_a_week(browser: Client, settings: Any) -> None:
    old, fresh = prepared(browser), prepared(browser)
    ImportRun.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))
    sweep_imports()
    old.refresh_from_db()
    fresh.refresh_from_db()
    assert (old.state, fresh.state) == (STATE.CANCELLED, STATE.PREVIEW)
    assert len(list((Path(settings.MEDIA_ROOT) / "imports").iterdir())) == 2


def test_an_import_that_fails_in_the_worker_says_so_and_changes_nothing(browser: Client) -> None:
    run = _confirmed(browser)
    (own_profiles() / "small.yaml").write_text("profile: small\n")
    execute(run.pk)
    run.refresh_from_db()
    assert run.state == STATE.FAILED
    assert "the key “title” is missing" in run.error
    assert "The import failed, and nothing has changed" in text(browser.get(address(run)))
    assert not UseCase.objects.exists()


def test_a_right_that_was_taken_away_meanwhile_stops_the_worker(browser: Client, manager: User) -> None:
    from accounts.models import RoleAssignment
    from accounts.services import end_role
    from ledger import SYSTEM

    run = _confirmed(browser)
    end_role(assignment=RoleAssignment.objects.get(user=manager, ended_at=None), by=SYSTEM)
    execute(run.pk)
    run.refresh_from_db()
    assert run.state == STATE.FAILED
    assert not UseCase.objects.exists()


# -- Who may ---------------------------------------------------------------------------------------------------------


def test_only_people_with_the_right_import(browser: Client) -> None:
    run = prepared(browser)
    stranger = Client()
    assert stranger.get(reverse("portfolio:import_start")).status_code == 302
    stranger.force_login(person_with("executive_viewer", organisation()))
    assert stranger.get(reverse("portfolio:import_start")).status_code == 403
    assert hand_in(stranger).status_code == 403
    for page in ("import_run", "import_problems", "import_summary"):
        assert stranger.get(address(run, page)).status_code == 403
    for page in ("import_confirm", "import_cancel"):
        assert stranger.post(address(run, page)).status_code == 403


def test_the_preview_takes_the_same_number_of_queries_for_any_number_of_rows(browser: Client) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for size in (3, 300):
        run = prepared(browser, csv_bytes([with_cells(ROWS[0], {"Name": f"Thing {n}"}) for n in range(size)]))
        with CaptureQueriesContext(connection) as captured:
            browser.get(address(run))
        counts.append(len(captured))
    assert counts[0] == counts[1]


# -- REST ------------------------------------------------------------------------------------------------------------

API = "/api/v1/imports/"


def test_over_rest_a_dry_run_answers_with_the_totals(manager: User) -> None:
    response = api_as(manager).post(
        API, {"file": upload(csv_bytes()), "profile": "small", "dry_run": True}, format="multipart"
    )
    assert response.status_code == 200
    assert (response.json()["rows"], response.json()["created"], response.json()["problems"]) == (3, 3, [])
    assert not ImportRun.objects.exists()


def test_over_rest_a_file_is_queued_and_can_be_followed(manager: User) -> None:
    client = api_as(manager)
    response = client.post(API, {"file": upload(csv_bytes()), "profile": "small"}, format="multipart")
    assert response.status_code == 202
    assert response.json()["state"] == "queued"
    execute(ImportRun.objects.get().pk)
    done = client.get(response.headers["Location"]).json()
    assert (done["state"], done["created"], done["unchanged"]) == ("done", 3, 0)


def test_over_rest_a_bad_file_is_a_problem_with_its_row(manager: User) -> None:
    response = api_as(manager).post(
        API, {"file": upload(b"Name,Unit\nonly one\n"), "profile": "small"}, format="multipart"
    )
    assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")
    assert "Row 2 has 1 cells" in response.json()["detail"]
    unknown = api_as(manager).post(API, {"file": upload(csv_bytes()), "profile": "nope"}, format="multipart")
    assert (unknown.status_code, list(unknown.json()["errors"])) == (422, ["profile"])
    assert api_as(manager).post(API, {"profile": "small"}, format="multipart").status_code in (400, 422)


def test_over_rest_only_those_with_the_right_import(manager: User) -> None:
    assert APIClient().post(API, {}, format="multipart").status_code == 401
    outsider = api_as(PersonFactory.create())
    assert outsider.post(API, {"file": upload(csv_bytes()), "profile": "small"}, format="multipart").status_code == 403
    assert outsider.get(f"{API}{'0' * 8}-0000-0000-0000-{'0' * 12}/").status_code == 403
    narrow = api_as(manager, scopes=["use_case.view"])
    assert narrow.post(API, {"file": upload(csv_bytes()), "profile": "small"}, format="multipart").status_code == 403
    assert api_as(manager).get(f"{API}{'0' * 8}-0000-0000-0000-{'0' * 12}/").status_code == 404


def test_over_rest_a_repeat_with_the_same_key_is_one_import(manager: User) -> None:
    client = api_as(manager)
    for _attempt in range(2):
        body = {"file": upload(csv_bytes()), "profile": "small"}
        assert client.post(API, body, format="multipart", headers={"Idempotency-Key": "once"}).status_code == 202
    assert ImportRun.objects.count() == 1
    assert BusinessUnit.objects.count() == 1
    assert len(HEADER) == 10
