"""A pushed batch as it comes over the wire: read, and checked in one pass without an object per point.

JSON (``[…]`` or ``{"points": […]}``) or NDJSON, a point a line. A point names its series by id, or by use case,
metric, segment and version; what all points share may stand beside ``points`` once. The first mistake refuses the
whole batch and is named by its place: ``points[4]`` counts from 0, ``line 5`` from 1.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple, NoReturn, TypeAlias

import orjson
from django.utils.translation import gettext as _

from kernel.errors import DomainError, Invalid

MAX_BYTES = 10 * 1024 * 1024
MAX_POINTS = 100_000
CLOCK_SKEW = timedelta(minutes=5)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
MAX_STEP = 2**53 - 1
MAX_N = 2**31 - 1
LONGEST_NAME = 100
LARGEST = 1e300
"""Beyond it the sum of many points, and so their mean, would be no number."""

NAMES = ("series", "use_case", "metric", "segment", "version")
SHARED = frozenset({*NAMES, "unit"})
FIELDS = SHARED | {"time", "value", "step", "n"}


class TooLarge(DomainError):
    """The body is larger than is taken at once."""

    status = 413
    code = "too_large"


class Address(NamedTuple):
    """Which series a point belongs to: ``series`` alone, or the use case's key with metric, segment and version."""

    series: int | None = None
    use_case: str = ""
    metric: str = ""
    segment: str = ""
    version: str = ""


Entry: TypeAlias = tuple[int, str, int, float, int | None]
"""A checked point: index of its address, time (UTC as text that sorts and that both databases take), step, value, n."""


@dataclass(slots=True)
class Batch:
    """Points that are each well-formed. ``addresses`` are the different series they name, ``units`` as claimed."""

    entries: list[Entry]
    addresses: list[Address]
    units: dict[int, tuple[str, int]]
    """address -> the unit a point claimed, and the index of that point"""
    by_line: bool = False

    def refuse(self, index: int, field: str, reason: str) -> NoReturn:
        refuse(index, field, reason, by_line=self.by_line)


def refuse(index: int, field: str, reason: str, *, by_line: bool) -> NoReturn:
    """Raise ``Invalid`` that names the point and the field."""
    place = f"line {index + 1}" if by_line else f"points[{index}]"
    where = f"{place}.{field}" if field else place
    said = _("%(place)s: %(reason)s Nothing of the batch was stored.") % {"place": where, "reason": reason}
    raise Invalid(said, errors={where: [reason]})


def unpack(body: bytes, encoding: str) -> bytes:
    """The body without its content encoding. ``TooLarge`` past 10 MB, packed or not."""
    if len(body) > MAX_BYTES:
        raise too_large()
    if encoding in {"", "identity"}:
        return body
    if encoding != "gzip":
        raise Invalid(_("Content-Encoding may be gzip, not %(encoding)s.") % {"encoding": encoding})
    unzip = zlib.decompressobj(wbits=31)
    try:
        plain = unzip.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise Invalid(_("The body is not gzip.")) from error
    if len(plain) > MAX_BYTES:
        raise too_large()
    if not unzip.eof:
        raise Invalid(_("The gzip body ends too early."))
    return plain


def read(body: bytes, *, by_line: bool, now: datetime) -> Batch:
    """Parse and check a body. Raises ``Invalid`` that names the first mistake."""
    if by_line:
        return check(lines_of(body), now=now, by_line=True)
    points, shared = listed(body, "points", SHARED)
    return check(points, now=now, shared=shared)


