"""Retraining as people and machines ask of it: set it up, ask by hand, answer, send again. Receivers: ``receivers``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.translation import gettext as _

from governance.models import AiModel, Evidence, ModelVersion
from governance.services import register_version
from governance.services.evidence import add_run
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid, NotReady
from ledger import SYSTEM, UnitOfWork, state, unit_of_work
from monitoring.models import RetrainingRequest, RetrainingSetup, Series
from monitoring.models.retraining import TRANSITIONS
from monitoring.retraining import ALSO_TOLD, FIELDS, RUNS_IT, ask, locked_request, people_of, send, tell_of
from portfolio.models import OperatingPlan, UseCase
from portfolio.services import edit_plan
from portfolio.services.rights import Actor, demand, demand_any, person
from portfolio.signals import announce_change

CONFIGURE = "monitor.configure"
ANSWERS = ("version.register", "deployment.record")
"""Who may answer: whoever registers versions or records deployments, machines among them."""
LONGEST = 4000
MOST_HOURS = 8784
SETUP = ("on_breach_of", "on_due_day", "accept_hours", "finish_hours")
ENDED = ("done", "failed", "refused")


def set_up_retraining(
    *,
    use_case: UseCase,
    by: Actor,
    on_breach_of: Iterable[str] = (),
    on_due_day: bool = False,
    accept_hours: int | None = None,
    finish_hours: int | None = None,
) -> RetrainingSetup:
    """Say when the product asks by itself, and how long it may take where that differs from the tier."""
    demand(by, CONFIGURE, use_case)
    _check_own(use_case, list(on_breach_of), accept_hours, finish_hours)
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(UseCase.objects.select_related("unit").filter(pk=use_case.pk)).get()
        setup = RetrainingSetup.objects.filter(use_case=fresh).first() or RetrainingSetup(use_case=fresh)
        before = None if setup._state.adding else state(setup, SETUP)
        setup.on_breach_of, setup.on_due_day = sorted(set(on_breach_of)), on_due_day
        setup.accept_hours, setup.finish_hours = accept_hours, finish_hours
        setup.save()
        uow.record("retraining.set_up", subject=setup, use_case=fresh, before=before, after=state(setup, SETUP))
        announce_change(uow, fresh.pk, "retraining")
    return setup


def request_retraining(*, use_case: UseCase, kind: str, reason: str, by: Actor) -> RetrainingRequest:
    """Ask by hand. ``Conflict`` when one of the kind is open."""
    demand(by, CONFIGURE, use_case)
    errors: dict[str, list[str]] = {}
    if kind not in RetrainingRequest.Kind.values:
        errors["kind"] = [_("Choose what is asked for.")]
    if not reason.strip() or len(reason) > LONGEST:
        errors["reason"] = [_("Say why, in at most %(most)d characters.") % {"most": LONGEST}]
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=errors)
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(UseCase.objects.select_related("unit").filter(pk=use_case.pk)).get()
        origin = RetrainingRequest.Origin.PERSON
        row, new = ask(uow, use_case=fresh, kind=kind, origin=origin, reason=reason, by=person(by))
        if not new:
            raise Conflict(_("%(request)s asks for this already.") % {"request": row})
    return row


def answer_request(
    *,
    request: RetrainingRequest,
    state_now: str,
    by: Actor,
    message: str = "",
    reference: str = "",
    version: str = "",
    significant: bool = True,
    metrics: Mapping[str, Any] | None = None,
    bundle: Mapping[str, object] | None = None,
) -> RetrainingRequest:
    """How far it is, as whoever runs it says. The answer that ends it is kept as evidence of the use case.

    ``version`` is the label of the version that came of it: of a retraining a new one, which is registered as a
    candidate; of a rollback one that is there. A new version is a ``significant`` change, which voids what was shown
    before, unless whoever answers says that it stays within what was approved: same code, same features, same kind of
    data. ``Conflict`` for a step that the state does not allow.
    """
    demand_any(by, ANSWERS, request.use_case)
    _check_answer(state_now, message, reference)
    with unit_of_work(by=by) as uow:
        lock_rows(UseCase.objects.filter(pk=request.use_case_id)).get()
        row = locked_request(request.pk)
        if state_now not in TRANSITIONS.get(row.state, frozenset()):
            words = {"request": row, "state": str(row.get_state_display()).lower()}
            raise Conflict(_("%(request)s is %(state)s: that answer comes too late or too early.") % words)
        before, now = state(row, FIELDS), timezone.now()
        row.state, row.message, row.answered_by = state_now, message.strip(), person(by)
        row.reference = reference.strip() or row.reference
        if state_now != "refused" and row.accepted_at is None:
            row.accepted_at = now
        if state_now in ENDED:
            row.finished_at = now
            made = {"metrics": metrics, "bundle": bundle, "significant": significant}
            row.new_version = _version(row, version, made, by) if state_now == "done" else None
            row.evidence = _evidence(row, metrics, by)
        row.save()
        after = state(row, FIELDS)
        action = f"retraining.{state_now}"
        uow.record(action, subject=row, use_case=row.use_case, before=before, after=after, note=row.message[:300])
        _follow_up(uow, row)
    return row


def send_again(*, request: RetrainingRequest, by: Actor) -> RetrainingRequest:
    """Send the request to its receivers once more, as after one was mended."""
    demand(by, CONFIGURE, request.use_case)
    with unit_of_work(by=by) as uow:
        row = locked_request(request.pk)
        if not row.is_open:
            raise Conflict(_("%(request)s has been answered.") % {"request": row})
        if not send(row):
            raise NotReady(
                _("No receiver that is switched on gets this kind of request."),
                hint=_("Add one, or switch one on, in the settings of retraining."),
            )
        uow.record("retraining.sent_again", subject=row, use_case=row.use_case, after={"state": row.state})
    return row


def _check_own(use_case: UseCase, metrics: list[str], accept: int | None, finish: int | None) -> None:
    errors: dict[str, list[str]] = {}
    known = set(Series.objects.filter(use_case=use_case).values_list("metric", flat=True))
    if unknown := [metric for metric in metrics if metric not in known]:
        said = _("The use case has no series of %(metrics)s.") % {"metrics": ", ".join(unknown)}
        errors["on_breach_of"] = [said]
    for name, hours in (("accept_hours", accept), ("finish_hours", finish)):
        if hours is not None and not 1 <= hours <= MOST_HOURS:
            errors[name] = [_("At least one hour, at most a year.")]
    if accept and finish and accept > finish:
        errors["accept_hours"] = [_("It cannot be accepted later than it is to be done.")]
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=errors)


def _check_answer(state_now: str, message: str, reference: str) -> None:
    errors: dict[str, list[str]] = {}
    if state_now not in {name for names in TRANSITIONS.values() for name in names}:
        errors["state"] = [_("Answer accepted, in_progress, done, failed or refused.")]
    if len(message) > LONGEST:
        errors["message"] = [_("At most %(most)d characters.") % {"most": LONGEST}]
    if state_now in ("failed", "refused") and not message.strip():
        errors["message"] = [_("Say why.")]
    if reference:
        try:
            URLValidator(schemes=["http", "https"])(reference)
        except ValidationError as wrong:
            errors["reference"] = list(wrong.messages)
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=errors)


def _version(row: RetrainingRequest, label: str, made: Mapping[str, Any], by: Actor) -> ModelVersion | None:
    """The version that the answer names. Retraining makes a new one; nothing but its label has to be known of it."""
    label = label.strip()
    if not label:
        if row.kind == RetrainingRequest.Kind.RETRAIN and AiModel.objects.filter(use_case=row.use_case).exists():
            said = _("Name the version that came of it.")
            raise Invalid(said, errors={"version": [said]})
        return None
    model = row.version.model if row.version is not None else _only_model(row.use_case)
    known = ModelVersion.objects.select_related("model").filter(model=model, label=label).first()
    if known is not None:
        return known
    if row.kind == RetrainingRequest.Kind.ROLL_BACK:
        said = _("%(model)s has no version %(label)s to go back to.") % {"model": model.name, "label": label}
        raise Invalid(said, errors={"version": [said]})
    return register_version(
        model=model,
        label=label,
        by=by,
        change_note=f"{row}: {row.message}".strip(": ")[:500],
        **made,
    )


def _only_model(use_case: UseCase) -> AiModel:
    models = list(AiModel.objects.filter(use_case=use_case)[:2])
    if len(models) != 1:
        said = _("Register the model first.") if not models else _("No version is in use, so the model is unclear.")
        raise Invalid(said, errors={"version": [said]})
    return models[0]


def _evidence(row: RetrainingRequest, metrics: Mapping[str, Any] | None, by: Actor) -> Evidence:
    """The answer as evidence: its digest is over what was answered, with what had been asked."""
    content = {
        "request": row.pk,
        "label": str(row),
        "kind": row.kind,
        "decision": row.decision,
        "state": row.state,
        "message": row.message,
        "reference": row.reference,
        "version": row.new_version.label if row.new_version else "",
        "metrics": {str(key): str(value) for key, value in (metrics or {}).items()},
        "requested_at": row.requested_at,
        "finished_at": row.finished_at,
    }
    title = _("%(request)s %(what)s: %(state)s") % {
        "request": row,
        "what": str(row.get_kind_display()).lower(),
        "state": str(row.get_state_display()).lower(),
    }
    return add_run(
        use_case=row.use_case,
        title=title,
        content=content,
        statement=row.message,
        url=row.reference,
        version=row.new_version,
        by=by,
        rights=ANSWERS,
        evidence_type="retraining_log",
    )


def _follow_up(uow: UnitOfWork, row: RetrainingRequest) -> None:
    if row.state == "done" and row.kind == RetrainingRequest.Kind.RETRAIN:
        _move_on(row)
    if row.state in ENDED:
        words = _("%(request)s is %(state)s") % {"request": row, "state": str(row.get_state_display()).lower()}
        tell_of(row, f"retraining.{row.state}", words, row.message, people_of(row, (*RUNS_IT, *ALSO_TOLD)))
    announce_change(uow, row.use_case_id, "retraining")


def _move_on(row: RetrainingRequest) -> None:
    """The next retraining is a cadence away from this one."""
    plan = OperatingPlan.objects.filter(use_case=row.use_case_id).first()
    if plan is None or not plan.retrain_cadence_days:
        return
    next_on = timezone.localdate() + timedelta(days=plan.retrain_cadence_days)
    edit_plan(use_case=row.use_case, changes={"retrain_next_date": next_on}, by=SYSTEM)
