"""A profile as JSON: for storing, for sending, and for its digest.

Floats are spelled as ``float.hex`` and sums as exact whole numbers, so reading gives back what was written and two
machines agree on the digest. Counts travel as little-endian whole numbers in base64, or, from whoever makes a profile
elsewhere, as pairs of cell and count.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.profiles.columns import Categories, Column, Counts, Numbers, compact
from monitoring.profiles.errors import ProfileError
from monitoring.profiles.exact import exact, read, spelled
from monitoring.profiles.frame import MOST_VALUES, ColumnFrame, Frame, number
from monitoring.profiles.profile import Profile

FORMAT = "tollgate-profile/1"
MOST_BYTES = 256 * 1024 * 1024
"""Of a profile, unpacked."""
MOST_ROWS = 2**53 - 1
_MAGIC = b"TGP1"
_WHOLE = ("n", "nulls", "nans", "below", "above", "wrong", "off", "under", "over")
_SUMS = ("total", "under_by", "over_by")


def as_json(profile: Profile) -> dict[str, Any]:
    """The profile as plain JSON values."""
    return {
        "format": FORMAT,
        "rows": profile.rows,
        "unframed": sorted(profile.unframed),
        "missing": sorted(profile.missing),
        "columns": [column_as_json(column) for column in profile.columns.values()],
    }


def from_json(told: Any) -> Profile:
    """The profile that was sent. Raises ``ProfileError`` that names the column and what is wrong with it."""
    if not isinstance(told, Mapping) or told.get("format") != FORMAT:
        raise ProfileError(f"a profile is an object with the format {FORMAT}")
    rows, listed = _whole(told, "rows", "rows"), told.get("columns")
    if not isinstance(listed, list) or not all(isinstance(column, Mapping) for column in listed):
        raise ProfileError("columns is a list of objects")
    columns: dict[str, Column] = {}
    for column in listed:
        found = column_from_json(column)
        name = found.frame.name
        if name in columns:
            raise ProfileError("the column is there twice", name)
        if found.rows != rows:
            raise ProfileError(f"it counts {found.rows} rows where the profile has {rows}", name)
        columns[name] = found
    Frame.of(column.frame for column in columns.values())
    return Profile(rows, columns, _names(told, "unframed"), _names(told, "missing"))


def digest(profile: Profile) -> str:
    """SHA-256 of the profile, whatever the order of its columns and however its counts are packed."""
    told = as_json(profile)
    told["columns"] = sorted(
        (_for_digest(column, profile.columns[column["frame"]["name"]]) for column in told["columns"]),
        key=lambda column: str(column["frame"]["name"]),
    )
    return hashlib.sha256(_bytes(told)).hexdigest()


def pack(profile: Profile) -> bytes:
    """For storing: some kilobytes a column, each of which can be read by itself.

    ``TGP1``, the length of the index in four bytes, the index, the columns. The index names the columns with their
    lengths, and says what the profile says of itself; all of it is compressed JSON.
    """
    columns = {name: zlib.compress(_bytes(column_as_json(column)), 6) for name, column in profile.columns.items()}
    head = as_json(Profile(profile.rows, {}, profile.unframed, profile.missing))
    index = zlib.compress(_bytes({"head": head, "columns": [[name, len(body)] for name, body in columns.items()]}), 6)
    return b"".join((_MAGIC, len(index).to_bytes(4, "big"), index, *columns.values()))


def unpack(packed: bytes) -> Profile:
    """What ``pack`` wrote. Raises ``ProfileError``."""
    head, places = _index(packed)
    head["columns"] = [_unpacked(packed[start:end]) for start, end in places.values()]
    return from_json(head)


def unpack_column(packed: bytes, name: str) -> Column | None:
    """One column of what ``pack`` wrote, without reading the others. Raises ``ProfileError``."""
    _head, places = _index(packed)
    if name not in places:
        return None
    start, end = places[name]
    return column_from_json(_unpacked(packed[start:end]))


def _index(packed: bytes) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    start = len(_MAGIC) + 4 + int.from_bytes(packed[len(_MAGIC) : len(_MAGIC) + 4], "big")
    if not packed.startswith(_MAGIC) or start > len(packed):
        raise ProfileError("what is stored is no profile")
    told = _unpacked(packed[len(_MAGIC) + 4 : start])
    places = {}
    for name, length in told["columns"]:
        places[str(name)] = (start, start + length)
        start += length
    if start != len(packed):
        raise ProfileError("the profile is cut off")
    return dict(told["head"]), places


def _unpacked(packed: bytes) -> dict[str, Any]:
    machine = zlib.decompressobj()
    try:
        text = machine.decompress(packed, MOST_BYTES)
        if machine.unconsumed_tail or not machine.eof:
            raise ProfileError("the profile is too large or cut off")
        return dict(json.loads(text))
    except (zlib.error, ValueError) as error:
        raise ProfileError(f"the profile cannot be read ({error})") from None


def column_as_json(column: Column) -> dict[str, Any]:
    told: dict[str, Any] = {"frame": column.frame.as_json(), "seen_as": sorted(column.seen_as), "nulls": column.nulls}
    if isinstance(column, Categories):
        return told | {"counts": dict(sorted(column.counts.items())), "other": column.other, "crowded": column.crowded}
    told |= {name: getattr(column, name) for name in _WHOLE}
    told |= {name: spelled(getattr(column, name)) for name in _SUMS}
    told["squares"] = None if column.squares is None else spelled(column.squares)
    told["least"] = None if column.least is None else column.least.hex()
    told["greatest"] = None if column.greatest is None else column.greatest.hex()
    counts = compact(column.counts)
    told["counts"] = {"bytes": counts.itemsize, "data": base64.b64encode(counts.tobytes()).decode()}
    return told


def column_from_json(told: Mapping[str, Any]) -> Column:
    frame = ColumnFrame.from_json(told.get("frame") or {})
    seen_as = _names(told, "seen_as")
    if frame.lattice is None:
        return _categories(frame, told, seen_as)
    whole = {name: _whole(told, name, frame.name) for name in _WHOLE}
    try:
        sums = {name: _sum(told.get(name)) for name in _SUMS}
        squares = None if told.get("squares") is None else _sum(told["squares"])
        ends = [None if told.get(name) is None else number(told[name]) for name in ("least", "greatest")]
    except (ValueError, OverflowError) as error:
        raise ProfileError(str(error), frame.name) from None
    if squares is not None and squares < 0:
        raise ProfileError("a sum of squares is not negative", frame.name)
    counts = _counts(told.get("counts"), frame)
    if int(counts.sum()) + whole["under"] + whole["over"] != whole["n"]:
        raise ProfileError("the counts of its cells, under and over do not add up to n", frame.name)
    if whole["n"] and (ends[0] is None or ends[1] is None or not ends[0] <= ends[1]):
        raise ProfileError("least and greatest are needed, in this order", frame.name)
    least, greatest = ends if whole["n"] else (None, None)
    return Numbers(
        frame=frame,
        counts=compact(counts),
        squares=squares,
        least=least,
        greatest=greatest,
        seen_as=seen_as,
        **whole,
        **sums,
    )


def _categories(frame: ColumnFrame, told: Mapping[str, Any], seen_as: frozenset[str]) -> Categories:
    given = told.get("counts")
    if not isinstance(given, Mapping) or not all(isinstance(value, str) and _is_count(n) for value, n in given.items()):
        raise ProfileError("counts are whole numbers by value", frame.name)
    if len(given) > MOST_VALUES:
        raise ProfileError(f"it has more than {MOST_VALUES} different values; count the rest in other", frame.name)
    return Categories(
        frame,
        dict(given),
        nulls=_whole(told, "nulls", frame.name),
        other=_whole(told, "other", frame.name),
        crowded=bool(told.get("crowded", False)),
        seen_as=seen_as,
    )


def _counts(given: Any, frame: ColumnFrame) -> Counts:
    assert frame.lattice is not None
    cells = frame.lattice.cells
    if isinstance(given, Mapping):
        kind = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<i8"}.get(given.get("bytes"))  # type: ignore[arg-type]  # anything may come
        try:
            found: NDArray[Any] = np.frombuffer(base64.b64decode(str(given.get("data")), validate=True), dtype=kind)
        except (binascii.Error, ValueError):
            found = np.empty(0)
        if kind is None or len(found) != cells or (len(found) and found.min() < 0):
            raise ProfileError(f"its counts are not {cells} whole numbers in base64", frame.name)
        return found.astype(np.int64)
    if isinstance(given, list) and all(_is_pair(pair, cells) for pair in given):
        counts = np.zeros(cells, dtype=np.int64)
        for cell, count in given:
            counts[cell] += count
        return counts
    raise ProfileError(f"counts are pairs of a cell (0 to {cells - 1}) and a count", frame.name)


def _is_pair(pair: object, cells: int) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(map(_is_count, pair)) and pair[0] < cells


def _is_count(given: object) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MOST_ROWS


def _whole(told: Mapping[str, Any], name: str, where: str) -> int:
    given = told.get(name, 0)
    if not _is_count(given):
        raise ProfileError(f"{name} is a whole number from 0 on", where)
    return int(given)


def _sum(given: Any) -> int:
    """As ``spelled``, or a plain number from whoever summed up elsewhere."""
    if isinstance(given, str):
        return read(given)
    return exact(number(0 if given is None else given))


def _names(told: Mapping[str, Any], name: str) -> frozenset[str]:
    given = told.get(name) or []
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise ProfileError(f"{name} is a list of names")
    return frozenset(given)


def _for_digest(told: dict[str, Any], column: Column) -> dict[str, Any]:
    if isinstance(column, Numbers):
        return told | {"counts": hashlib.sha256(column.counts.astype("<i8").tobytes()).hexdigest()}
    return told


def _bytes(told: Mapping[str, Any] | Iterable[Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
