"""Outputs that systems handed over: all of them as a list, one with what was said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Prefetch
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.access import actions_on, for_user
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from monitoring import services
from monitoring.forms.outputs import OutputFilterForm
from monitoring.models import Output, ReviewItem, Verdict
from monitoring.reviewing import LOGS, REVIEW, WAITING, has_acted, owed_items, refusal
from monitoring.views.common import VIEW
from monitoring.views.overview import section_tabs
from portfolio.views.common import person_of


def review_words(row: Output) -> str:
    """What became of an output's review, in words; ``row`` has its items and ``is_blind`` at hand."""
    items = list(row.items.all())
    if not items:
        return _("Not drawn")
    if row.is_blind:  # type: ignore[attr-defined]  # annotated
        return _("Waiting")
    return ", ".join(str(item.get_answer_display() if item.answer else item.get_state_display()) for item in items)


OUTPUTS: Sequence[Column] = (
    Column("at", gettext_lazy("Made"), "at", largest_first=True),
    Column("summary", gettext_lazy("Output"), "summary"),
    Column("external_id", gettext_lazy("Identifier"), "external_id", choosable=True, shown=False),
    Column("use_case", gettext_lazy("Use case"), "use_case__name", value=lambda row: row.use_case.key),
    Column("version", gettext_lazy("Version"), "version__number", value=lambda row: row.version and row.version.label),
    Column("segment", gettext_lazy("Segment"), "segment"),
    Column("confidence", gettext_lazy("Confidence"), "confidence", numeric=True),
    Column("review", gettext_lazy("Review"), value=review_words),
    Column("sha256", gettext_lazy("Digest"), value=lambda row: row.content_sha256, choosable=True, shown=False),
)


@require_safe
@login_required
def outputs(request: HttpRequest) -> HttpResponseBase:
    """Everything that was handed over, with what became of its review."""
    user = person_of(request)
    table: TableState[Output] = TableState.from_request(request, columns=OUTPUTS, default_sort="-at")
    form = OutputFilterForm(request.GET)
    visible = for_user(Output.objects.select_related("use_case", "version"), user, VIEW)
    items = Prefetch("items", ReviewItem.objects.order_by("slot"))
    rows = form.apply(visible, user).annotate(is_blind=Exists(owed_items(user).filter(output=OuterRef("pk"))))
    rows = rows.prefetch_related(items)
    if table.export_format:
        return export_rows(table.export_format, "outputs", table.columns, table.order(rows).iterator(1000))
    context = {
        "table": table.paginate(rows),
        "form": form,
        "chips": form.chips(request),
        "tabs": section_tabs("output_queue"),
        "sub_tabs": review_tabs("outputs"),
        "now": timezone.now(),
    }
    return render(request, "monitoring/outputs/list.html", context, partial="table")


@require_safe
@login_required
def output(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One output: what it is, what it held, what people said of it. What others said waits for one's own review."""
    user = person_of(request)
    related = ("use_case__unit", "version__model", "acted_by")
    found = get_object_or_404(for_user(Output.objects.select_related(*related), user, VIEW), pk=pk)
    items = list(found.items.select_related("claimed_by", "reviewer").order_by("slot"))
    is_blind = owed_items(user).filter(output=found).exists()
    allowed = actions_on(user, found.use_case)
    free = next((item for item in items if item.state == WAITING), None)
    context = {
        "output": found,
        "use_case": found.use_case,
        "facts": facts_of(found),
        "items": items,
        "fields": fields_of(found),
        "may_read": bool({LOGS, REVIEW} & allowed),
        "is_blind": is_blind,
        "events": [] if is_blind else events_of(found),
        "free": free,
        "why_not": refusal(user, free) if free and REVIEW in allowed else "",
        "may_review": bool(free) and REVIEW in allowed,
        "has_acted": has_acted(user, found),
    }
    return render(request, "monitoring/outputs/output.html", context, partial="output")


@require_POST
@login_required
def claim(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take this output for review. Who acted on it is refused."""
    rows = ReviewItem.objects.select_related("output__use_case__unit")
    item = get_object_or_404(for_user(rows, person_of(request), VIEW), pk=pk)
    services.claim_output(item=item, by=person_of(request))
    return redirect("monitoring:output_review", item.pk)


def review_tabs(current: str) -> list[dict[str, Any]]:
    found = (("output_queue", _("My queue"), "hourglass"), ("outputs", _("All outputs"), "list"))
    return [
        {"label": label, "icon": icon, "url": reverse(f"monitoring:{name}"), "current": name == current}
        for name, label, icon in found
    ]


def fields_of(output: Output) -> list[dict[str, str]]:
    """What the output held, field by field; those that its sender redacted come with no text."""
    held = [{"name": name, "text": text} for name, text in output.payload.items()]
    return held + [{"name": name, "text": "", "redacted": "yes"} for name in output.redacted]


def facts_of(output: Output) -> list[dict[str, Any]]:
    use_case = output.use_case
    address = reverse("monitoring:review_statistics", args=[use_case.key])
    facts: list[dict[str, Any]] = [
        {"label": _("Use case"), "value": f"{use_case.key} {use_case.name}", "url": address},
        {"label": _("Version"), "value": str(output.version or "")},
        {"label": _("Segment"), "value": output.segment},
        {"label": _("Confidence"), "value": "" if output.confidence is None else f"{output.confidence:g}"},
        {"label": _("Made"), "value": f"{output.at:%Y-%m-%d %H:%M} UTC"},
        {"label": _("Identifier"), "value": output.external_id},
    ]
    if output.case_id:
        facts.append({"label": _("Case"), "value": output.case_id})
    facts.append({"label": _("Acted on by"), "value": str(output.acted_by or output.actor)})
    if output.payload_until and not output.payload_deleted_at:
        facts.append({"label": _("Kept until"), "value": f"{output.payload_until:%Y-%m-%d}"})
    return facts


def events_of(output: Output) -> list[dict[str, Any]]:
    """Verdicts, newest first."""
    tones = {"agree": ("met", "check"), "withdrawn": ("neutral", "return")}
    rows = Verdict.objects.filter(item__output=output).select_related("reviewer").order_by("-at")
    found = []
    for verdict in rows:
        tone, icon = tones.get(verdict.kind, ("attention", "flag"))
        note = verdict.reason
        if verdict.reason_code:
            note = f"**{verdict.get_reason_code_display()}.** {verdict.reason}"
        if verdict.corrected:
            note += "\n\n" + _("Should have been: %(text)s") % {"text": verdict.corrected}
        found.append(
            {
                "text": verdict.get_kind_display(),
                "at": verdict.at,
                "icon": icon,
                "tone": tone,
                "person": verdict.reviewer,
                "note": note,
                "extra": _("digest %(digest)s") % {"digest": verdict.sha256[:12]},
            }
        )
    return found
