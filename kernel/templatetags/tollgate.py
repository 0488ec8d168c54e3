"""Tags and filters of the interface: icons, time, numbers, people, text, form rows and small drawings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zlib import crc32

import nh3
from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.http import QueryDict
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from markdown_it import MarkdownIt

from kernel import drawings

register = template.Library()

TONES = {
    **dict.fromkeys(("met", "success", "in_force", "passed", "signed", "approved", "ok", "go"), "met"),
    **dict.fromkeys(("missing", "stale", "warning", "at_risk", "due", "pending", "limited"), "attention"),
    **dict.fromkeys(("not_met", "error", "blocked", "breached", "rejected", "reapproval_required", "stop"), "blocked"),
    **dict.fromkeys(("waived", "info", "open", "running", "current"), "info"),
}
AVATAR_TONES = 5

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
_MARKDOWN_TAGS = nh3.ALLOWED_TAGS - {"img", "map", "area"}

_UNITS: tuple[tuple[int, str], ...] = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """An icon of the sprite. Without `label` it is decoration, hidden from screen readers. `size`: "", "lg" or "xl"."""
    return _icon(name, str(label), size)


@lru_cache(maxsize=1024)  # a page draws hundreds, of which few differ
def _icon(name: str, label: str, size: str) -> SafeString:
    address = f"{static('icons.svg')}#{name}"
    classes = f"icon icon--{size}" if size else "icon"
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}"><use href="{}"/></svg>', classes, label, address)
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', classes, address)


@register.filter
def tone(state: object) -> str:
    """The hue of a state word: met, attention, blocked, info or neutral."""
    return TONES.get(str(state), "neutral")


# -- Time ------------------------------------------------------------------------------------------------------------


@register.filter
def ago(value: date | datetime | None) -> str:
    """An absolute date with the relative one beside it: "3 Nov 2026, 18 days ago". Nothing for no date."""
    if value is None or value == "":
        return ""
    return format_html(
        '<time datetime="{}" title="{}"><span>{},</span> <span class="faint">{}</span></time>',
        _iso(value),
        _exact(value),
        _absolute(value),
        relative(value),
    )


@register.filter
def day(value: date | datetime | None) -> str:
    """The absolute date alone, for places too narrow for both; the exact moment is its tooltip."""
    if value is None or value == "":
        return ""
    return format_html('<time datetime="{}" title="{}">{}</time>', _iso(value), _exact(value), _absolute(value))


@register.filter
def relative(value: date | datetime | None) -> str:
    """How long ago or how far ahead, in the one unit that matters: "18 days ago", "in 2 hours", "today"."""
    if value is None or value == "":
        return ""
    if not isinstance(value, datetime):
        days = (value - timezone.localdate()).days
        return _("today") if days == 0 else _in_words(abs(days) * 86_400, ahead=days > 0)
    seconds = int((_aware(value) - timezone.now()).total_seconds())
    return _("just now") if abs(seconds) < 60 else _in_words(abs(seconds), ahead=seconds > 0)


@register.filter
def duration(value: timedelta | float | None) -> str:
    """A length of time (timedelta or seconds) in its two largest units: "3 d 4 h", "12 min"."""
    if value is None or value == "":
        return ""
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    rest = int(abs(seconds))
    parts: list[str] = []
    for size, name in _UNITS:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
        if len(parts) == 2:
            break
    text = " ".join(part for part in parts if part)
    if not text:
        return f"{seconds * 1000:.0f} ms" if seconds else "0 s"
    return f"−{text}" if seconds < 0 else text


# -- Numbers, people, text -------------------------------------------------------------------------------------------


@register.filter
def decimal(value: object) -> str:
    """A number as people write it: no exponent, no trailing zeros. What is no number is shown as it is."""
    if value is None or value == "":
        return ""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not number.is_finite():
        return str(value)
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


@register.filter
def grouped(value: object) -> str:
    """A sum or a count as people write it: 465,000."""
    text = decimal(value)
    whole, point, rest = text.partition(".")
    digits = whole.removeprefix("-")
    return f"{whole[: -len(digits)]}{int(digits):,}{point}{rest}" if digits.isdecimal() else text


@register.filter
def initials(name: object) -> str:
    """Two letters that stand for a person: first and last name, or the start of an address."""
    words = str(name).partition("@")[0].replace(".", " ").replace("_", " ").split()
    if not words:
        return "?"
    letters = words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]
    return letters.upper()


@register.filter
def avatar_tone(name: object) -> int:
    """One of the avatar colours, always the same for the same name."""
    return crc32(str(name).encode()) % AVATAR_TONES


@register.filter
def markdown(text: object) -> SafeString:
    """Text that a person wrote, as HTML: Markdown without raw HTML or images, then cleaned once more."""
    html = nh3.clean(_markdown.render(str(text or "")), tags=_MARKDOWN_TAGS, link_rel="noopener noreferrer nofollow")
    return mark_safe(html)  # noqa: S308  # nosec B308 B703


@register.filter
def short_digest(digest: object) -> str:
    """The first twelve characters of a digest; the whole of it stays in the tooltip and the copy button."""
    return str(digest or "")[:12]


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """`mapping|get:key`: what a mapping holds for a key that is itself a variable."""
    return mapping.get(key) if mapping is not None else None


@register.simple_tag
def query(params: QueryDict, **changes: Any) -> str:
    """`?…` with some parameters of an address changed; None or "" removes one. The page number never survives."""
    changed = params.copy()
    changed.pop("page", None)
    for name, value in changes.items():
        if value in (None, ""):
            changed.pop(name, None)
        else:
            changed[name] = str(value)
    return f"?{changed.urlencode()}"


# -- Form rows and drawings ------------------------------------------------------------------------------------------


@register.inclusion_tag("components/form_row.html")
def form_row(field: BoundField, label: str = "", help: str = "", unit: str = "") -> dict[str, Any]:
    """One field with label, help, error and optional mark. See templates/components/form_row.html."""
    widget = field.field.widget
    return {
        "field": field,
        "label": label or field.label,
        "help": help or field.help_text,
        "unit": unit,
        "optional": not (field.field.required or getattr(field.field, "one_of_several", False)),
        "is_check": isinstance(widget, CheckboxInput),
        "is_group": isinstance(widget, RadioSelect | CheckboxSelectMultiple),
        "is_file": getattr(widget, "input_type", "") == "file",
    }


@register.inclusion_tag("components/sparkline.html")
def sparkline(
    points: Sequence[float | Decimal | None],
    baseline: float | Decimal | None = None,
    threshold: float | Decimal | None = None,
    label: str = "",
    breached: bool = False,
) -> dict[str, Any]:
    """A line of one word's size, drawn on the server. `points` oldest first; None leaves a gap."""
    # What a template does not find is an empty text: a series without a rule has no threshold.
    lines = [None if line == "" else line for line in (baseline, threshold)]
    return {**drawings.sparkline(points, *lines), "label": label, "breached": breached}


