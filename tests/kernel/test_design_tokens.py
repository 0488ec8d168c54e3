"""Colours that can be read: WCAG 2.2, 1.4.3 (text, 4.5:1) and 1.4.11 (controls, 3:1), in light and dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[2] / "frontend" / "src" / "tokens.css"
SURFACES = ("canvas", "surface", "surface-sunken", "surface-hover", "surface-float", "surface-selected")
STATES = ("met", "attention", "blocked", "info", "neutral")

ON_SURFACES = [(text, surface) for text in ("ink", "ink-2", "ink-3", "accent") for surface in SURFACES]
ON_SOFT = [(state, f"{state}-soft") for state in STATES]
STATES_ON_SURFACES = [(state, surface) for state in STATES for surface in SURFACES[:3]]
OTHERS = [
    ("accent", "accent-soft"),
    ("on-accent", "accent-solid"),
    ("on-accent", "accent-solid-hover"),
    ("ink-2", "neutral-soft"),
]
CONTROLS = [("line-control", "surface"), *((f"{state}-solid", "surface") for state in STATES)]


def tokens() -> dict[str, tuple[str, str]]:
    """Each colour token as its light and its dark value."""
    source = TOKENS.read_text(encoding="utf-8")
    pairs = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", source)
    single = re.findall(r"--([\w-]+): (#[0-9a-f]{6});", source)
    found = {name: (light, dark) for name, light, dark in pairs} | {name: (value, value) for name, value in single}
    for name, other in re.findall(r"--([\w-]+): var\(--([\w-]+)\);", source):
        if other in found:
            found[name] = found[other]
    return found


def luminance(colour: str) -> float:
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [*ON_SURFACES, *ON_SOFT, *STATES_ON_SURFACES, *OTHERS])
def test_text_can_be_read(text: str, ground: str, theme: int) -> None:
    found = tokens()
    assert contrast(found[text][theme], found[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), CONTROLS)
def test_controls_and_marks_can_be_seen(line: str, ground: str, theme: int) -> None:
    found = tokens()
    assert contrast(found[line][theme], found[ground][theme]) >= 3
