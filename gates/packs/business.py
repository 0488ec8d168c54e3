"""The business view on paper."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from gates.packs.documents import moment, render_pdf
from kernel.canonical import digest, plain
from portfolio.models import Assurance

ASSURANCE_TONES = {"in_force": "met", "at_risk": "attention", "reapproval_required": "blocked"}
TONES = {"met": "met", "attention": "attention", "blocked": "blocked"}


def business_pdf(report: Mapping[str, Any]) -> bytes:
    return render_pdf("business", business_words(report), at=report["at"])


def business_words(report: Mapping[str, Any]) -> dict[str, Any]:
    """Everything as text."""
    case, cost = report["use_case"], report["cost"]
    seal = digest(plain(report))
    return {
        "label": case["key"],
        "digest": seal,
        "tail": f"{case['key']} · as of {moment(report['at'])}",
        "title": case["name"],
        "lead": f"{case['unit']} · {report['stage']} · {_tier(report['tier'])}",
        "assurance": _assurance(report["assurance"]),
        "owed": [
            {"what": r["what"], "text": r["text"], "who": r["who"], "due": _day(r["due"])} for r in report["owed"]
        ],
        "kpis": [_kpi(kpi) for kpi in report["kpis"]],
        "cost": []
        if cost is None
        else [
            ("Budget", _money(cost["budget"], cost["currency"]) + _until(cost["budget_ends"])),
            ("Cost so far", _money(cost["spent"], cost["currency"]) + f", as of {_day(cost['as_of'])}"),
            ("Of the budget", f"{cost['share']} %" if cost["share"] is not None else "–"),
        ],
        "use": [_use(row) for row in report["use"]],
        "since": [
            {"text": line["text"], "note": line["note"], "at": _day(line["at"])} for line in report["since"]["lines"]
        ],
        "since_day": _day(report["since"]["from"]),
        "next": [{"what": row["what"], "day": _day(row["day"])} for row in report["next_reviews"]],
    }


def _kpi(kpi: Mapping[str, Any]) -> dict[str, Any]:
    unit = kpi["unit"]
    by = f" by {_day(kpi['promised_by'])}" if kpi["promised_by"] else ""
    measured = f"{_number(kpi['measured'])} {unit}" if kpi["measured"] is not None else "not measured yet"
    source = f", {_day(kpi['measured_at'])}, {kpi['source']}" if kpi["measured_at"] else ""
    return {
        "name": kpi["name"],
        "verdict": kpi["verdict"],
        "tone": TONES.get(kpi["state"], "neutral"),
        "rows": [
            ("Before", f"{_number(kpi['baseline'])} {unit}"),
            ("Promised", f"{_number(kpi['promised'])} {unit}{by} ({kpi['direction'].lower()})"),
            ("Measured", measured + source),
            ("Of the way", f"{kpi['share']} %" if kpi["share"] is not None else "–"),
        ],
        "metrics": [
            {"name": m["name"], "value": m["value"], "why": m["why"], "breached": m["breached"]} for m in kpi["metrics"]
        ],
    }


def _assurance(found: Mapping[str, Any]) -> dict[str, str]:
    """What the approval is worth, and why; empty where no gate was passed."""
    if not found["state"]:
        return {"label": "", "tone": "neutral", "reason": ""}
    # The reason is put together from sentences that end with a full stop each.
    reason = found["reason"].replace(".;", ";").rstrip(".")
    return {
        "label": str(Assurance(found["state"]).label),
        "tone": ASSURANCE_TONES.get(found["state"], "neutral"),
        "reason": f"{reason}." if reason else "",
    }


def _use(row: Mapping[str, Any]) -> dict[str, str]:
    if not row["measured"]:
        return {"name": row["name"], "now": "", "before": "", "day": ""}
    before = row["month_before"] or "–"
    return {"name": row["name"], "now": row["value"], "before": before, "day": _day(row["at"])}


def _tier(tier: str) -> str:
    return f"{tier} tier" if tier else "not classified"


def _until(day: date | None) -> str:
    return f", until {_day(day)}" if day else ""


def _number(value: Decimal | None) -> str:
    if value is None:
        return "–"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _money(value: Decimal | None, currency: str) -> str:
    return "–" if value is None else f"{value:,.0f} {currency}".replace(",", "\u202f")


def _day(value: datetime | date | None) -> str:
    return "" if value is None else f"{value:%-d %b %Y}"
