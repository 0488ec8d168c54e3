"""Plugins by key: a duplicate stops the start, an unknown key is told which there are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from kernel.registry import Registry


class Shape:
    key = ""


def test_a_plugin_is_registered_by_decorating_it() -> None:
    shapes: Registry[type[Shape]] = Registry("shapes")

    @shapes.register
    class Circle(Shape):
        key = "circle"

    assert shapes.get("circle") is Circle
    assert "circle" in shapes
    assert len(shapes) == 1


def test_keys_and_values_come_in_the_order_of_the_keys() -> None:
    shapes: Registry[Shape] = Registry("shapes")
    for key in ("square", "circle"):
        shape = Shape()
        shape.key = key
        shapes.register(shape)
    assert shapes.keys() == ["circle", "square"]
    assert [shape.key for shape in shapes.values()] == ["circle", "square"]
    assert [shape.key for shape in shapes] == ["circle", "square"]


def test_a_duplicate_key_is_refused() -> None:
    shapes: Registry[type[Shape]] = Registry("shapes")
    shapes.register(type("First", (Shape,), {"key": "circle"}))
    with pytest.raises(ImproperlyConfigured, match=r"'circle' is taken by .*First.* and claimed again by .*Second"):
        shapes.register(type("Second", (Shape,), {"key": "circle"}))


@pytest.mark.parametrize("key", ["", None, 7])
def test_a_plugin_without_a_key_is_refused(key: object) -> None:
    with pytest.raises(ImproperlyConfigured, match="has no key"):
        Registry[type]("shapes").register(type("Nameless", (), {"key": key}))


def test_an_unknown_key_is_answered_with_the_known_ones() -> None:
    shapes: Registry[type[Shape]] = Registry("shapes")
    shapes.register(type("Circle", (Shape,), {"key": "circle"}))
    with pytest.raises(KeyError, match=r"unknown key 'hexagon'.*known: circle"):
        shapes.get("hexagon")


def test_discovering_imports_every_module_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "plugins_for_discovery"
    package.mkdir()
    (package / "__init__.py").write_text("seen = []\n")
    for name in ("b", "a"):
        (package / f"{name}.py").write_text(f"from plugins_for_discovery import seen\nseen.append({name!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[type[Shape]] = Registry("shapes")
    registry.discover("plugins_for_discovery")
    registry.discover("plugins_for_discovery")
    assert sys.modules["plugins_for_discovery"].seen == ["a", "b"]
