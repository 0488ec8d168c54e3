"""Simulations of draft policies over REST, and a review under another version."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from gates.models import PolicyVersion, Review, Simulation
from gates.under import Under


class TurnedCriterion(serializers.Serializer[Any]):
    id = serializers.CharField()
    title = serializers.CharField()
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)


class TurnSerializer(serializers.Serializer[Any]):
    """A use case that turns, and the criteria that do it."""

    use_case = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    tier = serializers.CharField(allow_blank=True)
    stage = serializers.CharField()
    gate = serializers.CharField()
    gate_title = serializers.CharField()
    direction = serializers.ChoiceField(choices=["blocks", "releases", "at_risk", "secured", "more", "less"])
    criteria = TurnedCriterion(many=True)


class CriterionTally(serializers.Serializer[Any]):
    gate = serializers.CharField()
    criterion = serializers.CharField()
    title = serializers.CharField()
    closes = serializers.IntegerField(help_text="Use cases that it comes to stand against.")
    opens = serializers.IntegerField(help_text="Use cases that it no longer stands against.")


class SimulationSerializer(serializers.Serializer[Any]):
    """How far a simulation is, and what it found. ``outdated``: the draft changed since."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=Simulation.State.choices)
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    against = serializers.CharField(allow_null=True)
    outdated = serializers.BooleanField()
    error = serializers.CharField(allow_blank=True)
    asked_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField())
    passing_before = serializers.IntegerField(allow_null=True)
    passing_after = serializers.IntegerField(allow_null=True)
    signers = serializers.DictField(child=serializers.IntegerField())
    criteria = CriterionTally(many=True)
    turns = TurnSerializer(many=True)


class UnderCell(serializers.Serializer[Any]):
    outcome = serializers.CharField()
    mandatory = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True)
    required = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # the word of the domain


class UnderRow(serializers.Serializer[Any]):
    criterion = serializers.CharField()
    title = serializers.CharField()
    turn = serializers.ChoiceField(choices=["closes", "opens", "differs", "same"])
    pinned = UnderCell(allow_null=True)
    other = UnderCell(allow_null=True)


class UnderSerializer(serializers.Serializer[Any]):
    """A review under its own version and under another, both over the facts of now."""

    review = serializers.IntegerField()
    policy = serializers.CharField()
    pinned_version = serializers.CharField()
    other_version = serializers.CharField()
    pinned_ready = serializers.BooleanField()
    other_ready = serializers.BooleanField()
    findings = UnderRow(many=True)


def detail(found: Simulation, version: PolicyVersion, turns: list[dict[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = found.result
    return dict(
        SimulationSerializer(
            {
                "id": found.pk,
                "state": found.state,
                "done": found.done,
                "total": found.total,
                "against": found.against.label if found.against else None,
                "outdated": found.draft_digest != version.digest,
                "error": found.error,
                "asked_at": found.asked_at,
                "finished_at": found.finished_at,
                "counts": result.get("counts", {}),
                "passing_before": result.get("passing_before"),
                "passing_after": result.get("passing_after"),
                "signers": result.get("signers", {}),
                "criteria": result.get("criteria", []),
                "turns": turns,
            }
        ).data
    )


def under_detail(review: Review, found: Under) -> dict[str, Any]:
    def cell(judged: Any) -> dict[str, Any] | None:
        if judged is None:
            return None
        finding = judged.finding
        return {
            "outcome": str(finding.outcome),
            "mandatory": judged.mandatory,
            "reason": finding.reason,
            "required": finding.required,
        }

    return {
        "review": review.number,
        "policy": found.version.policy.key,
        "pinned_version": review.policy_version.label,
        "other_version": found.version.label,
        "pinned_ready": found.pinned.ready,
        "other_ready": found.other.ready,
        "findings": [
            {
                "criterion": row.id,
                "title": row.title,
                "turn": row.turn,
                "pinned": cell(row.pinned),
                "other": cell(row.other),
            }
            for row in found.rows
        ],
    }
