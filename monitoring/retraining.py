"""Requests for retraining, recalibration and rollback: written, sent, watched. What the product does by itself.

A request is written with its messages to the use case's receivers in one transaction
(``notify.services.send_webhook``).
A use case has at most one open request of a kind: whoever asks again is shown that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.people import holders
from governance.models import ModelVersion
from kernel.database import lock_rows
from ledger import SYSTEM, UnitOfWork, state, unit_of_work
from monitoring.models import Alert, RetrainingReceiver, RetrainingRequest, RetrainingSetup
from monitoring.models.retraining import OPEN
from monitoring.selectors.breach_facts import breach_facts
from notify.services import send_webhook, tell
from portfolio.models import OperatingPlan, Stage, Status, UseCase
from portfolio.signals import announce_change

LEVELS = Path(__file__).resolve().parent / "service_levels.yaml"
FIELDS = (
    "kind",
    "origin",
    "state",
    "decision",
    "accept_by",
    "due_at",
    "accepted_at",
    "finished_at",
    "reference",
    "new_version",
    "evidence",
)
WATCHED = (Stage.PRODUCTION, Stage.OPERATIONS)
RUNS_IT = ("technical_lead", "it_operations")
ALSO_TOLD = ("business_owner",)
ABOVE = ("business_sponsor", "portfolio_manager", "risk_compliance")
AT_ONCE = 200


@cache
def service_levels() -> Mapping[str, Mapping[str, Mapping[str, int]]]:
    """kind -> accept, finish -> tier -> minutes."""
    found: dict[str, dict[str, dict[str, int]]] = yaml.safe_load(LEVELS.read_text(encoding="utf-8"))
    return found


def times_for(kind: str, tier: str, setup: RetrainingSetup | None, at: datetime) -> tuple[datetime, datetime]:
    """(accepted by, done by). What is unclassified has the times of the high tier; own hours are of retraining."""
    levels, column = service_levels()[kind], tier if tier in ("minimal", "limited") else "high"
    accept, finish = timedelta(minutes=levels["accept"][column]), timedelta(minutes=levels["finish"][column])
    if setup is not None and kind == RetrainingRequest.Kind.RETRAIN:
        accept = timedelta(hours=setup.accept_hours) if setup.accept_hours else accept
        finish = timedelta(hours=setup.finish_hours) if setup.finish_hours else finish
    return at + min(accept, finish), at + finish


def ask(
    uow: UnitOfWork,
    *,
    use_case: UseCase,
    kind: str,
    origin: str,
    reason: str,
    by: User | None,
    alert: Alert | None = None,
    decision: str = "",
) -> tuple[RetrainingRequest, bool]:
    """The open request of this kind, and whether it is new. The caller holds the lock of the use case's row."""
    known = RetrainingRequest.objects.filter(use_case=use_case, kind=kind, state__in=OPEN).first()
    if known is not None:
        if decision and not known.decision:
            before = state(known, FIELDS)
            known.decision = decision
            known.save(update_fields=["decision"])
            after = state(known, FIELDS)
            uow.record("retraining.decided", subject=known, use_case=use_case, before=before, after=after)
        return known, False
    now = timezone.now()
    setup = RetrainingSetup.objects.filter(use_case=use_case).first()
    accept_by, due_at = times_for(kind, use_case.tier, setup, now)
    row = RetrainingRequest.objects.create(
        use_case=use_case,
        kind=kind,
        origin=origin,
        reason=reason.strip(),
        tier=use_case.tier,
        alert=alert,
        decision=decision,
        version=live_version(use_case),
        requested_by=by,
        requested_at=now,
        accept_by=accept_by,
        due_at=due_at,
    )
    uow.record("retraining.requested", subject=row, use_case=use_case, after=state(row, FIELDS), note=row.reason[:300])
    send(row)
    words = _("%(what)s is asked for") % {"what": row.get_kind_display()}
    tell_of(row, "retraining.requested", words, row.reason, people_of(row, RUNS_IT))
    announce_change(uow, use_case.pk, "retraining")
    return row, True


