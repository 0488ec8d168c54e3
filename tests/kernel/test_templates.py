"""What every template keeps to: nothing inline, nothing unescaped, every icon drawn, every component explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
COMPONENTS = [path for path in TEMPLATES if path.is_relative_to(ROOT / "templates" / "components")]
SPRITE = (ROOT / "static" / "icons.svg").read_text(encoding="utf-8")
DRAWN = set(re.findall(r'<symbol id="([^"]+)"', SPRITE))

FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle=|<style"),
    "an inline script": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)"),
    "an inline handler": re.compile(r"\son[a-z]+=[\"']"),
    "unescaped text": re.compile(r"\|\s*safe\b|autoescape off"),
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT / "templates"))


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_nothing_inline_and_nothing_unescaped(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(source)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_icon_is_drawn(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    asked = set(re.findall(r"""{%\s*icon\s+["']([^"']+)["']""", source))
    asked |= set(re.findall(r"""with[^%]*\bicon=["']([^"']+)["']""", source))
    assert asked - DRAWN == set()


@pytest.mark.parametrize("path", COMPONENTS, ids=name)
def test_every_component_opens_with_its_inputs(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("{% comment %}")


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_components_get_only_what_they_are_given(path: Path) -> None:
    source = re.sub(r"{% comment %}.*?{% endcomment %}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    includes = re.findall(r"""{%\s*include\s+["']components/[^%]*%}""", source)
    assert [each for each in includes if not re.search(r"\bonly\s*%}", each)] == []