def listed(body: bytes, name: str, may_share: Set[str]) -> tuple[list[Any], dict[str, Any]]:
    """The list that a JSON body is, or holds under ``name`` beside what all of it shares. ``Invalid`` for any other."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        said = _("The body is not JSON: %(what)s at line %(line)d, column %(column)d.")
        raise Invalid(said % {"what": error.msg, "line": error.lineno, "column": error.colno}) from error
    if isinstance(content, list):
        return content, {}
    if not isinstance(content, dict) or not isinstance(content.get(name), list):
        raise Invalid(_("Give a list of %(name)s, or an object with “%(name)s”.") % {"name": name})
    shared = {key: value for key, value in content.items() if key != name}
    if unknown := sorted(shared.keys() - may_share):
        raise Invalid(_("Beside “%(name)s” there is no %(names)s.") % {"name": name, "names": ", ".join(unknown)})
    return content[name], shared


def check(
    points: Sequence[Any], *, now: datetime, shared: Mapping[str, Any] | None = None, by_line: bool = False
) -> Batch:
    """Check every point once; ``shared`` is what a point takes when it does not say it itself."""
    if not points:
        raise Invalid(_("There are no points."))
    if len(points) > MAX_POINTS:
        raise TooLarge(_("Send at most %(most)d points at once.") % {"most": MAX_POINTS})
    batch = Batch([], [], {}, by_line)
    check = _Check(batch, latest=now + CLOCK_SKEW)
    if shared:
        points = [{**shared, **point} if isinstance(point, Mapping) else point for point in points]
    batch.entries = check.alike(points) or [check.entry(index, point) for index, point in enumerate(points)]
    return batch


def check_each(points: Sequence[Any], *, now: datetime) -> tuple[Batch, list[int], dict[int, str]]:
    """For senders of whom the rest is taken when something is wrong: the batch of what is well-formed, the places in
    ``points`` that its entries come from, and why the others are refused.
    """
    batch, kept, refused = Batch([], [], {}), list[int](), dict[int, str]()
    check = _Check(batch, latest=now + CLOCK_SKEW)
    for index, point in enumerate(points):
        try:
            batch.entries.append(check.entry(index, point))
            kept.append(index)
        except Invalid as error:
            refused[index] = reason_of(error)
    return batch, kept, refused


def reason_of(error: Invalid) -> str:
    """The mistake itself, without the place and what follows from it."""
    return str(next(iter(error.errors.values()), [error.message])[0])


def time_text(moment: datetime) -> str:
    """A time in UTC as stored text: ``2026-11-21 10:00:00`` with microseconds only where there are some."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(" ")[:-6]  # without the offset, which is +00:00


