"""A test database is a copy of one that was migrated before, so that only the first run after a change migrates.

The migrated database is kept under the digest of everything that made it: all migration files of all installed apps,
the modules of ours that they import, the models (their content types and permissions are rows), versions and settings.
SQLite keeps a file in `.pytest_cache/migrated/`, PostgreSQL a database `tollgate_migrated_…` on the same server that
later ones are created from. One process migrates, under a lock; others wait and copy. The newest few are kept.

`pytest --migrate` migrates anew without reading or writing any of this; `--reuse-db` is left to pytest-django.
"""

from __future__ import annotations

import fcntl
import hashlib
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.backends.base.creation import BaseDatabaseCreation
from django.utils import timezone

from config.env import BASE_DIR

FOLDER = BASE_DIR / ".pytest_cache" / "migrated"
PREFIX = "tollgate_migrated_"
KEPT = 4
LOCK = 0x746F6C6C  # any number, the same in every process
SETTINGS = ("INSTALLED_APPS", "AUTH_USER_MODEL", "DEFAULT_AUTO_FIELD", "MIGRATION_MODULES", "LANGUAGE_CODE")
OF_OURS = re.compile(rf"^\s*(?:from|import)\s+((?:{'|'.join(settings.OWN_APPS)})[\w.]*)", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--migrate", action="store_true", help="migrate the test database instead of copying a kept one")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--migrate"):
        return
    creation: Any = BaseDatabaseCreation
    migrate = creation.create_test_db

    def create_test_db(
        self: Any, verbosity: int = 1, autoclobber: bool = False, serialize: bool = True, keepdb: bool = False
    ) -> str:
        if keepdb or serialize or self.connection.vendor not in STORES:
            return str(migrate(self, verbosity, autoclobber, serialize, keepdb))
        with STORES[self.connection.vendor](self).alone() as store:
            if not store.has_it():
                with _named(self, store.being_made):
                    migrate(self, verbosity, autoclobber=True, serialize=False)
                    self.connection.close()
                store.keep()
            name = str(self._get_test_db_name())
            store.copy(name)
        _use(self, name)
        self.connection.ensure_connection()
        return name

    creation.create_test_db = create_test_db


def digest() -> str:
    """Of everything that a migrated database follows from; a change of it makes another one."""
    found = hashlib.sha256()
    for part in _sources():
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()[:24]


def _sources() -> Iterator[bytes]:
    yield Path(__file__).read_bytes()
    yield f"{django.VERSION} {platform.python_version()}".encode()
    yield repr([(name, getattr(settings, name)) for name in SETTINGS]).encode()
    for model in sorted(apps.get_models(include_auto_created=True), key=lambda each: each._meta.label):
        meta = model._meta
        rights = (list(meta.permissions), meta.default_permissions, str(meta.verbose_name_raw))
        yield repr((meta.label, meta.managed, meta.proxy, rights)).encode()
    for path in migration_files():
        text = path.read_bytes()
        yield f"{path.parent.parent.name}/{path.name}".encode() + text
        for module in sorted(set(OF_OURS.findall(text.decode()))):
            spec = find_spec(module)
            if spec is not None and spec.origin:
                yield Path(spec.origin).read_bytes()


def migration_files() -> list[Path]:
    """Of all installed apps, in a fixed order."""
    folders = [Path(app.path) / "migrations" for app in apps.get_app_configs()]
    return [path for folder in folders for path in sorted(folder.glob("*.py"))]


class File:
    """SQLite: the file beside which others wait."""

    def __init__(self, creation: Any) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.path = FOLDER / f"{digest()}.sqlite3"
        self.being_made = f"{self.path}.new"

    @contextmanager
    def alone(self) -> Iterator[File]:
        with (FOLDER / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield self

    def has_it(self) -> bool:
        return self.path.exists()

    def keep(self) -> None:
        """The last connection is closed, so nothing is left in a write-ahead log."""
        Path(self.being_made).replace(self.path)
        newest = sorted(FOLDER.glob("*.sqlite3"), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in newest[KEPT:]:
            old.unlink()

    def copy(self, name: str) -> None:
        self.path.touch()  # used last: kept longest
        shutil.copyfile(self.path, name)


class Database:
    """PostgreSQL: a database that `CREATE DATABASE … TEMPLATE` copies."""

    def __init__(self, creation: Any) -> None:
        self.creation = creation
        self.name = f"{PREFIX}{digest()}"
        self.being_made = f"{self.name}_new"

    @contextmanager
    def alone(self) -> Iterator[Database]:
        with self.creation._nodb_cursor() as self.cursor:
            self.cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            try:
                yield self
            finally:
                self.cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

    def has_it(self) -> bool:
        self.cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name])
        return self.cursor.fetchone() is not None

    def keep(self) -> None:
        self.cursor.execute(f'ALTER DATABASE "{self.being_made}" RENAME TO "{self.name}"')
        self._note_use()
        self.cursor.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s"
            " ORDER BY coalesce(shobj_description(oid, 'pg_database'), '') DESC",
            [f"{PREFIX}%"],
        )
        for (old,) in self.cursor.fetchall()[KEPT:]:
            self.cursor.execute(f'DROP DATABASE "{old}"')

    def copy(self, name: str) -> None:
        self.cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        self.cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self.name}"')
        self._note_use()

    def _note_use(self) -> None:
        self.cursor.execute(f'COMMENT ON DATABASE "{self.name}" IS %s', [timezone.now().isoformat()])


STORES: dict[str, Any] = {"sqlite": File, "postgresql": Database}


@contextmanager
def _named(creation: Any, name: str) -> Iterator[None]:
    """The test database is called ``name`` for as long."""
    test = creation.connection.settings_dict["TEST"]
    usual = test["NAME"]
    test["NAME"] = name
    try:
        yield
    finally:
        test["NAME"] = usual


def _use(creation: Any, name: str) -> None:
    creation.connection.close()
    settings.DATABASES[creation.connection.alias]["NAME"] = name
    connections[creation.connection.alias].settings_dict["NAME"] = name
