"""Where profiles are: those that come with the product, those in the operator's data directory, any path."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from kernel.errors import Invalid
from portfolio.importing.profile import Profile
from portfolio.importing.profile_format import parse_profile
from portfolio.importing.yaml_places import ProfileError

SHIPPED = Path(__file__).resolve().parent.parent / "profiles"
SUFFIXES = (".yaml", ".yml")


def own_profiles() -> Path:
    """Where an operator puts profiles, to be had by name in the browser too."""
    return Path(settings.TOLLGATE_DATA_DIR) / "profiles"


def find_profile(name_or_path: str) -> Profile:
    """The profile of that name, or in that file. For people with a shell: a path may be anywhere."""
    if "/" in name_or_path or name_or_path.endswith(SUFFIXES):
        return _load(Path(name_or_path))
    return named_profile(name_or_path)


def named_profile(name: str) -> Profile:
    """The profile of that name; ``Invalid`` lists those there are. Never follows a path."""
    paths = _paths()
    if name not in paths:
        raise Invalid(
            f"There is no import profile “{name}”.",
            hint=f"Known: {', '.join(sorted(paths)) or 'none'}.",
            errors={"profile": [f"There is no import profile “{name}”. Known: {', '.join(sorted(paths)) or 'none'}."]},
        )
    return _load(paths[name])


def all_profiles() -> list[Profile]:
    """Every profile that can be read, by title. One that is wrong is left out: loading it by name says why."""
    found = []
    for path in _paths().values():
        try:
            found.append(_load(path))
        except ProfileError:
            continue
    return sorted(found, key=lambda profile: profile.title.casefold())


def _paths() -> dict[str, Path]:
    """Name -> file. A profile of the operator's does not hide one of ours."""
    found: dict[str, Path] = {}
    for folder in (SHIPPED, own_profiles()):
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if path.suffix in SUFFIXES and not path.name.startswith("."):
                    found.setdefault(path.stem, path)
    return found


def _load(path: Path) -> Profile:
    try:
        stat = path.stat()
        return _parsed(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        said = f"The profile {path} cannot be read: {error.strerror}."
        raise Invalid(said, errors={"profile": [said]}) from error


@lru_cache(maxsize=32)
def _parsed(path: Path, changed: int, size: int) -> Profile:
    return parse_profile(path.read_bytes(), path.name)
