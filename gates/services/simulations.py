"""Ask what a draft policy would change, and stop asking."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from gates.models import PolicyVersion, Simulation
from gates.policy_access import DRAFT, PUBLISH, may, require_may
from gates.services.policies.drafts import locked_draft, published_of
from gates.tasks import simulate_policy
from kernel.database import lock_rows
from kernel.errors import Conflict
from ledger import unit_of_work

logger = logging.getLogger(__name__)
State = Simulation.State
RUNNING = (State.QUEUED, State.RUNNING)


def simulate_draft(*, version: PolicyVersion, by: User) -> Simulation:
    """Have a draft judged over the whole portfolio in the background.

    ``Conflict`` when the same text is being simulated already.
    """
    if not may(by, PUBLISH, version.policy.unit):
        require_may(by, DRAFT, version.policy.unit)
    with unit_of_work(by=by) as uow:
        fresh = locked_draft(version)
        under_way = Simulation.objects.filter(draft=fresh, state__in=RUNNING)
        if under_way.filter(draft_digest=fresh.digest).filter(_alive()).exists():
            raise Conflict("This text is being simulated already.", hint="Wait for it, or stop it first.")
        now = timezone.now()
        under_way.update(state=State.STOPPED, finished_at=now, error="Another run took its place.")
        simulation = Simulation.objects.create(
            draft=fresh,
            draft_digest=fresh.digest,
            against=published_of(fresh.policy),
            asked_by=by,
            asked_at=now,
        )
        after = {"state": "queued", "draft_digest": fresh.digest}
        uow.record("policy.simulation_asked", subject=simulation, unit=fresh.policy.unit, after=after)
        uow.after_commit(lambda: _wake(str(simulation.pk)))
    return simulation


def _wake(simulation_id: str) -> None:
    """A broker that does not answer leaves it queued, which its page shows."""
    try:
        simulate_policy.apply_async((simulation_id,), retry=False)
    except Exception:
        logger.warning("gates.worker_not_woken", exc_info=True)


def stop_simulation(*, simulation: Simulation, by: User) -> Simulation:
    """Stop a run; what it has found so far is not kept. ``Conflict`` when it has ended."""
    policy = simulation.draft.policy
    if not may(by, PUBLISH, policy.unit):
        require_may(by, DRAFT, policy.unit)
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(Simulation.objects.filter(pk=simulation.pk)).get()
        if fresh.state not in RUNNING:
            raise Conflict(f"This simulation has ended: {fresh.get_state_display().lower()}.")
        before = {"state": str(fresh.state)}
        fresh.state, fresh.finished_at = State.STOPPED, timezone.now()
        fresh.save(update_fields=["state", "finished_at"])
        uow.record(
            "policy.simulation_stopped", subject=fresh, unit=policy.unit, before=before, after={"state": "stopped"}
        )
    return fresh


def _alive() -> Q:
    """Runs whose worker may still be there; one that lost its worker must not stand in the way for ever."""
    return Q(asked_at__gte=timezone.now() - timedelta(minutes=20))
