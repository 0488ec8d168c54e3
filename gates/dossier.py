"""What a signer reads beside the findings: promised and measured, cost so far, open risks, evidence, earlier rounds.

Figures come from the frozen snapshot, for that is what is signed. Only what evidence looks like is read from the rows
it names: their content never changes after they were added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from gates.models import Review
from gates.presenting import evidence_url
from governance.models import Document, Evidence, ValidationRun

CLOSED_RISKS = frozenset({"closed"})
EXCERPT = 280
BUDGETS = ("budget_poc", "budget_build", "budget_run_year1", "budget_run", "budget_monitoring", "budget_people")


@dataclass(frozen=True, slots=True)
class Preview:
    """One piece of evidence as a signer sees it without leaving the page."""

    label: str
    url: str
    what: str
    by: str
    at: datetime | None
    verified_by: str
    digest: str
    text: str
    lines: tuple[tuple[str, str], ...] = ()


def kpis_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Promised against measured, with the share of the way from baseline to target that was gone."""
    found = []
    for kpi in body["facts"].get("kpis") or []:
        newest = kpi["measurements"][-1] if kpi["measurements"] else None
        measured = newest["value"] if newest else None
        share = _share(kpi["baseline"], kpi["target"], measured)
        window_end = newest["window_end"] if newest else ""
        found.append({**kpi, "measured": measured, "measured_at": window_end, "share": share})
    return found


def costs_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Budget and cost so far; None when neither is on record."""
    plan = body["facts"]["profile"].get("plan") or {}
    budgets = [value for key in BUDGETS if (value := _decimal(plan.get(key))) is not None]
    spent = _decimal(plan.get("cost_to_date"))
    if not budgets and spent is None:
        return None
    budget = sum(budgets, Decimal(0)) if budgets else None
    share = round(100 * spent / budget) if budget and spent is not None else None
    return {"budget": budget, "spent": spent, "share": share, "over": share is not None and share > 100}


def risks_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Entries of the risk register that are not closed, the gravest first."""
    register = (body["facts"].get("risks") or {}).get("register") or []
    rank = {"critical": 0, "high": 1, "medium": 2, "low": 3}
    rows = [row for row in register if row["state"] not in CLOSED_RISKS]
    return sorted(rows, key=lambda row: rank.get(row["residual"] or row["inherent"], 4))


def issues_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Findings of validators and auditors that were open when the facts were frozen."""
    return list((body["facts"].get("issues") or {}).get("open") or [])


def previews_of(findings: Iterable[Mapping[str, Any]], use_case_key: str) -> dict[tuple[str, str], Preview]:
    """(kind, id) -> preview of everything the findings refer to. Three queries at most, however many findings."""
    wanted: dict[str, set[str]] = {}
    for row in findings:
        for ref in row["evidence"]:
            wanted.setdefault(ref["kind"], set()).add(ref["id"])
    found: dict[tuple[str, str], Preview] = {}
    if ids := wanted.get("evidence"):
        rows = Evidence.objects.filter(pk__in=ids).select_related("added_by", "verified_by")
        found.update({("evidence", str(e.pk)): _evidence(e, use_case_key) for e in rows})
    if ids := wanted.get("document"):
        documents = Document.objects.filter(pk__in=ids).select_related("written_by", "approved_by")
        found.update({("document", str(d.pk)): _document(d, use_case_key) for d in documents})
    if ids := wanted.get("validation_run"):
        runs = ValidationRun.objects.filter(pk__in=ids).select_related("recorded_by", "signed_by", "version")
        found.update({("validation_run", str(r.pk)): _run(r, use_case_key) for r in runs})
    return found


def rounds_before(review: Review) -> list[Review]:
    """Earlier attempts at the same gate, the newest first, with their decision and votes. Two queries."""
    rows = Review.objects.filter(use_case=review.use_case_id, gate=review.gate, submitted_at__lt=review.submitted_at)
    newest = rows.select_related("decision__decided_by", "submitted_by").prefetch_related("sign_offs")
    return list(newest.order_by("-submitted_at")[:10])


def _evidence(row: Evidence, use_case_key: str) -> Preview:
    text = row.statement or row.url or (f"{row.file_name}, {row.size:,} bytes" if row.file_name else "")
    lines = tuple((_("Confirmed"), str(item).replace("_", " ")) for item in row.items or [])
    return Preview(
        label=row.title,
        url=evidence_url("evidence", str(row.pk), use_case_key),
        what=row.get_kind_display(),
        by=str(row.added_by),
        at=row.added_at,
        verified_by=str(row.verified_by) if row.verified_by else "",
        digest=row.sha256,
        text=_excerpt(text),
        lines=lines,
    )


def _document(row: Document, use_case_key: str) -> Preview:
    first = next((text for text in row.sections.values() if text), "")
    filled = sum(1 for text in row.sections.values() if text)
    return Preview(
        label=row.title,
        url=evidence_url("document", str(row.pk), use_case_key),
        what=f"{row.get_status_display()}, {_('revision')} {row.revision}",
        by=str(row.written_by),
        at=row.written_at,
        verified_by=str(row.approved_by) if row.approved_by else "",
        digest="",
        text=_excerpt(first),
        lines=((_("Sections filled"), f"{filled}/{len(row.sections)}"),) if row.sections else (),
    )


def _run(row: ValidationRun, use_case_key: str) -> Preview:
    lines = [(key.replace("_", " "), str(value)) for key, value in list(row.metrics.items())[:8]]
    if row.sample_size:
        lines.append((_("Sample"), f"{row.sample_size:,}"))
    if row.version:
        lines.append((_("Version"), row.version.label))
    return Preview(
        label=f"{row.kind.replace('_', ' ').capitalize()}: {row.get_verdict_display().lower()}",
        url=evidence_url("validation_run", str(row.pk), use_case_key),
        what=_("Independent validation run") if row.independent else _("Validation run"),
        by=str(row.recorded_by or row.source),
        at=row.performed_at,
        verified_by=str(row.signed_by) if row.signed_by else "",
        digest="",
        text=_excerpt(row.summary),
        lines=tuple(lines),
    )


def _excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1].rsplit(' ', 1)[0]} …"


def _share(baseline: Any, target: Any, measured: Any) -> int | None:
    start, goal, now = _decimal(baseline), _decimal(target), _decimal(measured)
    if start is None or goal is None or now is None or goal == start:
        return None
    return round(100 * (now - start) / (goal - start))


def _decimal(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value)) if value not in (None, "") else None
    except InvalidOperation:
        return None
