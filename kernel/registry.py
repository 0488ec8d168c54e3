"""Plugin registries: one file adds one thing, a duplicate key stops the start."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Generic, TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
P = TypeVar("P")


class Registry(Generic[T]):
    """Plugins of one kind by their ``key``, in the order of their keys.

    ``T`` is whatever is registered: a class (``register`` is then its decorator) or an instance.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._plugins: dict[str, T] = {}

    def register(self, plugin: P) -> P:
        """Add a plugin and return it unchanged, so that a decorated class keeps its own type."""
        key = getattr(plugin, "key", None)
        if not isinstance(key, str) or not key:
            raise ImproperlyConfigured(f"{self.name}: {plugin!r} has no key.")
        if key in self._plugins:
            raise ImproperlyConfigured(
                f"{self.name}: the key {key!r} is taken by {self._plugins[key]!r} and claimed again by {plugin!r}."
            )
        self._plugins[key] = plugin  # type: ignore[assignment]  # a decorator cannot bound P by T
        return plugin

    def get(self, key: str) -> T:
        """The plugin of that key; ``KeyError`` names the keys there are."""
        try:
            return self._plugins[key]
        except KeyError:
            known = ", ".join(self.keys()) or "none"
            raise KeyError(f"{self.name}: unknown key {key!r} (known: {known})") from None

    def keys(self) -> list[str]:
        return sorted(self._plugins)

    def values(self) -> list[T]:
        return [self._plugins[key] for key in self.keys()]

    def __contains__(self, key: object) -> bool:
        return key in self._plugins

    def __iter__(self) -> Iterator[T]:
        return iter(self.values())

    def __len__(self) -> int:
        return len(self._plugins)

    def discover(self, package_name: str) -> None:
        """Import every module of a package, in the order of their names; each registers itself.

        Importing twice is harmless: Python runs a module once.
        """
        package = importlib.import_module(package_name)
        for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda found: found.name):
            importlib.import_module(f"{package_name}.{module.name}")
