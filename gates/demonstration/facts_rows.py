"""Rows that criteria read, each made as a person would have made it at that moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.roles import role_name
from gates.demonstration.story import Story
from governance.catalogue import document_types, questionnaires
from governance.models import Document, Evidence, QuestionnaireResponse, TrainingRecord, ValidationRun
from governance.scoring import score
from kernel.canonical import digest

WRITERS = {
    "privacy_impact_assessment": ("legal_privacy", "risk_compliance"),
    "ai_impact_assessment": ("use_case_lead", "risk_compliance"),
    "supplier_terms": ("vendor_manager", "legal_privacy"),
    "support_plan": ("it_operations", "security"),
    "runbook": ("technical_lead", "it_operations"),
    "release_plan": ("it_operations", "security"),
    "post_market_plan": ("use_case_lead", "risk_compliance"),
    "communication_plan": ("use_case_lead", "risk_compliance"),
}


def attest(story: Story, at: datetime, criterion: str, role: str, statement: str, **more: Any) -> None:
    """An attestation in a role, with what was confirmed."""
    title = f"{role_name(role)}: {statement}"[:300]
    body = {"statement": statement, "role": role, "criterion": criterion, "items": list(more.get("items", ()))}
    story.rows.add(
        Evidence(
            id=story.id("attestation", criterion, role),
            use_case=story.use_case,
            kind=Evidence.Kind.ATTESTATION,
            criterion=criterion,
            role=role,
            title=title,
            statement=statement,
            items=list(more.get("items", ())),
            sample_size=more.get("sample_size"),
            sha256=digest(body),
            added_by=story.person(role),
            added_at=at,
            valid_from=at,
        )
    )


def link(story: Story, at: datetime, criterion: str, kind: str, title: str) -> None:
    """Evidence by link, with the digest of its address and title."""
    url = f"https://documents.halden.example/{story.use_case.key.lower()}/{kind}"
    story.rows.add(
        Evidence(
            id=story.id("link", criterion, kind),
            use_case=story.use_case,
            kind=Evidence.Kind.LINK,
            evidence_type=kind,
            criterion=criterion,
            title=title,
            url=url,
            sha256=digest({"url": url, "title": title}),
            added_by=story.person("use_case_lead"),
            added_at=at,
            valid_from=at,
            verified_by=story.person("risk_compliance"),
            verified_at=at + timedelta(hours=20),
        )
    )


def document(
    story: Story,
    at: datetime,
    doc_type: str,
    status: str = "approved",
    measures: Mapping[str, str] | None = None,
    **more: Any,
) -> None:
    """A document with every section filled."""
    kind = document_types()[doc_type]
    writer, reviewer = WRITERS.get(doc_type, ("technical_lead", "risk_compliance"))
    sections = {s.key: f"{s.label} of {story.name.lower()}. {s.help}" for s in kind.sections}
    approved = status == "approved"
    story.rows.add(
        Document(
            id=story.id("document", doc_type, more.get("revision", 1)),
            use_case=story.use_case,
            doc_type=doc_type,
            title=f"{kind.title}: {story.name}",
            revision=more.get("revision", 1),
            is_current=more.get("is_current", True),
            status=status,
            sections=sections,
            measures=dict(measures or {}),
            describes_id=more.get("describes_id"),
            tested_at=at if more.get("tested") else None,
            written_by=story.person(writer),
            written_at=at,
            reviewed_by=story.person(reviewer) if status != "draft" else None,
            reviewed_at=at if status != "draft" else None,
            approved_by=story.person(reviewer) if approved else None,
            approved_at=at if approved else None,
        )
    )


def run(story: Story, at: datetime, kind: str, metrics: Mapping[str, Decimal] | None = None, **more: Any) -> None:
    """A validation run on the version of that time."""
    recorder = more.get("role", "data_scientist")
    story.rows.add(
        ValidationRun(
            id=story.id("run", kind, at.date()),
            use_case=story.use_case,
            version_id=more.get("version_id"),
            kind=kind,
            verdict=more.get("verdict", "pass"),
            metrics={key: str(value) for key, value in (metrics or {}).items()},
            sample_size=more.get("sample_size", 1200 + 40 * story.n),
            reviewers=more.get("reviewers", 0),
            independent=more.get("independent", False),
            open_major_findings=0,
            summary=more.get("summary", ""),
            source=more.get("source", ""),
            performed_at=at,
            recorded_by=story.person(recorder),
            recorded_at=at,
        )
    )


def answer(story: Story, at: datetime, key: str, level: int, role: str) -> None:
    """A complete answer set around ``level`` (0 to 4)."""
    form = questionnaires()[key]
    answers: dict[str, list[int | None]] = {
        d.key: [min(4, max(0, level + (1 if (i + story.n) % 3 == 0 else 0))) for i, _q in enumerate(d.questions)]
        for d in form.dimensions
    }
    result = score(form, answers)
    story.rows.add(
        QuestionnaireResponse(
            id=story.id("questionnaire", key, at.date()),
            use_case=story.use_case,
            questionnaire=key,
            answers=answers,
            dimensions={k: str(v) for k, v in result.dimensions.items()},
            score=result.total,
            complete=True,
            answered_by=story.person(role),
            answered_at=at,
        )
    )


def training(story: Story, at: datetime, courses: Iterable[str], *, share: float = 1.0) -> None:
    """People who owe courses, and who completed them."""
    people = ("end_user", "human_reviewer", "business_owner", "it_operations")
    for course in courses:
        for i, role in enumerate(people):
            done = (i + 1) / len(people) <= share
            story.rows.add(
                TrainingRecord(
                    use_case=story.use_case,
                    course=course,
                    person=story.person(role),
                    assigned_at=at - timedelta(days=20),
                    completed_at=at if done else None,
                    valid_until=at + timedelta(days=365) if done else None,
                )
            )