class _Check:
    """The checks of one batch; what is expected is tested first, what else it may be only when it is not."""

    __slots__ = ("batch", "indexes", "latest", "times")

    def __init__(self, batch: Batch, *, latest: datetime) -> None:
        self.batch = batch
        self.latest = latest
        self.indexes: dict[tuple[Any, ...], int] = {}
        self.times: dict[Any, str] = {}  # points of several series often share their times

    def alike(self, points: Sequence[Any]) -> list[Entry] | None:
        """The entries of points that all have the same fields, checked a column at a time: a tenth of the work.

        None if anything is out of the ordinary: whoever then checks point by point finds out what, and names it.
        """
        try:
            names = tuple(points[0])
            if not {"time", "value"} <= set(names) <= FIELDS or set(map(len, points)) != {len(names)}:
                return None
            columns = dict(zip(names, zip(*map(itemgetter(*names), points), strict=True), strict=True))
            if "unit" in columns or not set(map(type, columns.get("series", ()))) <= {int}:
                return None
            numbers = _numbers(columns["value"])
            steps = _whole(columns.get("step"), -MAX_STEP, MAX_STEP)
            counts = columns.get("n") or repeat(None)
            if numbers is None or steps is None or not _are_counts(columns.get("n", ())):
                return None
            addresses = self.addresses(columns)
            for given in set(columns["time"]):
                self.moment(0, given)
        except (AttributeError, KeyError, TypeError, OverflowError, Invalid):
            self.forget()
            return None
        times = map(self.times.__getitem__, columns["time"])
        return list(zip(addresses, times, steps, numbers, counts))  # noqa: B905  # some of them repeat for ever

    def addresses(self, columns: Mapping[str, Sequence[Any]]) -> Iterator[int]:
        """The index of each point's address; most batches name the series in one column."""
        given = [name for name in NAMES if name in columns]
        if len(given) == 1:
            named: Sequence[Any] = columns[given[0]]
            whole = {one: tuple(one if name == given[0] else None for name in NAMES) for one in dict.fromkeys(named)}
        else:
            named = list(zip(*(columns[name] for name in given), strict=True))
            whole = {one: tuple(map(dict(zip(given, one, strict=True)).get, NAMES)) for one in dict.fromkeys(named)}
        indexes = {one: self.place(0, names) for one, names in whole.items()}
        return map(indexes.__getitem__, named)

    def entry(self, index: int, point: Any) -> Entry:
        batch = self.batch
        try:
            if not point.keys() <= FIELDS:
                _refuse_unknown(batch, index, point)
            address = self.address(index, point)
            value = point["value"]
            if type(value) is not float or not -LARGEST <= value <= LARGEST:
                value = self.number(index, value)
            given = point["time"]
            time = self.times.get(given) or self.moment(index, given)
            step, n = point.get("step", 0), point.get("n")
            if step.__class__ is not int or not -MAX_STEP <= step <= MAX_STEP:
                batch.refuse(index, "step", _("It is not a whole number within ±(2^53 - 1)."))
            if n is not None and (n.__class__ is not int or not 0 <= n <= MAX_N):
                batch.refuse(index, "n", _("It is not a count."))
            if "unit" in point:
                self.claim_unit(index, address, point["unit"])
        except KeyError as missing:
            batch.refuse(index, str(missing.args[0]), _("It is missing."))
        except (AttributeError, TypeError):
            batch.refuse(index, "", _("It is not an object with time and value."))
        return address, time, step, value, n

    def address(self, index: int, point: Mapping[str, Any]) -> int:
        get = point.get
        named = (get("series"), get("use_case"), get("metric"), get("segment"), get("version"))
        if named[0] is not None and named[0].__class__ is not int:  # else True would be found under 1
            self.batch.refuse(index, "series", _("It is not the number of a series."))
        known = self.indexes.get(named)
        if known is None:
            known = self.indexes[named] = self.place(index, named)
        return known

    def place(self, index: int, named: tuple[Any, ...]) -> int:
        self.batch.addresses.append(_address(self.batch, index, named))
        return len(self.batch.addresses) - 1

    def forget(self) -> None:
        self.batch.addresses.clear()
        self.indexes.clear()

    def number(self, index: int, value: object) -> float:
        if type(value) is int and -LARGEST <= value <= LARGEST:
            return float(value)
        if isinstance(value, float) and not math.isfinite(value):
            self.batch.refuse(index, "value", _("It is not a finite number."))
        if isinstance(value, float | int) and not isinstance(value, bool):
            self.batch.refuse(index, "value", _("It is larger than a point can be (±1e300)."))
        said = _("It is text; give a number.") if isinstance(value, str) else _("It is not a number.")
        return self.batch.refuse(index, "value", said)

    def moment(self, index: int, given: object) -> str:
        moment = given
        if isinstance(given, str):
            try:
                moment = datetime.fromisoformat(given)
            except ValueError:
                moment = None
        if not isinstance(moment, datetime):
            self.batch.refuse(index, "time", _("It is not a time; give ISO 8601, such as 2026-11-21T10:00:00Z."))
        if moment.tzinfo is None:
            self.batch.refuse(index, "time", _("It has no time zone; end it with Z or an offset."))
        if moment > self.latest:
            self.batch.refuse(index, "time", _("It is more than 5 minutes in the future."))
        if moment < EARLIEST:
            self.batch.refuse(index, "time", _("It is before the year 2000."))
        text = self.times[given] = _as_stored(given) or time_text(moment)
        return text

    def claim_unit(self, index: int, address: int, unit: object) -> None:
        if not isinstance(unit, str):
            self.batch.refuse(index, "unit", _("It is not text."))
        claimed = self.batch.units.setdefault(address, (unit, index))
        if claimed[0] != unit:
            said = _("The batch gives two units for this series: %(a)s and %(b)s.")
            self.batch.refuse(index, "unit", said % {"a": claimed[0], "b": unit})


