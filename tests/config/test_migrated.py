"""The kept database that test databases are copied from is the one that migrations would make, and follows them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.plugins import migrated


@pytest.mark.django_db
def test_a_copied_database_lacks_no_migration_and_no_row_that_they_make() -> None:
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
    assert ContentType.objects.filter(app_label="gates", model="review").exists()
    assert Permission.objects.filter(content_type__app_label="gates").exists()


def test_another_migration_is_another_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = migrated.migration_files()
    now = migrated.digest()
    changed = tmp_path / files[-1].name
    changed.write_bytes(files[-1].read_bytes() + b"# and one thing more\n")
    assert migrated.digest() == now
    monkeypatch.setattr(migrated, "migration_files", lambda: [*files, changed])
    added = migrated.digest()
    monkeypatch.setattr(migrated, "migration_files", lambda: [*files[:-1], changed])
    assert len({now, added, migrated.digest()}) == 3


def test_what_migrations_import_of_ours_counts_too() -> None:
    triggers = Path("ledger/triggers.py").read_bytes()
    assert triggers in set(migrated._sources())
