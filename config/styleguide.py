"""The style guide: every component with sample data. Mounted while developing and in demonstration mode only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from kernel.htmx import render
from kernel.tables import Column, TableState

STAGES = ("Idea", "PoC", "Pilot", "Production", "Operations")
COLUMNS = (
    Column("name", "Use case", "name"),
    Column("stage", "Stage", "stage"),
    Column("tier", "Tier", "tier", choosable=True),
    Column("assurance", "Assurance", "assurance"),
    Column("met", "Next gate", "met"),
    Column("days", "Days here", "days", numeric=True, largest_first=True),
    Column("sponsor", "Sponsor", choosable=True),
)
F1 = [
    0.91,
    0.9,
    0.905,
    0.9,
    0.89,
    0.895,
    0.9,
    0.89,
    0.885,
    0.88,
    0.89,
    0.885,
    0.88,
    0.87,
    0.875,
    0.86,
    0.862,
    0.85,
    0.84,
]


@dataclass(frozen=True)
class Sample:
    key: str
    name: str
    unit: str
    stage: int
    tier: str
    assurance: str
    met: int
    days: int
    sponsor: str

    @property
    def steps(self) -> list[dict[str, Any]]:
        return _steps(self.stage)


SAMPLES = (
    Sample(
        "UC-0017", "Triage of benefit claims", "Benefits and pensions", 2, "high", "at_risk", 14, 41, "Tomás Ibarra"
    ),
    Sample("UC-0031", "Invoice matching", "Finance", 3, "minimal", "in_force", 19, 112, "Mei-Ling Zhou"),
    Sample("UC-0044", "Answering routine letters", "Customer service", 1, "limited", "", 6, 18, "Amara Nwosu"),
    Sample("UC-0052", "Predictive upkeep of pumps", "Water works", 4, "limited", "in_force", 19, 230, "Lars Petersen"),
    Sample("UC-0060", "Ranking of job applications", "Human resources", 2, "high", "reapproval_required", 9, 77, ""),
    Sample(
        "UC-0073",
        "Translation of case files into eight languages for the courts",
        "Justice",
        0,
        "",
        "",
        2,
        5,
        "Ana Kovač",
    ),
)


class FilterForm(forms.Form):
    q = forms.CharField(label="Name, unit or person", required=False)
    stage = forms.ChoiceField(label="Stage", required=False, choices=[("", "Any stage"), *((s, s) for s in STAGES)])
    tier = forms.ChoiceField(label="Tier", required=False, choices=[("", "Any tier"), ("high", "High risk")])


class EvidenceForm(forms.Form):
    title = forms.CharField(label="What is it?", help_text="Name it so that a reviewer knows it without opening it.")
    kind = forms.ChoiceField(
        label="What kind?",
        widget=forms.RadioSelect,
        choices=[("file", "A file"), ("link", "A link"), ("attestation", "A statement that somebody signs")],
    )
    owner = forms.ChoiceField(label="Who owes it?", choices=[("a", "Ingrid Halvorsen"), ("b", "Tomás Ibarra")])
    valid_until = forms.DateField(
        label="Valid until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: one year.",
    )
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    file = forms.FileField(label="File", required=False)
    verified = forms.BooleanField(label="I have read it and it says what its title says", required=False)


def page(request: HttpRequest) -> HttpResponse:
    return render(request, "styleguide.html", _context(request), partial="table")


def chart(request: HttpRequest, kind: str) -> JsonResponse:
    charts = {"line": _line, "histogram": _histogram, "scatter": _scatter, "bar": _bar}
    if kind not in charts:
        raise Http404
    return JsonResponse(charts[kind]())


def _context(request: HttpRequest) -> dict[str, Any]:
    now = datetime.now(UTC)
    table: TableState[Any] = TableState.from_request(request, columns=COLUMNS, default_sort="name")
    table._page = Paginator(SAMPLES, 6).get_page(1)
    return {
        "table": table,
        "steps": _steps(2),
        "filter_form": FilterForm(request.GET or None),
        "form": EvidenceForm({"kind": "link", "owner": "b"}),
        "points": F1,
        "findings": _findings(now),
        "slots": _slots(now),
        "events": _events(now),
        "board": _board(),
        "gantt": _gantt(),
        "icons": _icons(),
        **_small_samples(),
        **{f"{kind}_url": reverse("styleguide-chart", args=[kind]) for kind in ("line", "histogram", "scatter", "bar")},
    }


def _small_samples() -> dict[str, Any]:
    return {
        "states": ("met", "not_met", "missing", "stale", "waived", "not_applicable", "error"),
        "tiers": ("minimal", "limited", "high", "prohibited", ""),
        "assurances": ("in_force", "at_risk", "reapproval_required", ""),
        "split": [
            {"state": "met", "count": 14, "label": "met"},
            {"state": "waived", "count": 1, "label": "waived"},
            {"state": "missing", "count": 2, "label": "missing"},
            {"state": "not_met", "count": 2, "label": "not met"},
        ],
        "stats": [
            {"label": "Pilot", "value": 23, "note": "median 64 days", "current": True},
            {"label": "Production", "value": 17, "note": "median 38 days"},
            {"label": "At risk", "value": 4, "tone": "attention", "icon": "warning", "note": "2 since Monday"},
            {"label": "Re-approval required", "value": 1, "tone": "blocked", "icon": "return"},
            {"label": "Waiting for a decision", "value": 6, "note": "oldest 12 days"},
        ],
        "chips": [{"name": "Stage", "value": "Pilot", "url": "?"}, {"name": "Tier", "value": "High risk", "url": "?"}],
        "bulk_actions": [
            {"name": "assign", "label": "Assign a lead"},
            {"name": "export", "label": "Export the chosen"},
        ],
        "tabs": [
            {"label": name, "url": "#", "current": name == "Gate", "count": count}
            for name, count in (("Overview", None), ("Gate", 5), ("Evidence", 12), ("KPIs", 4), ("Monitoring", None))
        ],
        "changes": [
            {"name": "Tier", "before": "Limited risk", "after": "High risk"},
            {"name": "Target", "before": "0.85 F1", "after": "0.87 F1"},
            {"name": "Sponsor", "before": "", "after": "Tomás Ibarra"},
        ],
        "facts": [
            {"label": "Policy", "value": "Default, version 3"},
            {"label": "Submitted by", "value": "Ingrid Halvorsen"},
            {"label": "Due", "value": "27 Nov 2026", "note": "in 6 days"},
        ],
    }


def _steps(current: int) -> list[dict[str, Any]]:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    steps: list[dict[str, Any]] = []
    for index, label in enumerate(STAGES):
        state = "passed" if index < current else "current" if index == current else "future"
        step: dict[str, Any] = {"label": label, "state": state}
        if state == "passed":
            step |= {"date": start + timedelta(days=70 * index), "url": "#", "reference": f"D-{104 + 31 * index}"}
        elif state == "current":
            step["note"] = "41 days here"
        steps.append(step)
    return steps


def _findings(now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "title": "The model meets its target on live traffic",
            "state": "not_met",
            "reason": "F1 is 0.84 over the last 30 days; at least 0.85 is needed.",
            "observed": "0.84 F1, 21 Oct to 20 Nov 2026",
            "required": "at least 0.85 F1 over 30 days",
            "todo": "Retrain, or ask for a waiver with a date.",
            "owner": "technical lead",
            "source": "EU AI Act, article 15(1)",
            "action_label": "Log a validation run",
            "open": True,
        },
        {
            "title": "Impact on fundamental rights is assessed",
            "state": "missing",
            "reason": "Nobody has added the assessment.",
            "required": "a verified document of type impact assessment",
            "owner": "risk and compliance",
            "source": "EU AI Act, article 27",
            "action_label": "Add evidence",
        },
        {
            "title": "Bias audit is not older than a year",
            "state": "stale",
            "reason": "The audit expired on 3 Nov 2026.",
            "owner": "data protection officer",
            "valid_until": now - timedelta(days=18),
            "action_label": "Renew the evidence",
        },
        {"title": "People can appeal", "state": "waived", "reason": "Waived until 31 Jan 2027.", "owner": "sponsor"},
        {"title": "The budget is approved", "state": "met", "owner": "finance"},
    ]


def _slots(now: datetime) -> list[dict[str, Any]]:
    return [
        {"role": "Technical lead", "state": "signed", "person": "Priya Raman", "at": now - timedelta(days=2, hours=3)},
        {"role": "Data protection", "state": "signed", "person": "Jonas Weber", "at": now - timedelta(hours=5)},
        {
            "role": "Risk and compliance",
            "state": "waiting",
            "person": "Amara Nwosu",
            "action_url": "#",
            "action_label": "Sign as risk and compliance",
        },
        {
            "role": "Sponsor",
            "state": "lapsed",
            "person": "Tomás Ibarra",
            "note": "Signed an earlier snapshot; the facts have changed since.",
        },
    ]


def _events(now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "text": "Assurance turned at risk",
            "at": now - timedelta(minutes=40),
            "person": "The engine",
            "icon": "warning",
            "tone": "attention",
            "extra": "event 4,112",
        },
        {
            "text": "Jonas Weber signed as data protection",
            "at": now - timedelta(hours=5),
            "person": "Jonas Weber",
            "icon": "sign",
            "tone": "met",
            "url": "#",
            "note": "Retention is **two years**, as agreed.",
        },
        {"text": "Review submitted", "at": now - timedelta(days=3), "person": "Ingrid Halvorsen", "icon": "gate"},
    ]


def _gantt() -> dict[str, Any]:
    bars = [
        {"x": 0, "width": 160, "label": "Idea, 62 days", "stage": "idea"},
        {"x": 160, "width": 270, "label": "PoC, 104 days", "stage": "poc"},
        {"x": 430, "width": 390, "label": "Pilot, 150 days", "stage": "pilot"},
    ]
    return {
        "rows": [
            {"label": "Triage of benefit claims", "url": "#", "bars": bars},
            {"label": "Collect and clean data", "bars": [{"x": 40, "width": 210, "label": "done", "tone": "met"}]},
            {"label": "Bias audit", "bars": [{"x": 500, "width": 250, "label": "late", "tone": "info", "late": True}]},
        ],
        "ticks": [
            {"x": 200 * place, "label": label} for place, label in enumerate(("Jul", "Aug", "Sep", "Oct", "Nov"))
        ],
        "today": 820,
    }


def _board() -> list[dict[str, Any]]:
    return [
        {
            "title": stage,
            "count": sum(sample.stage == index for sample in SAMPLES),
            "cards": [
                {
                    "title": sample.name,
                    "url": "#",
                    "subtitle": sample.unit,
                    "tier": sample.tier,
                    "assurance": sample.assurance,
                    "person": sample.sponsor,
                    "days": sample.days,
                }
                for sample in SAMPLES
                if sample.stage == index
            ],
        }
        for index, stage in enumerate(STAGES)
    ]


def _icons() -> list[str]:
    sprite = (settings.BASE_DIR / "static" / "icons.svg").read_text(encoding="utf-8")
    return re.findall(r'<symbol id="([^"]+)"', sprite)


def _line() -> dict[str, Any]:
    start = datetime(2026, 11, 2, tzinfo=UTC)
    points = [[(start + timedelta(days=day)).date().isoformat(), value] for day, value in enumerate(F1)]
    return {
        "kind": "line",
        "unit": "F1",
        "x": {"type": "time"},
        "series": [{"name": "F1", "points": points}],
        "bands": [{"from": 0.88, "to": 0.91, "label": "Baseline"}],
        "thresholds": [{"value": 0.85, "label": "at least 0.85"}],
        "markers": [{"at": "2026-11-09", "label": "Model 3"}, {"at": "2026-11-16", "label": "Gate 3"}],
    }


def _histogram() -> dict[str, Any]:
    return {
        "kind": "histogram",
        "unit": "%",
        "x": {"label": "Age", "categories": ["18-25", "26-35", "36-45", "46-55", "56-65", "66+"]},
        "series": [
            {"name": "Reference", "points": [8, 21, 27, 24, 14, 6], "tone": "neutral"},
            {"name": "Now", "points": [14, 29, 25, 18, 9, 5]},
        ],
    }


def _scatter() -> dict[str, Any]:
    return {
        "kind": "scatter",
        "x": {"type": "value", "label": "Feasibility", "min": 0, "max": 5},
        "y": {"min": 0, "max": 5},
        "series": [
            {
                "name": "High risk",
                "points": [
                    {"x": 2.4, "y": 4.4, "size": 34, "name": "Triage of benefit claims", "url": "#"},
                    {"x": 1.8, "y": 2.9, "size": 18, "name": "Ranking of job applications", "url": "#"},
                ],
            },
            {
                "name": "Others",
                "points": [
                    {"x": 4.2, "y": 3.1, "size": 14, "name": "Invoice matching", "url": "#"},
                    {"x": 3.4, "y": 4.1, "size": 26, "name": "Predictive upkeep of pumps", "url": "#"},
                ],
            },
        ],
    }


def _bar() -> dict[str, Any]:
    return {
        "kind": "bar",
        "x": {"categories": list(STAGES)},
        "series": [
            {"name": "Minimal", "stack": "tier", "points": [22, 10, 6, 7, 11]},
            {"name": "Limited", "stack": "tier", "points": [14, 9, 8, 6, 5]},
            {"name": "High", "stack": "tier", "points": [6, 7, 9, 4, 2]},
        ],
    }
