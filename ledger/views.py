"""The ledger as a person reads it: the timeline with its filters and exports, and one event with its proof."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from kernel.exports import EXPORT_FORMATS, export_rows
from kernel.htmx import render
from kernel.tables import Column
from ledger import access, lookups, wording
from ledger.filters import EventFilter
from ledger.models import Event, EventQuerySet
from ledger.selectors import EventPage, page, personal_values

SYSTEM_NAME = gettext_lazy("Tollgate")
EXPORT_BATCH = 500

EXPORT_COLUMNS = (
    Column("index", gettext_lazy("Index")),
    Column("at", gettext_lazy("At (UTC)")),
    Column("action", gettext_lazy("Action")),
    Column("subject_type", gettext_lazy("Subject type")),
    Column("subject_id", gettext_lazy("Subject")),
    Column("subject_label", gettext_lazy("Subject label")),
    Column("use_case", gettext_lazy("Use case")),
    Column("unit", gettext_lazy("Unit")),
    Column("actor_id", gettext_lazy("Actor")),
    Column("actor", gettext_lazy("Actor's name")),
    Column("actor_kind", gettext_lazy("Actor kind")),
    Column("auth_method", gettext_lazy("Authentication method")),
    Column("request_id", gettext_lazy("Request id")),
    Column("before_digest", gettext_lazy("Digest before")),
    Column("after_digest", gettext_lazy("Digest after")),
    Column("leaf_hash", gettext_lazy("Leaf hash")),
    Column("changes", gettext_lazy("Changes (JSON)")),
    Column("note", gettext_lazy("Note")),
)


@require_safe
@login_required
def events(request: HttpRequest) -> HttpResponseBase:
    """The timeline, newest first."""
    found = EventFilter(request.GET, queryset=_readable(request))
    asked = request.GET.get("export", "")
    if asked in EXPORT_FORMATS and found.form.is_valid():
        return export_rows(asked, "ledger", EXPORT_COLUMNS, _export(found.qs.order_by("-index")))
    valid = found.form.is_valid()
    shown = page(found.qs, before=_index(request, "before"), after=_index(request, "after")) if valid else NO_EVENTS
    context = {
        "form": found.form,
        "timeline": _timeline(shown.events),
        "newer_url": _page_url(request, after=shown.newer),
        "older_url": _page_url(request, before=shown.older),
        "chips": _chips(request, found),
        "csv_url": _url(request, export="csv"),
        "xlsx_url": _url(request, export="xlsx"),
    }
    return render(request, "ledger/events.html", context, partial="table", status=200 if valid else 422)


@require_safe
@login_required
def event(request: HttpRequest, index: int) -> HttpResponse:
    """One event: what changed, by whom, and how to check that it still is what it was."""
    found = get_object_or_404(_readable(request), pk=index)
    personal = personal_values(found)
    context = {
        "event": found,
        "title": wording.title(found.action),
        "changes": [_change(name, pair, personal) for name, pair in found.changes.items()],
        "unchanged": [wording.field_name(name) for name in found.content["unchanged"]],
        "redacted": sum(text is None for text in personal.values()),
        "personal": len(personal),
        "facts": _facts(found),
        "check_command": _check_command(found),
        "newer": _neighbour(request, found, newer=True),
        "older": _neighbour(request, found, newer=False),
    }
    return render(request, "ledger/event.html", context)


def _readable(request: HttpRequest) -> EventQuerySet:
    scope = access.scope_of(request)
    if scope.is_empty:
        raise PermissionDenied(_("You need a role that may read the audit trail."))
    return scope.restrict(Event.objects.all())


NO_EVENTS = EventPage(events=[], newer=None, older=None)


def _timeline(found: list[Event]) -> list[dict[str, Any]]:
    actors = lookups.names("actor", (item.actor_id for item in found))
    return [
        {
            "text": f"{wording.title(item.action)}: {item.subject_label}".removesuffix(": "),
            "at": item.at,
            "person": _actor(item, actors),
            "machine": item.actor_kind != "person",
            "icon": wording.icon(item.action, item.actor_kind),
            "url": reverse("ledger:event", args=[item.index]),
            "note": item.note,
            "extra": f"#{item.index} · {wording.auth_method(item.auth_method)}",
        }
        for item in found
    ]


def _actor(item: Event, names: Any) -> str:
    if item.actor_id is None:
        return str(SYSTEM_NAME)
    return str(names.get(str(item.actor_id), item.actor_id))


def _export(found: EventQuerySet) -> Iterator[dict[str, Any]]:
    """Rows in batches, each with one look-up of names, so that a long ledger streams."""
    rows = found.iterator(chunk_size=EXPORT_BATCH)
    while batch := list(islice(rows, EXPORT_BATCH)):
        actors = lookups.names("actor", (item.actor_id for item in batch))
        for item in batch:
            yield _export_row(item, actors)


def _export_row(item: Event, actors: Any) -> dict[str, Any]:
    return {
        **{column.key: getattr(item, column.key) for column in EXPORT_COLUMNS if hasattr(item, column.key)},
        "use_case": item.use_case_id or "",
        "unit": item.unit_path,
        "actor": _actor(item, actors),
        "changes": json.dumps(item.changes, ensure_ascii=False, separators=(",", ":")),
    }


def _change(name: str, pair: dict[str, Any], personal: dict[str, str | None]) -> dict[str, Any]:
    prefix = "/changes/" + name.replace("~", "~0").replace("/", "~1")
    return {
        "name": wording.field_name(name),
        **{side: wording.value(_shown(pair[side], f"{prefix}/{side}", personal)) for side in ("before", "after")},
    }


def _shown(value: Any, path: str, personal: dict[str, str | None]) -> Any:
    """The value with the personal ones in it in clear, as far as they are not erased."""
    if path in personal:
        text = personal[path]
        return _("(erased)") if text is None else json.loads(text)
    if isinstance(value, dict):
        return {key: _shown(item, f"{path}/{key}", personal) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item, f"{path}/{n}", personal) for n, item in enumerate(value)]
    return value


def _facts(item: Event) -> list[dict[str, Any]]:
    actors = lookups.names("actor", [item.actor_id])
    use_cases = lookups.names("use_case", [item.use_case_id])
    return [
        {"label": _("Index"), "value": str(item.index)},
        {"label": _("At"), "value": f"{date_format(item.at, 'j M Y, H:i:s')} UTC", "note": item.content["at"]},
        {
            "label": _("Who"),
            "value": _actor(item, actors),
            "note": wording.auth_method(item.auth_method),
            "url": lookups.url("actor", item.actor_id),
        },
        {"label": _("Subject"), "value": item.subject_label or item.subject_id, "note": item.subject_type},
        {
            "label": _("Use case"),
            "value": use_cases.get(item.use_case_id or "", item.use_case_id),
            "url": lookups.url("use_case", item.use_case_id),
        },
        {"label": _("Unit"), "value": item.unit_path},
        {"label": _("Action"), "value": item.action},
        {"label": _("Request"), "value": item.request_id},
    ]


def _check_command(item: Event) -> str:
    """A shell command that prints the leaf hash from the body, without Tollgate."""
    return f"{{ printf '\\000'; printf %s {shlex.quote(item.body)}; }} | sha256sum"


def _neighbour(request: HttpRequest, item: Event, *, newer: bool) -> str:
    readable = _readable(request)
    found = (
        readable.filter(index__gt=item.index).order_by("index")
        if newer
        else readable.filter(index__lt=item.index).order_by("-index")
    )
    index = found.values_list("index", flat=True).first()
    return "" if index is None else reverse("ledger:event", args=[index])


def _index(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _page_url(request: HttpRequest, **position: int | None) -> str:
    (index,) = position.values()
    return "" if index is None else _url(request, **position)


def _url(request: HttpRequest, **changes: object) -> str:
    """This address with other parameters; where one is in the list always goes, what is filtered stays."""
    query = request.GET.copy()
    for name in ("before", "after", "export"):
        query.pop(name, None)
    for name, content in changes.items():
        if content == "":
            query.pop(name, None)
        else:
            query[name] = str(content)
    return f"{request.path}?{query.urlencode()}" if query else request.path


def _chips(request: HttpRequest, found: EventFilter) -> list[dict[str, str]]:
    return [
        {"name": str(field.label), "value": request.GET[name], "url": _url(request, **{name: ""})}
        for name, field in _filters(found)
        if request.GET.get(name)
    ]


def _filters(found: EventFilter) -> Iterable[tuple[str, Any]]:
    fields: dict[str, Any] = found.form.fields
    return fields.items()