@register.inclusion_tag("components/split_bar.html")
def split_bar(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One bar divided by state. `parts`: dicts of `state` (or `tone`), `count`, `label`."""
    shown = [{**part, "tone": part.get("tone") or tone(part.get("state"))} for part in parts if part["count"]]
    return {"parts": drawings.split(shown), "total": sum(part["count"] for part in shown)}


# -- Helpers ---------------------------------------------------------------------------------------------------------


def _in_words(seconds: int, *, ahead: bool) -> str:
    if seconds < 3_600:
        count = max(seconds // 60, 1)
        text = ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}
    elif seconds < 86_400:
        count = seconds // 3_600
        text = ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}
    elif seconds < 90 * 86_400:
        count = seconds // 86_400
        text = ngettext("%(count)d day", "%(count)d days", count) % {"count": count}
    elif seconds < 730 * 86_400:
        count = seconds // (30 * 86_400)
        text = ngettext("%(count)d month", "%(count)d months", count) % {"count": count}
    else:
        count = seconds // (365 * 86_400)
        text = ngettext("%(count)d year", "%(count)d years", count) % {"count": count}
    return _("in %(span)s") % {"span": text} if ahead else _("%(span)s ago") % {"span": text}


def _aware(value: datetime) -> datetime:
    return value if timezone.is_aware(value) else timezone.make_aware(value)


def _absolute(value: date | datetime) -> str:
    """The date, and the time too while it is less than two days away."""
    shown = timezone.localtime(_aware(value)) if isinstance(value, datetime) else value
    text = formats.date_format(shown, "j M Y")
    if isinstance(value, datetime) and abs(timezone.now() - _aware(value)) < timedelta(days=2):
        text += formats.date_format(shown, " H:i")
    return text


def _exact(value: date | datetime) -> str:
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(_aware(value)), "j F Y, H:i:s e")
    return formats.date_format(value, "l j F Y")


def _iso(value: date | datetime) -> str:
    return _aware(value).isoformat() if isinstance(value, datetime) else value.isoformat()
