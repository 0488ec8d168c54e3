"""How far a person's import may go: into the units where they may import, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import PermissionDenied

from accounts.access import reach, require
from portfolio.importing.applying import Actor
from portfolio.importing.plan import Plan

ACTION = "discovery.import"
_NAMED = 5


def within_reach(by: Actor) -> Callable[[Plan], None]:
    """A check of a plan: ``PermissionDenied`` names the units that ``by`` may not import into."""

    def check(plan: Plan) -> None:
        if isinstance(by, str):
            return
        require(by, ACTION)
        far = reach(by, ACTION)
        if far.everything:
            return
        beyond = sorted({path for path in _paths(plan) if not path.startswith(far.unit_paths or ("\n",))})
        if beyond:
            more = f" and {len(beyond) - _NAMED} more" if len(beyond) > _NAMED else ""
            raise PermissionDenied(f"You may not import into these units: {', '.join(beyond[:_NAMED])}{more}.")

    return check


def _paths(plan: Plan) -> set[str]:
    """Units that the rows name (new ones begin below the root), and those that their use cases are in now."""
    codes = {each.row.unit_code for each in plan.rows}
    named = {plan.units[code].path if code in plan.units else f"/{code}/" for code in codes}
    return named | {each.use_case.unit.path for each in plan.rows if each.use_case}
