"""Champion and challenger: the rule first, then the figures, then a person's verdict on record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from governance.models import ModelVersion, ValidationRun
from governance.services import record_validation
from governance.services.permission import person as human
from kernel.canonical import digest
from kernel.errors import Conflict, NotReady
from ledger import state, unit_of_work
from ledger.states import safe
from monitoring.addressing import METRIC_KEY
from monitoring.models import Comparison
from monitoring.selectors.comparing import NOT_ENOUGH, PROMOTE, Result, compare, direction_of
from portfolio.models import UseCase
from portfolio.services.checks import assign, locked, refuse
from portfolio.services.rights import Actor, demand, person

PLAN, RECORD = "validation.plan", "validation.record"
KIND, SOURCE = "champion_challenger", "Comparison"
REASON_LENGTH, MOST_GUARDRAILS = 4000, 10
RULE = (
    *("champion", "challenger", "kind", "basis", "metric", "unit", "direction", "margin", "guardrails"),
    *("traffic_percent", "min_sample", "min_days", "starts_at", "ends_at", "note"),
)
DECIDED = ("verdict", "reason", "decided_by", "decided_at", "sha256", "run")
LATE = timedelta(minutes=5)
OUTCOMES = {
    Comparison.Verdict.PROMOTE: ValidationRun.Verdict.PASS,
    Comparison.Verdict.KEEP: ValidationRun.Verdict.FAIL,
    Comparison.Verdict.INCONCLUSIVE: ValidationRun.Verdict.INCONCLUSIVE,
}


def define_comparison(
    *,
    use_case: UseCase,
    champion: ModelVersion,
    challenger: ModelVersion,
    kind: str,
    by: Actor,
    basis: str = Comparison.Basis.POINTS,
    metric: str = "",
    guardrails: Sequence[str] = (),
    margin: float = 0,
    traffic_percent: float = 100,
    min_sample: int = 30,
    min_days: int = 7,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    note: str = "",
    stated_at: datetime | None = None,
) -> Comparison:
    """Agree on what is compared and on the rule, before the first figure; neither is edited later.

    Reviews and pairs compare the disagreement of reviewers; points need a metric that is better higher or lower.
    A start in the past is refused to people: a rule that is made for figures one knows decides nothing. ``stated_at``
    is for histories that are taken over from elsewhere, which only the product itself may do.
    """
    demand(by, PLAN, use_case)
    if stated_at is not None and isinstance(by, User):
        raise PermissionDenied(_("When a rule was stated is not for whoever states it to say."))
    now = stated_at or timezone.now()
    row = Comparison(use_case=use_case, champion=champion, challenger=challenger, created_by=person(by), created_at=now)
    if basis in {Comparison.Basis.REVIEWS, Comparison.Basis.PAIRS}:
        metric = "disagreement"
    direction, unit = direction_of(use_case.pk, metric)
    guardrails = list(dict.fromkeys(guardrails))
    start = starts_at or now
    errors = _errors(use_case, champion, challenger)
    if not METRIC_KEY.fullmatch(metric) or not direction:
        errors["metric"] = [_("Choose a metric of which more or less is better.")]
    wrong = [key for key in guardrails if key == metric or not direction_of(use_case.pk, key)[0]]
    if wrong or len(guardrails) > MOST_GUARDRAILS:
        said = _("Choose at most %(most)d other metrics of which more or less is better.")
        errors["guardrails"] = [said % {"most": MOST_GUARDRAILS}]
    if not math.isfinite(margin):
        errors["margin"] = [_("Give a finite number.")]
    if isinstance(by, User) and start < now - LATE:
        errors["starts_at"] = [_("The rule comes first: the start cannot lie in the past.")]
    if ends_at is not None and ends_at <= start:
        errors["ends_at"] = [_("The end comes after the start.")]
    refuse(errors)
    rule = {"kind": kind, "basis": basis, "metric": metric, "unit": unit, "direction": direction, "margin": margin}
    rule |= {"traffic_percent": traffic_percent, "min_sample": min_sample, "min_days": min_days, "note": note}
    assign(row, {**rule, "starts_at": start, "ends_at": ends_at})
    row.guardrails = guardrails
    if row.min_sample < 2:  # of one value nobody knows how much it varies
        refuse({"min_sample": [_("At least 2.")]})
    with unit_of_work(by=by) as uow:
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            raise Conflict(
                _("These versions are being compared by that metric already."), hint=_("Give that one a verdict first.")
            ) from None
        uow.record("comparison.defined", subject=row, use_case=use_case, after=state(row, RULE))
    return row


def decide_comparison(*, comparison: Comparison, verdict: str, reason: str, by: Actor) -> Comparison:
    """A person's verdict, with the figures it was given on, as a validation run of the challenger.

    Promote passes the run, keep fails it, inconclusive leaves it open. A promotion needs the sample and the time that
    were agreed (``NotReady``); who departs from the rule otherwise says why.
    """
    someone = human(by)
    demand(by, RECORD, comparison)
    reason = reason.strip()
    errors: dict[str, list[str]] = {}
    if verdict not in Comparison.Verdict.values:
        errors["verdict"] = [_("Choose promote, keep or inconclusive.")]
    if not reason or len(reason) > REASON_LENGTH:
        errors["reason"] = [_("Give the reason, in at most %(most)d characters.") % {"most": REASON_LENGTH}]
    refuse(errors)
    now = timezone.now()
    with unit_of_work(by=by) as uow:
        related = ("use_case__unit", "champion__model", "challenger__model")
        comparison = locked(Comparison, comparison.pk, *related)
        if comparison.verdict:
            raise Conflict(
                _("This comparison has its verdict: %(verdict)s.") % {"verdict": comparison.get_verdict_display()}
            )
        result = compare(comparison, now)
        if verdict == PROMOTE and result.finding == NOT_ENOUGH:
            raise NotReady(
                _("The challenger cannot be promoted yet: the data is not enough."),
                errors={"verdict": [*result.missing] or [_("There are no figures of both versions.")]},
            )
        before = state(comparison, DECIDED)
        comparison.result = sealed(result)
        comparison.sha256 = digest(
            {"comparison": str(comparison.pk), "rule": safe(state(comparison, RULE)), "result": comparison.result}
            | {"verdict": verdict, "reason": reason}
        )
        comparison.verdict, comparison.reason = verdict, reason
        comparison.decided_by, comparison.decided_at = someone, now
        comparison.run = _run(comparison, result, by=by)
        comparison.save(update_fields=[*DECIDED, "result"])
        after = state(comparison, DECIDED) | {"result": comparison.result, "departs": departs(comparison)}
        uow.record(
            "comparison.decided",
            subject=comparison,
            use_case=comparison.use_case,
            before=before,
            after=after,
            note=reason,
        )
    return comparison


def departs(comparison: Comparison) -> bool:
    """Whether the verdict is another than the rule's."""
    finding = comparison.result.get("finding", "")
    return bool(comparison.verdict) and comparison.verdict != ("inconclusive" if finding == NOT_ENOUGH else finding)


