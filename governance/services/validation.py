"""Validation runs: appended, never edited; an independent one is signed by somebody who did not record it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.figures import decimals
from governance.models import Evidence, ModelVersion, ValidationRun
from governance.services.permission import Actor, account, account_or_none, allow, another, person
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import state, unit_of_work
from portfolio.models import UseCase
from portfolio.signals import announce_change

SHOWN = (
    "kind",
    "verdict",
    "version",
    "metrics",
    "sample_size",
    "reviewers",
    "independent",
    "open_major_findings",
    "summary",
    "source",
    "external_id",
    "performed_at",
)
CLOCK_SKEW = timedelta(minutes=5)


def record_validation(
    *,
    use_case: UseCase,
    kind: str,
    verdict: str,
    by: Actor,
    version: ModelVersion | None = None,
    metrics: Mapping[str, Decimal | str | int] | None = None,
    sample_size: int | None = None,
    reviewers: int = 0,
    independent: bool = False,
    open_major_findings: int = 0,
    summary: str = "",
    source: str = "",
    external_id: str = "",
    evidence: Evidence | None = None,
    performed_at: datetime | None = None,
) -> ValidationRun:
    """Record one test of one version.

    With an ``external_id`` the same run of the same ``source`` is recorded once: sending it again returns what is
    there, sending it with another content is a ``Conflict``. Without ``performed_at`` it was performed now. The product
    itself (``ledger.SYSTEM``) records failures alone: whatever passes, an account answers for.
    """
    allow(by, "validation.record", use_case)
    run = ValidationRun(
        use_case=use_case,
        kind=kind.strip(),
        verdict=verdict,
        version=version,
        metrics=decimals(metrics or {}),
        sample_size=sample_size,
        reviewers=reviewers,
        independent=independent,
        open_major_findings=open_major_findings,
        summary=summary.strip(),
        source=source.strip(),
        external_id=external_id.strip(),
        evidence=evidence,
        performed_at=performed_at or timezone.now(),
        recorded_by=account_or_none(by) if verdict == ValidationRun.Verdict.FAIL else account(by),
        recorded_at=timezone.now(),
    )
    _check(run)
    with unit_of_work(by=by) as uow:
        if run.external_id:
            lock_rows(UseCase.objects.filter(pk=use_case.pk)).get()
            there = ValidationRun.objects.filter(
                use_case=use_case, source=run.source, external_id=run.external_id
            ).first()
            if there is not None:
                return _same(there, run, at_given=performed_at is not None)
        run.save(force_insert=True)
        uow.record("validation.recorded", subject=run, use_case=use_case, after=state(run, SHOWN))
        announce_change(uow, use_case.pk, "evidence")
    return run


def sign_independent(*, run: ValidationRun, by: Actor) -> ValidationRun:
    """The independent validator stands for a run that somebody else recorded, on a version somebody else made."""
    someone = person(by)
    allow(by, "validation.sign_independent", run.use_case)
    another(by, run.recorded_by_id, _("You cannot sign this run: you recorded it."))
    with unit_of_work(by=by) as uow:
        rows = ValidationRun.objects.select_related("use_case__unit", "version", "signed_by")
        run = lock_rows(rows).get(pk=run.pk)
        if run.signed_by_id:
            raise Conflict(_("This run is signed already."))
        if not run.independent:
            raise Conflict(_("This run does not claim to be independent."))
        if run.version is not None:
            another(by, run.version.author_id, _("You cannot sign this run: the version tested is yours."))
        run.signed_by = someone
        run.save(update_fields=["signed_by"])
        after = state(run, ("signed_by",))
        uow.record("validation.signed", subject=run, use_case=run.use_case, before={"signed_by": None}, after=after)
        announce_change(uow, run.use_case_id, "evidence")
    return run


def _check(run: ValidationRun) -> None:
    errors: dict[str, list[str]] = {}
    if not run.kind or len(run.kind) > 60 or not run.kind.replace("_", "").replace("-", "").isalnum():
        errors["kind"] = [_("Name the kind of validation in letters, digits and underscores.")]
    if run.verdict not in ValidationRun.Verdict.values:
        errors["verdict"] = [_("Choose one of %(verdicts)s.") % {"verdicts": ", ".join(ValidationRun.Verdict.values)}]
    if run.performed_at > timezone.now() + CLOCK_SKEW:
        errors["performed_at"] = [_("It cannot have been performed in the future.")]
    if run.sample_size is not None and run.sample_size < 0:
        errors["sample_size"] = [_("A sample cannot be smaller than nothing.")]
    if run.version is not None and run.version.model.use_case_id != run.use_case_id:
        errors["version"] = [_("This version belongs to another use case.")]
    if run.evidence is not None and run.evidence.use_case_id != run.use_case_id:
        errors["evidence"] = [_("This evidence belongs to another use case.")]
    if run.external_id and not run.source:
        errors["source"] = [_("An external identifier needs the source that it comes from.")]
    if errors:
        raise Invalid(_("The result cannot be recorded like this."), errors=errors)


def _same(there: ValidationRun, run: ValidationRun, *, at_given: bool) -> ValidationRun:
    fields = SHOWN if at_given else tuple(name for name in SHOWN if name != "performed_at")
    if state(there, fields) != state(run, fields):
        raise Conflict(
            _("%(source)s sent run %(id)s before, with another content.")
            % {"source": run.source, "id": run.external_id},
            hint=_("A correction is a new run with an identifier of its own."),
        )
    return there
