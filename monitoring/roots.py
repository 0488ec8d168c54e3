"""Files that sources may read: below the folders that an operator named in TOLLGATE_SOURCE_ROOTS, nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from monitoring.connector import ConnectorError

MOST_FILES = 100_000


def path_problems(path: str) -> list[str]:
    """What is wrong with a path that somebody typed in; whether it exists is only known when it is read."""
    given = Path(path)
    if given.is_absolute() or ".." in given.parts or "\x00" in path or "~" in given.parts[:1]:
        return [_("Give a path below the configured folders, such as exports/metrics.csv.")]
    if any("**" in part for part in given.parts):
        return [_("“**” is not accepted: name the folder.")]
    return []


def found(pattern: str, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """The files that a path, a folder or a pattern (``exports/*.parquet``) names, by path.

    Links are followed before it is checked where a file lies. Raises ``ConnectorError``.
    """
    given = False
    for root in _roots():
        for path in _matching(root, pattern):
            given = True
            yield from _files(root, path, suffixes)
    if not given:
        raise ConnectorError("content", _("There is no file or folder %(path)s.") % {"path": pattern})


def one(path: str) -> Path:
    """The file of that path. Raises ``ConnectorError``."""
    for root in _roots():
        file = root / path
        if file.is_file():
            return _inside(root, file)
    raise ConnectorError("content", _("There is no file %(path)s.") % {"path": path})


def _roots() -> list[Path]:
    roots = [Path(text).resolve() for text in settings.SOURCE_ROOTS if str(text).strip()]
    if not roots:
        raise ConnectorError(
            "refused", _("This installation reads no files: an operator names folders in TOLLGATE_SOURCE_ROOTS.")
        )
    return roots


def _matching(root: Path, pattern: str) -> Iterator[Path]:
    if any(sign in pattern for sign in "*?["):
        yield from sorted(root.glob(pattern))
    elif (root / pattern).exists():
        yield root / pattern


def _files(root: Path, path: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    listed = sorted(path.iterdir()) if path.is_dir() else [path]
    if len(listed) > MOST_FILES:
        raise ConnectorError("content", _("The folder holds more than %(most)d files.") % {"most": MOST_FILES})
    for file in listed:
        # A name that begins with a dot or an underscore is not finished yet, by the habit of those who write exports.
        if file.is_file() and file.suffix.lower() in suffixes and file.name[0] not in "._":
            yield _inside(root, file)


def _inside(root: Path, file: Path) -> Path:
    real = file.resolve()
    own = Path(settings.TOLLGATE_DATA_DIR).resolve()
    if not real.is_relative_to(root) or (real.is_relative_to(own) and not root.is_relative_to(own)):
        raise ConnectorError("refused", _("%(name)s leads out of the configured folders.") % {"name": file.name})
    return real