def _as_stored(given: object) -> str:
    """The usual spellings in UTC, 2026-11-21T10:00:00 with Z or +00:00, without a detour; "" for any other."""
    if type(given) is str and given[10:11] == "T" and given[4] == given[7] == "-" and given[19:] in {"Z", "+00:00"}:
        return f"{given[:10]} {given[11:19]}"
    return ""


def _numbers(column: Sequence[Any]) -> Sequence[float] | None:
    """The column as floats; None if something in it is no number that is taken."""
    kinds = set(map(type, column))
    if not kinds <= {float, int}:
        return None
    numbers = column if kinds == {float} else tuple(map(float, column))
    # NaN would hide in the least and the greatest, but not in the sum.
    fits = math.isfinite(sum(numbers)) and min(numbers) >= -LARGEST and max(numbers) <= LARGEST
    return numbers if fits else None


def _whole(column: Sequence[Any] | None, least: int, greatest: int) -> Iterable[int] | None:
    if column is None:
        return repeat(0)
    return column if set(map(type, column)) == {int} and least <= min(column) and max(column) <= greatest else None


def _are_counts(column: Sequence[Any]) -> bool:
    return all(n is None or (n.__class__ is int and 0 <= n <= MAX_N) for n in column)


def lines_of(body: bytes) -> list[Any]:
    lines = body.split(b"\n")
    if lines and not lines[-1].strip():
        lines.pop()
    if all(map(_is_one_object, lines)):
        try:
            points = orjson.loads(b"[%b]" % b",".join(lines))
        except orjson.JSONDecodeError:
            return _each(lines)
        if len(points) == len(lines):  # fewer: the text of one line went on in the next
            return list(points)
    return _each(lines)


def _is_one_object(line: bytes) -> bool:
    """Whether a line looks like one flat object: many such lines are read at once, joined by commas."""
    return line.count(b"{") == 1 and line[:1] == b"{" and line.rstrip()[-1:] == b"}" and line.count(b"}") == 1


def _each(lines: Sequence[bytes]) -> list[Any]:
    points = []
    for index, line in enumerate(lines):
        try:
            points.append(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            refuse(index, "", _("It is not JSON: %(what)s.") % {"what": error.msg}, by_line=True)
    return points


def _address(batch: Batch, index: int, named: tuple[Any, ...]) -> Address:
    series, *words = named
    if series is not None:
        if type(series) is not int:
            batch.refuse(index, "series", _("It is not the number of a series."))
        if any(word is not None for word in words):
            batch.refuse(index, "series", _("Name the series by its number or by use case and metric, not both."))
        return Address(series)
    for name, word in zip(("use_case", "metric", "segment", "version"), words, strict=True):
        if word is not None and not isinstance(word, str):
            batch.refuse(index, name, _("It is not text."))
        if word is not None and (len(word) > LONGEST_NAME or "\x00" in word):
            batch.refuse(index, name, _("It is longer than %(most)d characters.") % {"most": LONGEST_NAME})
    if not words[0] or not words[1]:
        missing = "use_case" if words[1] else "metric" if words[0] else "series"
        batch.refuse(index, missing, _("Name the series by its number, or by use case and metric."))
    return Address(None, *(word or "" for word in words))


def _refuse_unknown(batch: Batch, index: int, point: Mapping[str, Any]) -> NoReturn:
    name = min(point.keys() - FIELDS)
    batch.refuse(index, str(name), _("There is no such field."))


def too_large() -> TooLarge:
    return TooLarge(_("The body is larger than 10 MB."), hint=_("Send the points in several batches."))