def sealed(result: Result) -> dict[str, Any]:
    """The figures as canonical JSON holds them: decimals as text."""
    return dict(safe(asdict(result)))


def _run(comparison: Comparison, result: Result, *, by: Actor) -> ValidationRun:
    key = comparison.metric
    figures = {
        f"{key}_champion": result.champion.value,
        f"{key}_challenger": result.challenger.value,
        "difference": result.difference.value if result.difference else None,
        "difference_low": result.difference.low if result.difference else None,
        "difference_high": result.difference.high if result.difference else None,
    }
    return record_validation(
        use_case=comparison.use_case,
        kind=KIND,
        verdict=OUTCOMES[Comparison.Verdict(comparison.verdict)],
        version=comparison.challenger,
        metrics={name: Decimal(repr(round(value, 6))) for name, value in figures.items() if value is not None},
        sample_size=result.challenger.n,
        summary=comparison.reason,
        source=SOURCE,
        external_id=str(comparison.pk),
        performed_at=comparison.decided_at,
        by=by,
    )


def _errors(use_case: UseCase, champion: ModelVersion, challenger: ModelVersion) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for name, version in (("champion", champion), ("challenger", challenger)):
        if version.model.use_case_id != use_case.pk:
            errors[name] = [_("This version belongs to another use case.")]
        elif version.state == ModelVersion.VersionState.RETIRED:
            errors[name] = [_("This version is retired.")]
    if champion.pk == challenger.pk:
        errors["challenger"] = [_("Choose another version than the champion.")]
    return errors
