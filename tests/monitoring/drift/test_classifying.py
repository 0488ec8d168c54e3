"""Texts and embeddings from the request to the alert, wherever their rows lie, and what goes wrong on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pyarrow as pa
import pyarrow.csv
import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from kernel.errors import Conflict, Invalid
from ledger import SYSTEM
from ledger.models import Event
from monitoring import classifying, judging, leasing, services, tasks
from monitoring.content_reports import document
from monitoring.models import Alert, ContentComparison, ContentSetup, Series
from monitoring.services.contents import Content
from monitoring.services.places import Where, Window
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with
from tests.factories.governance import ModelVersionFactory
from tests.factories.monitoring import SourceFactory
from tests.factories.portfolio import UseCaseFactory
from tests.monitoring.drift import stories
from tests.monitoring.drift.content_stories import NEW, clouds, compared, letters, watched

pytestmark = pytest.mark.django_db


def series(setup: ContentSetup, metric: str = "embedding_auc") -> Series:
    return Series.objects.get(use_case=setup.use_case, metric=metric, segment=setup.column)


def events() -> list[str]:
    return list(Event.objects.filter(action__startswith="content.").order_by("index").values_list("action", flat=True))


# -- What comes of it ------------------------------------------------------------------------------------------------


def test_what_is_watched_has_series_with_the_rules_of_the_catalogue(root: Path) -> None:
    setup = watched(root)
    rule = series(setup).rules.get()
    assert (rule.warn, rule.act) == (0.6, 0.7)
    assert series(setup, "schema_change").rules.count() == 1
    assert events() == ["content.watched"]


def test_new_texts_drift_and_an_alert_opens(root: Path) -> None:
    setup = watched(root)
    row = compared(root, setup, letters(150, NEW))
    assert (row.state, row.verdict, row.progress) == ("done", "drift", 100), row.error
    assert row.auc is not None
    assert row.auc > 0.99
    assert series(setup).last_value == row.auc
    assert series(setup).last_n == 150
    assert series(setup, "schema_change").last_value == 0
    judging.judge([series(setup).pk, series(setup, "schema_change").pk])
    assert [(alert.series.metric, alert.level) for alert in Alert.objects.all()] == [("embedding_auc", "act")]
    assert events() == ["content.watched", "content.comparison_requested", "content.compared"]


def test_texts_as_they_were_stay_calm(root: Path) -> None:
    setup = watched(root)
    row = compared(root, setup, letters(200, seed=2))
    assert row.verdict == "stable"
    assert row.auc_low is not None
    assert row.auc_high is not None
    assert row.auc_low < 0.5 < row.auc_high
    judging.judge([series(setup).pk])
    assert not Alert.objects.exists()


def test_vectors_that_moved_drift(root: Path) -> None:
    setup = watched(root, table=clouds(300), kind="embedding", column="vector")
    assert compared(root, setup, clouds(300, seed=2)).verdict == "stable"
    row = compared(root, setup, clouds(300, seed=3, moved=0.6), "moved.parquet")
    assert row.verdict == "drift"
    assert row.measured["current"]["size"] == 6


def test_vectors_of_another_size_are_told_as_a_change_of_schema(root: Path) -> None:
    setup = watched(root, table=clouds(300), kind="embedding", column="vector")
    row = compared(root, setup, clouds(300, size=8))
    assert (row.state, row.verdict, row.auc) == ("done", "mismatch", None)
    assert series(setup, "schema_change").last_value == 1
    assert series(setup).last_value is None
    judging.judge([series(setup, "schema_change").pk])
    assert Alert.objects.get().level == "warn"


def test_the_seal_is_of_everything_the_report_says(root: Path) -> None:
    row = compared(root, watched(root), letters(150, NEW))
    told = json.loads(document(row))
    assert hashlib.sha256(document(row)).hexdigest() == row.sha256
    assert told["format"] == "tollgate-content-report/1"
    assert (told["column"], told["current"]["used"], told["method"]["folds"]) == ("text", 150, 5)
    assert float(told["auc"]) == row.auc
    row.auc = 0.5
    assert hashlib.sha256(document(row)).hexdigest() != row.sha256


def test_nothing_of_a_text_is_kept_anywhere(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    setup = watched(root)
    row = compared(root, setup, letters(150, "secretword hiddenname"))
    broken = compared(root, setup, letters(20, "secretword hiddenname"), "few.parquet")
    assert (row.state, broken.state) == ("done", "failed")
    kept = "".join(str(vars(each)) for model in (ContentComparison, Event, Series) for each in model.objects.all())
    assert "secretword" not in kept + caplog.text
    assert b"secretword" not in document(row)


def test_the_same_places_give_the_same_figures_and_other_reference_rows_are_noticed(root: Path) -> None:
    setup = watched(root)
    first, second = (compared(root, setup, letters(150, seed=2)) for _ in range(2))
    assert (first.auc, first.measured) == (second.auc, second.measured)
    stories.write(root, "reference.parquet", letters(200, seed=5))
    third = compared(root, setup, letters(150, seed=2))
    assert third.measured["reference"]["sha256"] != first.measured["reference"]["sha256"]
    assert third.measured["current"] == first.measured["current"]


def test_a_version_has_a_series_of_its_own(root: Path) -> None:
    use_case = UseCaseFactory.create()
    version = ModelVersionFactory.create(model__use_case=use_case)
    stories.write(root, "reference.parquet", letters(200))
    content, where = Content("text", "text"), Where("reference.parquet")
    setup = services.watch_content(use_case=use_case, content=content, where=where, version=version, by=SYSTEM)
    compared(root, setup, letters(150, NEW))
    assert (series(setup).version, series(setup).last_n) == (version, 150)
    with pytest.raises(Invalid, match="another use case"):
        services.watch_content(
            use_case=use_case, content=content, where=where, version=ModelVersionFactory.create(), by=SYSTEM
        )


def test_watching_a_column_anew_replaces_what_was_and_keeps_its_series(root: Path) -> None:
    first = watched(root)
    second = watched(root, first.use_case, warn=0.8, act=0.9)
    first.refresh_from_db()
    assert (first.in_force, second.in_force) == (False, True)
    assert events() == ["content.watched", "content.unwatched", "content.watched"]
    assert series(second).rules.get().act == 0.7
    with pytest.raises(Conflict, match="not watched"):
        services.compare_content(setup=first, name="X", where=Where("reference.parquet"), by=SYSTEM)


def test_the_report_is_of_the_time_of_its_window(root: Path) -> None:
    setup = watched(root)
    end = timezone.now() - timedelta(days=3)
    row = services.compare_content(
        setup=setup,
        name="Old",
        where=Where("reference.parquet"),
        window=Window(end - timedelta(days=7), end),
        by=SYSTEM,
    )
    classifying.compare(row.pk)
    row.refresh_from_db()
    assert series(setup).last_time == row.as_of == end
    assert row.auc == 0.5


# -- Where rows lie --------------------------------------------------------------------------------------------------


def test_a_folder_of_csv_and_a_table_of_duckdb_hold_newer_texts(root: Path) -> None:
    setup = watched(root)
    (root / "week").mkdir()
    for part in range(3):
        pyarrow.csv.write_csv(letters(60, NEW, seed=part), root / "week" / f"{part}.csv")
    row = services.compare_content(setup=setup, name="Folder", where=Where("week"), by=SYSTEM)
    with duckdb.connect(str(root / "lake.duckdb")) as database:
        database.register("told", letters(180, NEW))
        database.execute("CREATE TABLE now AS SELECT * FROM told")
    other = services.compare_content(setup=setup, name="Lake", where=Where("lake.duckdb", query="now"), by=SYSTEM)
    for each in (row, other):
        classifying.compare(each.pk)
        each.refresh_from_db()
        assert (each.verdict, each.measured["current"]["used"]) == ("drift", 180), each.error


def test_vectors_lie_in_lists_of_duckdb_or_in_columns_of_their_own(root: Path) -> None:
    with duckdb.connect(str(root / "lake.duckdb")) as database:
        database.register("told", clouds(200, seed=2))
        database.execute("CREATE TABLE lists AS SELECT vector::FLOAT[6] AS vector FROM told")
        split = ", ".join(f"vector[{n + 1}] AS e{n}" for n in range(6))
        database.execute(f"CREATE TABLE split AS SELECT {split}, 'x' AS label FROM told")
    setup = watched(root, table=clouds(200), kind="embedding", column="vector")
    row = services.compare_content(setup=setup, name="Lists", where=Where("lake.duckdb", query="lists"), by=SYSTEM)
    classifying.compare(row.pk)
    row.refresh_from_db()
    assert (row.verdict, row.measured["current"]["used"]) == ("stable", 200), row.error
    where, content = Where("lake.duckdb", query="split"), Content("embedding", "e*")
    other = services.watch_content(use_case=setup.use_case, content=content, where=where, by=SYSTEM)
    row = services.compare_content(setup=other, name="Same", where=where, by=SYSTEM)
    classifying.compare(row.pk)
    row.refresh_from_db()
    assert (row.auc, row.measured["current"]["size"]) == (0.5, 6), row.error


def test_texts_and_vectors_are_drawn_from_postgresql(root: Path, settings: Settings) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("this run has no PostgreSQL; DATABASE_URL names one")
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
    told = connection.settings_dict
    beside = psycopg2.connect(host=told["HOST"], port=told["PORT"], user=told["USER"], dbname=told["NAME"])
    beside.autocommit = True
    cursor = beside.cursor()
    cursor.execute(
        "DROP TABLE IF EXISTS letters; CREATE TABLE letters AS SELECT n, 'app crash ' || n % 7 AS text,"
        " ARRAY[random(), 5 + random(), NULL] AS broken, ARRAY[n % 10, 5.5]::real[] AS vector"
        " FROM generate_series(1, 12000) n"
    )
    try:
        url = f"postgresql://{told['USER']}@{told['HOST'] or 'localhost'}:{told['PORT'] or 5432}/{told['NAME']}"
        source = SourceFactory.create(connector="sql", config={"url": url, "query": "SELECT 1"})
        where = Where(source=source, query="SELECT text, vector, broken FROM letters")
        row = services.compare_content(setup=watched(root, source.use_case), name="PG", where=where, by=SYSTEM)
        setup = services.watch_content(
            use_case=source.use_case, content=Content("embedding", "vector"), where=where, by=SYSTEM
        )
        other = services.compare_content(setup=setup, name="Vectors", where=where, by=SYSTEM)
        setup = services.watch_content(
            use_case=source.use_case, content=Content("embedding", "broken"), where=where, by=SYSTEM
        )
        broken = services.compare_content(setup=setup, name="Broken", where=where, by=SYSTEM)
        for each in (row, other, broken):
            classifying.compare(each.pk)
            each.refresh_from_db()
        assert row.verdict == "drift", row.error
        assert {name: row.measured["current"][name] for name in ("rows", "sampled")} == {"rows": 12000, "sampled": 5000}
        assert (other.state, other.measured["current"]["size"]) == ("done", 2), other.error
        assert (broken.state, "5000 with NaN" in broken.error) == ("failed", True)
    finally:
        cursor.execute("DROP TABLE letters")
        beside.close()


# -- What goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (letters(30), "Newer rows: of 30 rows looked at 30 can be used (0 empty"),
        (pa.table({"text": pa.array([None, "", " "] * 100)}), "of 300 rows looked at 0 can be used (300 empty"),
        (pa.table({"other": ["a"]}), "Newer rows: There is no column text; there are: other."),
        (pa.table({"text": [1.5]}), "Newer rows: Column text holds double, not texts"),
        (pa.table({"text": pa.array([], pa.string())}), "Newer rows: There are no rows."),
    ],
)
def test_data_that_cannot_be_compared_say_which_side_and_why(root: Path, table: pa.Table, said: str) -> None:
    row = compared(root, watched(root), table)
    assert (row.state, row.verdict) == ("failed", "")
    assert said in row.error
    assert events()[-1] == "content.comparison_failed"


def test_a_reference_that_is_gone_is_named(root: Path) -> None:
    setup = watched(root)
    (root / "reference.parquet").unlink()
    row = compared(root, setup, letters(150))
    assert row.error == "Reference: There is no file or folder reference.parquet."


def test_paths_columns_and_limits_that_cannot_be_are_refused(root: Path) -> None:
    use_case = UseCaseFactory.create()
    for path in ("/etc/passwd", "../x.parquet", "", "notes.txt", "x.duckdb"):
        with pytest.raises(Invalid):
            services.watch_content(use_case=use_case, content=Content("text", "t"), where=Where(path), by=SYSTEM)
    for content, name in (
        (Content("image", "t"), "kind"),
        (Content("text", " "), "column"),
        (Content("text", "t*"), "column"),
        (Content("text", "t", 0.8, 0.7), "warn"),
        (Content("text", "t", 0.2, 0.7), "warn"),
    ):
        with pytest.raises(Invalid) as caught:
            services.watch_content(use_case=use_case, content=content, where=Where("x.parquet"), by=SYSTEM)
        assert list(caught.value.errors) == [name]
    assert not ContentSetup.objects.exists()


def test_a_source_of_another_use_case_is_refused(root: Path) -> None:
    setup = watched(root)
    source = SourceFactory.create(connector="sql", config={"url": "postgresql://u@db.example:5432/x", "query": "S"})
    with pytest.raises(Invalid) as caught:
        services.compare_content(setup=setup, name="X", where=Where(source=source, query="SELECT 1"), by=SYSTEM)
    assert list(caught.value.errors) == ["source"]


# -- Leases ----------------------------------------------------------------------------------------------------------


def test_a_comparison_is_made_once_and_a_lost_worker_is_followed_by_another(root: Path) -> None:
    setup = watched(root)
    row = services.compare_content(setup=setup, name="W", where=Where("reference.parquet"), by=SYSTEM)
    assert classifying.owed(timezone.now()) == [row.pk]
    late = timezone.now() - timedelta(seconds=1)
    ContentComparison.objects.filter(pk=row.pk).update(state="running", leased_until=late, attempts=1)
    assert tasks.make_owed_profiles() >= 1
    ContentComparison.objects.filter(pk=row.pk).update(
        state="running", leased_until=late, attempts=leasing.MOST_ATTEMPTS
    )
    classifying.compare(row.pk)
    row.refresh_from_db()
    assert "worker was lost" in row.error
    services.retry_content_comparison(comparison=row, by=SYSTEM)
    classifying.compare(row.pk)
    assert classifying.compare(row.pk) == []
    row.refresh_from_db()
    assert row.state == "done"


def test_a_cancelled_comparison_stores_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = watched(root)
    row = services.compare_content(setup=setup, name="W", where=Where("reference.parquet"), by=SYSTEM)
    monkeypatch.setattr(leasing, "TELL_EVERY", -1.0)
    found = classifying._compared

    def cancelled_meanwhile(job: ContentComparison, tell: Any) -> Any:
        services.cancel_content_comparison(comparison=row, by=SYSTEM)
        return found(job, tell)

    monkeypatch.setattr(classifying, "_compared", cancelled_meanwhile)
    classifying.compare(row.pk)
    row.refresh_from_db()
    assert (row.state, row.sha256, series(setup).last_value) == ("cancelled", "", None)
    with pytest.raises(Conflict):
        services.cancel_content_comparison(comparison=row, by=SYSTEM)


def test_who_sees_and_who_sends_may_not_ask(root: Path) -> None:
    setup = watched(root)
    row = compared(root, setup, letters(150))
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", setup.use_case)
    for actor in (person_with("auditor", setup.use_case), PersonFactory.create(), machine):
        asks: tuple[Callable[[Any], Any], ...] = (
            lambda by: services.watch_content(
                use_case=setup.use_case, content=Content("text", "t"), where=Where("a.csv"), by=by
            ),
            lambda by: services.unwatch_content(setup=setup, by=by),
            lambda by: services.compare_content(setup=setup, name="X", where=Where("a.csv"), by=by),
            lambda by: services.cancel_content_comparison(comparison=row, by=by),
            lambda by: services.retry_content_comparison(comparison=row, by=by),
        )
        for ask in asks:
            with pytest.raises(PermissionDenied):
                ask(actor)