def send(row: RetrainingRequest) -> int:
    """Write a message to each receiver that gets this kind and is switched on; returns to how many."""
    rows = RetrainingReceiver.objects.filter(use_case=row.use_case, removed_at__isnull=True, endpoint__enabled=True)
    receivers = [each for each in rows.select_related("endpoint") if row.kind in each.kinds]
    data = payload(row) if receivers else {}
    for each in receivers:
        send_webhook(endpoint=each.endpoint, kind=f"{row.kind}.requested", subject=row.webhook_subject, data=data)
    return len(receivers)


def payload(row: RetrainingRequest) -> dict[str, Any]:
    """What the receiver is told: what to do, about which system and version, why, by when, and where to answer."""
    base = settings.TOLLGATE_PUBLIC_URL
    return {
        "request": row.pk,
        "label": str(row),
        "kind": row.kind,
        "origin": row.origin,
        "reason": row.reason,
        "decision": row.decision,
        "use_case": {"key": row.use_case.key, "name": row.use_case.name, "tier": row.tier},
        "version": None
        if row.version is None
        else {"model": row.version.model.name, "label": row.version.label, "id": row.version.pk},
        "alert": breach_facts(row.alert) if row.alert is not None else None,
        "requested_at": row.requested_at,
        "accept_by": row.accept_by,
        "due_at": row.due_at,
        "page_url": f"{base}{reverse('monitoring:retraining_request', args=[row.pk])}",
        "answer_url": f"{base}{reverse('retraining-request-answer', args=[row.pk])}",
    }


def live_version(use_case: UseCase) -> ModelVersion | None:
    """The version in use; where several models have one, the newest."""
    rows = ModelVersion.objects.select_related("model").filter(model__use_case=use_case, state="live")
    return rows.order_by("-live_at").first()


def ask_automatically(*, at: datetime | None = None) -> int:
    """Ask where a use case says so: at a breach of a metric it names, and on the day of its plan."""
    moment = at or timezone.now()
    rows = RetrainingSetup.objects.filter(use_case__status=Status.ACTIVE, use_case__stage__in=WATCHED)
    wanted = rows.filter(~Q(on_breach_of=[]) | Q(on_due_day=True))
    return sum(_at_breach(setup) + _on_day(setup, moment) for setup in wanted.select_related("use_case")[:AT_ONCE])


def _at_breach(setup: RetrainingSetup) -> int:
    if not setup.on_breach_of:
        return 0
    alerts = Alert.objects.filter(
        series__use_case=setup.use_case_id, series__metric__in=setup.on_breach_of, level=Alert.Level.ACT, outcome=""
    ).exclude(state=Alert.AlertState.RESOLVED)
    alert = alerts.filter(rule__isnull=False, retraining_requests__isnull=True).order_by("opened_at").first()
    if alert is None:
        return 0
    return _ask_by_itself(setup, RetrainingRequest.Origin.RULE, alert.message, alert)


def _on_day(setup: RetrainingSetup, at: datetime) -> int:
    plan = OperatingPlan.objects.filter(use_case=setup.use_case_id).first() if setup.on_due_day else None
    due = plan.retrain_next_date if plan is not None else None
    if due is None or due > at.date():
        return 0
    since = RetrainingRequest.objects.filter(
        use_case=setup.use_case_id, kind=RetrainingRequest.Kind.RETRAIN, requested_at__date__gte=due
    )
    if since.exists():
        return 0
    reason = _("The operating plan names %(day)s as the next retraining.") % {"day": f"{due:%-d %b %Y}"}
    return _ask_by_itself(setup, RetrainingRequest.Origin.SCHEDULE, reason, None)


def _ask_by_itself(setup: RetrainingSetup, origin: str, reason: str, alert: Alert | None) -> int:
    with unit_of_work(by=SYSTEM) as uow:
        use_case = lock_rows(UseCase.objects.select_related("unit").filter(pk=setup.use_case_id)).get()
        _row, new = ask(
            uow,
            use_case=use_case,
            kind=RetrainingRequest.Kind.RETRAIN,
            origin=origin,
            reason=reason,
            by=None,
            alert=alert,
        )
    return int(new)


