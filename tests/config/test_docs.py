"""The documents are true: links lead somewhere, commands and buttons that they name exist, nothing is left out."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from config.env import BASE_DIR

DOCUMENTS = sorted([*BASE_DIR.glob("*.md"), *(BASE_DIR / "docs").glob("*.md"), BASE_DIR / "client" / "README.md"])
FOR_PEOPLE = ("sponsor", "technical-lead", "compliance-reviewer", "ci")
LARGEST_IMAGE = 300_000


def _name(path: Path) -> str:
    return str(path.relative_to(BASE_DIR))


@cache
def _words_of_the_product() -> str:
    """Everything that pages are made of: templates, and the code that names tabs, forms and choices."""
    own = (BASE_DIR / app for app in settings.OWN_APPS)
    sources = [*(BASE_DIR / "templates").rglob("*.html"), *(path for app in own for path in app.rglob("*.py"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in sources)


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_link_within_the_repository_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_command_of_ours_is_in_the_readme() -> None:
    readme = (BASE_DIR / "README.md").read_text(encoding="utf-8")
    commands = {path.stem for path in BASE_DIR.glob("*/management/commands/[a-z]*.py")}
    assert {command for command in commands if f"manage.py {command}" not in readme} == set()


def test_every_command_that_a_document_names_exists() -> None:
    known = {path.stem for path in BASE_DIR.glob("*/management/commands/[a-z]*.py")} | {
        *("check", "collectstatic", "makemigrations", "migrate", "shell", "createsuperuser"),
    }
    named = {
        command
        for document in DOCUMENTS
        for command in re.findall(r"manage\.py ([a-z_]+)", document.read_text(encoding="utf-8"))
    }
    assert named - known == set()


def test_every_target_of_make_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (BASE_DIR / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"`make ([a-z][a-z-]*)", document.read_text(encoding="utf-8"))
    }
    assert named - targets == set()


@pytest.mark.parametrize("page", FOR_PEOPLE)
def test_every_button_and_heading_that_people_are_told_of_exists(page: str) -> None:
    text = (BASE_DIR / "docs" / f"{page}.md").read_text(encoding="utf-8")
    told = {" ".join(words.split()) for words in re.findall(r"\*\*([^*]+)\*\*", text)}
    assert told
    assert {words for words in told if words.rstrip(".") not in _words_of_the_product()} == set()


def test_pictures_are_small_and_used() -> None:
    readme = (BASE_DIR / "README.md").read_text(encoding="utf-8")
    pictures = sorted((BASE_DIR / "docs" / "images").iterdir())
    assert len(pictures) >= 2
    for picture in pictures:
        assert picture.stat().st_size < LARGEST_IMAGE, picture.name
        assert f"docs/images/{picture.name}" in readme, picture.name
