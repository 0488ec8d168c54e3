"""Submit a gate for review, withdraw it, and keep its snapshot current."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.utils import timezone

from accounts.access import can, require
from accounts.models import User
from accounts.people import holders
from accounts.roles import roles_allowing
from gates.in_force import body_of, policy_for
from gates.lapsing import lapse, live_votes, locked_review
from gates.models import GateAssurance, Policy, Review, Snapshot
from gates.policy import PolicyBody
from gates.services.scenes import room_of
from gates.snapshots import Frozen, changed_facts, freeze, state_of
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid, NotReady
from ledger import UnitOfWork, again_when_overtaken, unit_of_work
from notify.services import tell
from portfolio.models import Status, UseCase
from portfolio.signals import announce_change

__all__ = [
    "SnapshotRenewed",
    "close",
    "lapse",
    "locked_review",
    "refresh_review",
    "renew_if_changed",
    "require_active",
    "require_open",
    "submit_review",
    "withdraw_review",
]


class SnapshotRenewed(Conflict):
    """Facts changed since the snapshot, so it was taken again: what was asked for is refused, the new one is kept."""

    code = "snapshot_renewed"


@again_when_overtaken
def submit_review(*, use_case: UseCase, gate: str, by: User, message: str = "", asks_to_end: bool = False) -> Review:
    """Freeze the facts of a use case at its next gate and ask the people of the approval matrix to sign.

    ``Conflict`` when a review of this gate is open, when the gate is not the next one, or the use case is on hold;
    ``NotReady`` names every mandatory criterion that is open. With ``asks_to_end`` it asks for a stop, a pivot or a
    retirement instead: with whatever is open, on hold too, nobody signs it, and no go can come of it; the message has
    to say why, and sponsors may ask as well.
    """
    if asks_to_end:
        _require_to_ask(by, use_case, message)
    else:
        require(by, "gate.submit", use_case)
    now = timezone.now()
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(UseCase.objects.select_related("unit").filter(pk=use_case.pk)).get()
        uow.watch(fresh)
        version, policy = policy_for(fresh)
        _check_gate(fresh, gate, policy, asks_to_end=asks_to_end)
        frozen = freeze(fresh.pk, policy.gates[gate], policy, now)
        if not asks_to_end:
            _check_ready(frozen)
        slots = policy.slots(gate, frozen.result.tier)
        if slots is None or not slots.signers:
            raise Conflict(f"The approval matrix names nobody for {gate} at the {frozen.result.tier} tier.")
        previous = Review.objects.filter(use_case=fresh, gate=gate).order_by("-submitted_at").first()
        review = Review.objects.create(
            number=_next_number(),
            use_case=fresh,
            gate=gate,
            policy_version=version,
            tier=frozen.result.tier,
            round=previous.round + 1 if previous and previous.state in ("returned", "withdrawn") else 1,
            digest=frozen.digest,
            slots=[] if asks_to_end else [{"role": role} for role in slots.signers],
            message=message.strip(),
            asks_to_end=asks_to_end,
            submitted_by=by,
            submitted_at=now,
            due_at=now + timedelta(days=slots.decision_sla_days),
            previous=previous,
        )
        Snapshot.objects.create(review=review, digest=frozen.digest, body=frozen.body, taken_at=now)
        after = {
            "gate": gate,
            "tier": review.tier,
            "digest": review.digest,
            "policy": policy.digest,
            "state": review.state,
            "asks_to_end": asks_to_end,
        }
        uow.record("review.submitted", subject=review, use_case=fresh, after=after, note=review.message[:300])
        if asks_to_end:
            _ask_deciders(review)
        else:
            _ask_signers(review, policy)
        announce_change(uow, fresh.pk, "review")
    return review


def withdraw_review(*, review: Review, by: User, reason: str) -> Review:
    """Take an open review back. Its sign-offs lapse; the signers are told."""
    require(by, "gate.submit", review.use_case)
    with unit_of_work(by=by) as uow:
        fresh = locked_review(review)
        require_open(fresh)
        votes = live_votes(fresh)
        close(uow, fresh, Review.State.WITHDRAWN, reason)
        lapse(uow, fresh, votes, f"The review was withdrawn: {reason}"[:300])
    return fresh


@again_when_overtaken
def refresh_review(*, review: Review, by: User) -> tuple[Review, list[str]]:
    """Compare the snapshot with the facts of now on request; what changed, in words (empty: it still holds)."""
    require(by, "gate.submit", review.use_case)
    with unit_of_work(by=by) as uow:
        fresh = locked_review(review)
        require_open(fresh)
        changed = renew_if_changed(uow, fresh)
    return fresh, changed


def renew_if_changed(uow: UnitOfWork, review: Review) -> list[str]:
    """Freeze again when facts changed since the snapshot of a locked, open review.

    Votes on the old digest lapse in the same transaction and their signers are told. Returns what changed. A caller
    that refuses on it lets its unit of work end first (``SnapshotRenewed``), so that the new snapshot is kept.
    """
    uow.watch(review.use_case_id)  # what is compared here has to be true still when the unit commits
    policy = body_of(review.policy_version)
    frozen = freeze(review.use_case_id, policy.gates[review.gate], policy, timezone.now())
    current = review.snapshots.get(digest=review.digest)
    if state_of(current.body) == frozen.state:
        return []
    changed = changed_facts(current.body, frozen.body) or ["facts"]
    _replace(uow, review, current, frozen, changed)
    return changed


def require_open(review: Review) -> None:
    """``Conflict`` that says why nothing more can be done with a closed review."""
    if not review.is_open:
        raise Conflict(
            f"{review} is closed: {review.get_state_display().lower()}.",
            hint="Submit a new review if the gate is still to be passed.",
        )


def close(uow: UnitOfWork, review: Review, state: str, note: str) -> None:
    before = {"state": review.state}
    review.state, review.closed_at = state, timezone.now()
    review.save(update_fields=["state", "closed_at"])
    verb = {"withdrawn": "review.withdrawn", "returned": "review.returned", "decided": "review.decided"}.get(
        state, "review.closed"
    )
    uow.record(verb, subject=review, use_case=review.use_case, before=before, after={"state": state}, note=note[:300])
    announce_change(uow, review.use_case_id, "review")


def _replace(uow: UnitOfWork, review: Review, old: Snapshot, frozen: Frozen, changed: list[str]) -> None:
    because = f"Facts changed after the snapshot: {', '.join(changed)}."[:300]
    old.replaced_because = because
    old.save(update_fields=["replaced_because"])
    votes = live_votes(review)
    before = {"digest": review.digest, "tier": review.tier}
    slots = body_of(review.policy_version).slots(review.gate, frozen.result.tier)
    review.digest, review.tier = frozen.digest, frozen.result.tier
    if slots is not None and not review.asks_to_end:
        review.slots = [{"role": role} for role in slots.signers]
    review.save(update_fields=["digest", "tier", "slots"])
    Snapshot.objects.create(review=review, digest=frozen.digest, body=frozen.body, taken_at=timezone.now())
    after = {"digest": review.digest, "tier": review.tier}
    uow.record("review.refreshed", subject=review, use_case=review.use_case, before=before, after=after, note=because)
    lapse(uow, review, votes, because)
    announce_change(uow, review.use_case_id, "review")


def _require_to_ask(by: User, use_case: UseCase, message: str) -> None:
    """Whoever prepares gates or may stop the use case asks for its end, and says why."""
    if not can(by, "use_case.stop", use_case):
        require(by, "gate.submit", use_case)
    if not by.is_person:
        raise PermissionDenied("Service accounts never ask for an end (SOD-12).")
    if not message.strip():
        why = "Say why it should end or change; this becomes part of the record."
        raise Invalid("Say why.", errors={"message": [why]})


def _check_gate(use_case: UseCase, gate: str, policy: PolicyBody, *, asks_to_end: bool = False) -> None:
    found = policy.next_gate(use_case.stage)
    if (found is None or found.key != gate) and not _is_owed_again(use_case, gate, policy):
        expected = found.title if found else "none, for it has ended"
        raise Conflict(
            f"“{gate}” is not the next gate of {use_case.key} (stage {use_case.stage}); that is: {expected}."
        )
    if not asks_to_end:
        require_active(use_case)
    running = Review.objects.filter(use_case=use_case, state=Review.State.OPEN).first()
    if running is not None:
        raise Conflict(
            f"{running} of this use case is already open.", hint="Withdraw it, or have it decided, before you submit."
        )


def _is_owed_again(use_case: UseCase, gate: str, policy: PolicyBody) -> bool:
    """Whether ``gate`` is the one that led to the present stage and its approval has to be renewed."""
    if gate not in policy.gates or policy.gates[gate].to_stage != use_case.stage:
        return False
    passed = GateAssurance.objects.filter(use_case=use_case, gate=gate).first()
    if passed is None:
        return False
    called = use_case.review_calls.filter(gate=gate, settled_at__isnull=True)
    return passed.state == GateAssurance.State.REAPPROVAL or called.exists()


def require_active(use_case: UseCase) -> None:
    """``Conflict`` when a use case is on hold or has ended."""
    if use_case.status != Status.ACTIVE:
        raise Conflict(f"{use_case.key} is {use_case.get_status_display().lower()}; resume it first.")


def _check_ready(frozen: Frozen) -> None:
    result = frozen.result
    if result.ready:
        return
    found = [*result.blockers, *(f"{j.criterion.id} {j.criterion.title}: {j.finding.reason}" for j in result.open())]
    raise NotReady(
        f"This cannot be submitted yet: {len(found)} mandatory points are open.",
        hint="Settle what is listed, then submit again.",
        errors={"criteria": found},
    )


def _next_number() -> int:
    """The next review number, under the lock of the primary policy's row: submissions are rare."""
    lock_rows(Policy.objects.filter(is_primary=True)).get()
    return int(Review.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def _ask_deciders(review: Review) -> None:
    """Whoever may stop it, besides who asks: sponsors and the board."""
    people = {p.pk: p for role in roles_allowing("use_case.stop") for p in holders(role=role, use_case=review.use_case)}
    people.pop(review.submitted_by_id, None)
    tell(
        recipients=list(people.values()),
        kind="review.submitted",
        title=f"{review}: {review.use_case.name} asks for an end or a pivot",
        body=review.message[:300],
        url=f"/gates/reviews/{review.number}/",
    )


def _ask_signers(review: Review, policy: PolicyBody) -> None:
    tell(
        recipients=room_of(review).waited_for(),
        kind="review.submitted",
        title=f"{review}: your signature is asked for",
        body=f"{review.use_case.name}, {policy.gates[review.gate].title}. Due {review.due_at:%-d %b %Y}.",
        url=f"/gates/reviews/{review.number}/",
        dedupe_key=f"review-{review.number}-{review.digest[:16]}",
    )