def chase_late(*, at: datetime | None = None) -> int:
    """Tell of requests that are late once, and of those twice as late one level up. Returns how many were told of."""
    moment = at or timezone.now()
    rows = RetrainingRequest.objects.filter(state__in=OPEN, use_case__status=Status.ACTIVE)
    late = Q(due_at__lte=moment) | Q(accepted_at__isnull=True, accept_by__lte=moment)
    told = [_tell_late(pk, moment) for pk in rows.filter(late, late_told_at__isnull=True).values_list("pk", flat=True)]
    waiting = rows.filter(due_at__lte=moment, escalated_at__isnull=True).only("due_at", "requested_at")
    twice = [row.pk for row in waiting[:AT_ONCE] if moment >= row.due_at + (row.due_at - row.requested_at)]
    return sum(told) + sum(_escalate(pk, moment) for pk in twice)


def _tell_late(pk: Any, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        row = locked_request(pk)
        if row.late_told_at is not None or not row.is_overdue(moment):
            return False
        row.late_told_at = moment
        row.save(update_fields=["late_told_at"])
        after = {"accept_by": row.accept_by, "due_at": row.due_at}
        uow.record("retraining.late", subject=row, use_case=row.use_case, after=after)
        words = _("%(request)s is late") % {"request": row}
        if row.accepted_at is None:
            said = _("Nobody has accepted it; that was due on %(day)s UTC.")
            body = said % {"day": f"{row.accept_by:%-d %b %Y %H:%M}"}
        else:
            body = _("It was to be done by %(day)s UTC.") % {"day": f"{row.due_at:%-d %b %Y %H:%M}"}
        tell_of(row, "retraining.late", words, body, people_of(row, (*RUNS_IT, *ALSO_TOLD)))
    return True


def _escalate(pk: Any, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        row = locked_request(pk)
        if row.escalated_at is not None or not row.is_open:
            return False
        row.escalated_at = moment
        row.save(update_fields=["escalated_at"])
        uow.record("retraining.escalated", subject=row, use_case=row.use_case, after={"due_at": row.due_at})
        words = _("%(request)s is not done long after its time") % {"request": row}
        body = _("It was to be done by %(day)s UTC.") % {"day": f"{row.due_at:%-d %b %Y %H:%M}"}
        tell_of(row, "retraining.escalated", words, body, people_of(row, ABOVE))
    return True


def undelivered(request_id: Any, message_id: Any = None) -> None:
    """A receiver never took the message: whoever runs it is told, and asks it by hand."""
    with unit_of_work(by=SYSTEM) as uow:
        row = RetrainingRequest.objects.filter(pk=request_id).first()
        if row is None:
            return
        row = locked_request(row.pk)
        uow.record("retraining.undelivered", subject=row, use_case=row.use_case, after={"state": row.state})
        receiver = RetrainingReceiver.objects.filter(endpoint__messages=message_id).first() if message_id else None
        words = _("%(request)s could not be delivered") % {"request": row}
        said = _("%(receiver)s did not take it. Look at the attempts, mend the receiver, and send it again.")
        body = said % {"receiver": receiver or _("The receiver")}
        tell_of(row, "retraining.undelivered", words, body, people_of(row, RUNS_IT))


def locked_request(pk: Any) -> RetrainingRequest:
    related = ("use_case__unit", "version__model", "alert__series")
    return lock_rows(RetrainingRequest.objects.select_related(*related).filter(pk=pk)).get()


def people_of(row: RetrainingRequest, roles: tuple[str, ...]) -> list[User]:
    return list({p.pk: p for role in roles for p in holders(role=role, use_case=row.use_case)}.values())


def tell_of(row: RetrainingRequest, kind: str, words: str, body: str, people: list[User]) -> None:
    tell(
        recipients=people,
        kind=kind,
        title=f"{row.use_case.key} {row.use_case.name}: {words}",
        body=body,
        url=reverse("monitoring:retraining_request", args=[row.pk]),
    )
