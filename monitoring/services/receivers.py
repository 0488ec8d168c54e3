"""Receivers of requests for retraining: systems that get signed messages, each with its own secret and kinds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid, NotReady
from ledger import UnitOfWork, unit_of_work
from monitoring.models import RetrainingReceiver, RetrainingRequest
from notify.models import WebhookEndpoint, WebhookMessage
from notify.services import retry_webhook
from notify.webhooks import Tried, check_secret, new_secret, seal, send_now
from portfolio.models import UseCase
from portfolio.services.rights import Actor, demand

CONFIGURE = "monitor.configure"
MOST = 20
LONGEST_URL, LONGEST_NAME = 500, 120


def add_receiver(
    *,
    use_case: UseCase,
    name: str,
    url: str,
    kinds: Iterable[str],
    by: Actor,
    secret: str = "",
    enabled: bool = True,
) -> tuple[RetrainingReceiver, str]:
    """Have requests of these kinds sent to another system. Returns the secret if one was made: shown once."""
    demand(by, CONFIGURE, use_case)
    wanted = _checked(name, url, kinds, secret)
    made = "" if secret else new_secret()
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(UseCase.objects.select_related("unit").filter(pk=use_case.pk)).get()
        _refuse_taken(fresh, wanted["name"])
        if receivers_of(fresh).count() >= MOST:
            raise Conflict(_("A use case has at most %(most)d receivers.") % {"most": MOST})
        endpoint = WebhookEndpoint(url=url, secret=seal(secret or made), enabled=enabled)
        endpoint.name = f"{fresh.key} {wanted['name']}"[:200]
        endpoint.save(force_insert=True)
        row = RetrainingReceiver(use_case=fresh, endpoint=endpoint, **wanted)
        row.save(force_insert=True)
        _record(uow, "retraining.receiver_added", row, after=_told(row))
    return row, made


def change_receiver(
    *,
    receiver: RetrainingReceiver,
    name: str,
    url: str,
    kinds: Iterable[str],
    enabled: bool,
    by: Actor,
    secret: str = "",
) -> RetrainingReceiver:
    """Change what it is called, where it is, what it gets, whether it is on. An empty secret keeps the one it has."""
    demand(by, CONFIGURE, receiver)
    wanted = _checked(name, url, kinds, secret)
    with unit_of_work(by=by) as uow:
        row = _locked(receiver)
        _refuse_taken(row.use_case, wanted["name"], but=row)
        before = _told(row)
        row.name, row.kinds = wanted["name"], wanted["kinds"]
        row.save(update_fields=["name", "kinds"])
        endpoint = row.endpoint
        endpoint.url, endpoint.enabled, endpoint.disabled_because = url, enabled, ""
        endpoint.name = f"{row.use_case.key} {row.name}"[:200]
        if secret:
            endpoint.secret = seal(secret)
        endpoint.save()
        after = _told(row) | ({"secret": "changed"} if secret else {})
        if after != before:
            _record(uow, "retraining.receiver_changed", row, before=before, after=after)
    return row


def renew_secret(*, receiver: RetrainingReceiver, by: Actor) -> str:
    """Make a new secret; the old one signs nothing from now on. Returned once."""
    demand(by, CONFIGURE, receiver)
    with unit_of_work(by=by) as uow:
        row, made = _locked(receiver), new_secret()
        row.endpoint.secret = seal(made)
        row.endpoint.save(update_fields=["secret"])
        _record(uow, "retraining.secret_renewed", row, after={"secret": "changed"})
    return made


def try_receiver(*, receiver: RetrainingReceiver, by: Actor) -> Tried:
    """Send one signed test message now, and say how it went. Nothing of it is kept."""
    demand(by, CONFIGURE, receiver)
    if receiver.removed_at is not None:
        raise Conflict(_("This receiver was removed."))
    return send_now(receiver.endpoint)


def remove_receiver(*, receiver: RetrainingReceiver, by: Actor) -> RetrainingReceiver:
    """Nothing goes there any more. What was sent stays on record; its secret is gone."""
    demand(by, CONFIGURE, receiver)
    with unit_of_work(by=by) as uow:
        row = _locked(receiver)
        before = _told(row)
        row.removed_at = timezone.now()
        row.save(update_fields=["removed_at"])
        said = _("The receiver was removed.")
        row.endpoint.secret, row.endpoint.enabled, row.endpoint.disabled_because = "", False, said
        row.endpoint.save(update_fields=["secret", "enabled", "disabled_because"])
        waiting = WebhookMessage.objects.filter(endpoint=row.endpoint, state=WebhookMessage.State.QUEUED)
        waiting.update(state=WebhookMessage.State.FAILED, error=said)
        _record(uow, "retraining.receiver_removed", row, before=before)
    return row


def retry_delivery(*, receiver: RetrainingReceiver, message: WebhookMessage, by: Actor) -> None:
    """Send a message again that failed for good, under the same id. ``NotReady`` while the receiver is off."""
    demand(by, CONFIGURE, receiver)
    with unit_of_work(by=by) as uow:
        row = _locked(receiver)
        if message.endpoint_id != row.endpoint_id:
            raise Invalid(_("This message went to another receiver."))
        if not row.endpoint.enabled:
            raise NotReady(_("The receiver is switched off."), hint=_("Switch it on first."))
        if not retry_webhook(message):
            raise Conflict(_("Only what failed for good is sent again."))
        after = {"message": str(message.pk), "subject": message.subject}
        _record(uow, "retraining.delivery_retried", row, after=after)


def receivers_of(use_case: UseCase) -> Any:
    """Those that were not removed, by name."""
    rows = RetrainingReceiver.objects.filter(use_case=use_case, removed_at__isnull=True)
    return rows.select_related("endpoint").order_by("name")


def _locked(receiver: RetrainingReceiver) -> RetrainingReceiver:
    rows = RetrainingReceiver.objects.select_related("use_case__unit", "endpoint").filter(pk=receiver.pk)
    row = lock_rows(rows).get()
    if row.removed_at is not None:
        raise Conflict(_("This receiver was removed."))
    return row


def _record(uow: UnitOfWork, action: str, row: RetrainingReceiver, **told: Any) -> None:
    uow.record(action, subject=row, use_case=row.use_case, **told)


def _told(row: RetrainingReceiver) -> dict[str, Any]:
    """What the ledger tells of it. Never the secret."""
    return {"name": row.name, "url": row.endpoint.url, "kinds": list(row.kinds), "enabled": row.endpoint.enabled}


def _refuse_taken(use_case: UseCase, name: str, but: RetrainingReceiver | None = None) -> None:
    rows = receivers_of(use_case).filter(name=name)
    if (rows.exclude(pk=but.pk) if but else rows).exists():
        said = _("Another receiver of this use case has this name.")
        raise Invalid(said, errors={"name": [said]})


def _checked(name: str, url: str, kinds: Iterable[str], secret: str) -> dict[str, Any]:
    errors: dict[str, list[str]] = {}
    if not name.strip() or len(name.strip()) > LONGEST_NAME:
        errors["name"] = [_("Give it a name of at most %(most)d characters.") % {"most": LONGEST_NAME}]
    try:
        URLValidator(schemes=["http", "https"])(url)
        if len(url) > LONGEST_URL:
            errors["url"] = [_("At most %(most)d characters.") % {"most": LONGEST_URL}]
    except ValidationError as wrong:
        errors["url"] = list(wrong.messages)
    chosen = set(kinds)
    known = RetrainingRequest.Kind.values
    if not chosen or chosen - set(known):
        errors["kinds"] = [_("Choose what it gets: retrain, recalibrate, roll back.")]
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=errors)
    if secret:
        check_secret(secret)
    return {"name": name.strip(), "kinds": [kind for kind in known if kind in chosen]}
