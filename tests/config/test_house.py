"""The house as ARCHITECTURE draws it: the parts of the repository agree with each other."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from django.apps import apps
from django.conf import settings
from django.urls import reverse

from config.env import BASE_DIR


def test_the_kernel_has_no_tables() -> None:
    assert list(apps.get_app_config("kernel").get_models()) == []


def test_every_own_package_is_under_the_import_contract() -> None:
    with (BASE_DIR / "pyproject.toml").open("rb") as handle:
        contracts = tomllib.load(handle)["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert layers == ["config", *reversed(settings.OWN_APPS)]


@pytest.mark.parametrize("app", settings.OWN_APPS)
def test_no_module_is_longer_than_a_sitting(app: str) -> None:
    long = {
        str(path.relative_to(BASE_DIR)): lines
        for path in (BASE_DIR / app).rglob("*.py")
        if "migrations" not in path.parts and (lines := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_no_app_keeps_its_ideas_in_a_module_called_utils() -> None:
    vague = {"utils.py", "helper.py", "helpers.py", "manager.py", "managers.py", "misc.py"}
    assert [path for app in settings.OWN_APPS for path in (BASE_DIR / app).rglob("*.py") if path.name in vague] == []


def test_settings_read_the_environment_in_one_place() -> None:
    """`os.environ` anywhere else would be a setting that no check and no document knows."""
    readers = [
        path.relative_to(BASE_DIR)
        for app in settings.OWN_APPS
        for path in (BASE_DIR / app).rglob("*.py")
        if _reads_environment(path)
    ]
    assert readers == []


def _reads_environment(path: Path) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
        for node in ast.walk(ast.parse(path.read_text()))
    )


def test_the_api_has_a_schema_and_its_pages() -> None:
    assert reverse("api-schema") == "/api/v1/schema/"
    assert reverse("api-docs") == "/api/v1/docs/"


def test_compose_describes_the_five_parts() -> None:
    compose = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
    assert set(compose["services"]) == {"web", "worker", "beat", "migrate", "postgres", "redis"}
    for name in ("web", "postgres", "redis"):
        assert "healthcheck" in compose["services"][name], name
    assert "USER tollgate" in (BASE_DIR / "Dockerfile").read_text()


def test_every_requirement_is_locked_with_its_digest() -> None:
    for lock in sorted((BASE_DIR / "requirements").glob("*.txt")):
        text = lock.read_text()
        pins = [line for line in text.splitlines() if line and line[0].isalnum()]
        assert pins, lock.name
        assert all("==" in pin for pin in pins), lock.name
        assert text.count("--hash=sha256:") >= len(pins), lock.name
        assert "://" not in text, f"{lock.name} records a host"


def test_every_variable_that_is_read_is_documented_and_the_reverse() -> None:
    code = "".join(path.read_text() for path in (BASE_DIR / "config").rglob("*.py"))
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', code))
    documented = set(re.findall(r"`((?:TOLLGATE_[A-Z_]+)|DATABASE_URL|REDIS_URL)`", _settings_page()))
    assert read == documented


def test_every_system_check_is_documented() -> None:
    raised = set(re.findall(r'"(tollgate\.[EW]\d{3})"', (BASE_DIR / "config" / "checks.py").read_text()))
    assert raised == set(re.findall(r"`(tollgate\.[EW]\d{3})`", _settings_page()))


def _settings_page() -> str:
    return (BASE_DIR / "docs" / "settings.md").read_text()


def test_whatever_the_product_imports_is_installed_with_it() -> None:
    """What only the development set brings works here and fails in production."""
    lock = (BASE_DIR / "requirements" / "base.txt").read_text()
    locked = {_normal(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    own = {"config", *settings.OWN_APPS}
    packages = packages_distributions()
    missing = {
        f"{name} in {path.relative_to(BASE_DIR)}"
        for app in own
        for path in (BASE_DIR / app).rglob("*.py")
        for name in _imported(path) - own - sys.stdlib_module_names
        if not locked & {_normal(distribution) for distribution in packages.get(name, [name])}
    }
    assert missing == set()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
