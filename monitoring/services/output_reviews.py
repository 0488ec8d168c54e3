"""Reviewing sampled outputs: claim one, answer it, pass it on, take an answer back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from governance.services.permission import person as human
from kernel.errors import Conflict
from ledger import UnitOfWork, unit_of_work
from monitoring import tasks, verdict_seals
from monitoring.models import Answer, Output, ReasonCode, ReviewItem, SamplingPlan, Skip, Verdict
from monitoring.reviewing import DONE, LEASE, OVERRIDE, REVIEW, UNDO, WAITING, offered, refusal
from portfolio.models import UseCase
from portfolio.services.checks import locked, refuse
from portfolio.services.rights import Actor, demand

REASON_LENGTH, CORRECTED_LENGTH = 4000, 20_000
TRIES = 20


def claim_next(*, by: Actor, use_case: UseCase | None = None) -> ReviewItem | None:
    """Take the next output of one's queue, the one due first; None when nothing is left. What one has stays one's."""
    user = human(by)
    now = timezone.now()
    rows = offered(user, now)
    if use_case is not None:
        rows = rows.filter(output__use_case=use_case)
    mine = rows.filter(claimed_by=user, leased_until__gt=now).order_by("leased_until").first()
    if mine is not None:
        return mine
    for item in rows.order_by("due_at", "slot", "pk")[:TRIES]:
        if _take(item, by=user, now=now):
            return item
    return None


def claim_output(*, item: ReviewItem, by: Actor) -> ReviewItem:
    """Take this one. ``PermissionDenied`` for whoever acted on it, ``Conflict`` while somebody else has it."""
    user = human(by)
    demand(by, REVIEW, item)
    if reason := refusal(user, item):
        raise PermissionDenied(reason)
    if item.state != WAITING:
        raise Conflict(_("Nothing is left to review here: %(state)s.") % {"state": item.get_state_display().lower()})
    if not _take(item, by=user, now=timezone.now()):
        raise Conflict(_("Somebody else is reviewing this output now."), hint=_("Take the next one of your queue."))
    return item


def review_output(
    *, item: ReviewItem, answer: str, by: Actor, reason_code: str = "", reason: str = "", corrected: str = ""
) -> Verdict:
    """Say whether the output is right. Against it takes a reason, an override also what it should have been.

    The item has to be claimed. The verdict is sealed: its digest covers the output as it was handed over. While
    another review of the same output is owed the ledger holds the digest alone, and tells the rest with the last one.
    """
    user = human(by)
    demand(by, REVIEW, item)
    reason, corrected = reason.strip(), corrected.strip()
    _check(answer, reason_code, reason, corrected)
    if answer == Answer.OVERRIDE:
        demand(by, OVERRIDE, item)
    now = timezone.now()
    with unit_of_work(by=by) as uow:
        locked(Output, item.output_id)  # two people answer the two reviews of one output one after the other
        item = locked(ReviewItem, item.pk, "output__use_case__unit")
        if why_not := refusal(user, item):
            raise PermissionDenied(why_not)
        if item.state != WAITING:
            raise Conflict(_("This review is over: %(state)s.") % {"state": item.get_state_display().lower()})
        if item.claimed_by_id != user.pk:
            raise Conflict(_("You no longer hold this output."), hint=_("Take the next one of your queue."))
        is_agreed = answer == Answer.AGREE
        verdict = Verdict(
            item=item,
            kind=answer,
            reason_code="" if is_agreed else reason_code,
            reason="" if is_agreed else reason,
            corrected=corrected if answer == Answer.OVERRIDE else "",
            reviewer=user,
            at=now,
            seconds=int((now - item.claimed_at).total_seconds()) if item.claimed_at else None,
        )
        verdict_seals.seal(uow, verdict, "output.reviewed")
        item.state, item.answer, item.reviewer, item.answered_at = DONE, answer, user, now
        _release(item, "state", "answer", "reviewer", "answered_at")
        verdict_seals.tell(uow, [item.output_id])
        _ask_for_statistics(uow, item.output.use_case, now)
    return verdict


def take_back_verdict(*, verdict: Verdict, by: Actor) -> ReviewItem:
    """Within ten minutes, by whoever gave it: recorded as another verdict; the output is theirs to review again."""
    user = human(by)
    demand(by, REVIEW, verdict)
    now = timezone.now()
    with unit_of_work(by=by) as uow:
        item = locked(ReviewItem, verdict.item_id, "output__use_case__unit")
        if verdict.reviewer_id != user.pk:
            raise PermissionDenied(_("Only whoever gave a verdict takes it back."))
        newest = Verdict.objects.filter(item=item).order_by("-at", "-pk").first()
        if newest != verdict or verdict.kind == Verdict.Kind.WITHDRAWN:
            raise Conflict(_("This verdict does not stand any more."))
        if now - verdict.at > UNDO:
            raise Conflict(
                _("A verdict can be taken back for %(minutes)d minutes.") % {"minutes": UNDO.total_seconds() // 60},
                hint=_("Tell the technical lead of the use case: the record is not rewritten."),
            )
        back = Verdict(item=item, kind=Verdict.Kind.WITHDRAWN, reviewer=user, at=now, takes_back=verdict)
        verdict_seals.seal(uow, back, "output.verdict_taken_back")
        item.state, item.answer, item.reviewer, item.answered_at = WAITING, "", None, None
        item.claimed_by, item.claimed_at, item.leased_until = user, now, now + LEASE
        item.save(
            update_fields=[
                *("state", "answer", "reviewer", "answered_at"),
                *("claimed_by", "claimed_at", "leased_until"),
            ]
        )
        _ask_for_statistics(uow, item.output.use_case, now)
    return item


def skip_output(*, item: ReviewItem, by: Actor) -> None:
    """Pass it on: it stays in the queue of the others and is not offered to this person again."""
    user = human(by)
    demand(by, REVIEW, item)
    with unit_of_work(by=by) as uow:
        item = locked(ReviewItem, item.pk, "output__use_case__unit")
        if item.state != WAITING or item.claimed_by_id != user.pk:
            raise Conflict(_("You no longer hold this output."), hint=_("Take the next one of your queue."))
        _skipped, is_new = Skip.objects.get_or_create(item=item, person=user)
        _release(item)
        if is_new:
            uow.record("output.passed_on", subject=item, use_case=item.output.use_case, after={"person": str(user.pk)})


def _take(item: ReviewItem, *, by: Any, now: datetime) -> bool:
    """One UPDATE with its condition: of two who ask at once, one changes a row."""
    free = Q(leased_until__isnull=True) | Q(leased_until__lte=now) | Q(claimed_by=by)
    rows = ReviewItem.objects.filter(free, pk=item.pk, state=WAITING)
    taken = {"claimed_by": by, "claimed_at": now, "leased_until": now + LEASE}
    if not rows.update(**taken):
        return False
    item.claimed_by, item.claimed_at, item.leased_until = by, now, taken["leased_until"]
    return True


def _release(item: ReviewItem, *also: str) -> None:
    item.claimed_by = item.claimed_at = item.leased_until = None
    item.save(update_fields=["claimed_by", "claimed_at", "leased_until", *also])


def _ask_for_statistics(uow: UnitOfWork, use_case: UseCase, now: datetime) -> None:
    SamplingPlan.objects.filter(use_case=use_case, measure_asked_at__isnull=True).update(measure_asked_at=now)
    uow.after_commit(lambda: tasks.measure_reviews_soon(use_case.pk))


def _check(answer: str, reason_code: str, reason: str, corrected: str) -> None:
    errors: dict[str, list[str]] = {}
    if answer not in Answer.values:
        errors["answer"] = [_("Say agree, disagree or override.")]
    elif answer != Answer.AGREE:
        if reason_code not in ReasonCode.values:
            errors["reason_code"] = [_("Choose what is wrong with it.")]
        if not reason or len(reason) > REASON_LENGTH:
            errors["reason"] = [_("Say why, in at most %(most)d characters.") % {"most": REASON_LENGTH}]
    if answer == Answer.OVERRIDE and (not corrected or len(corrected) > CORRECTED_LENGTH):
        said = _("Say what the output should have been, in at most %(most)d characters.")
        errors["corrected"] = [said % {"most": CORRECTED_LENGTH}]
    refuse(errors)
