"""Who sits on the board before a review: members, who is recused, who chairs, whether a meeting took it up.

Loaded for however many reviews in a constant number of queries, so that pages, the work list and the facts count
the board alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import RoleAssignment
from accounts.people import people_on
from gates.in_force import body_of
from gates.models import AgendaItem, Meeting, Recusal, Review
from gates.quorum import BUSINESS, Board, Rule, rule_of
from portfolio.models import UseCase

BOARD = "ai_governance_board"
TAKEN_UP = (Meeting.State.IN_SESSION, Meeting.State.CLOSED)
Holders = Mapping[str, frozenset[UUID]]
"""role -> people who hold it on a use case."""


def boards_of(
    reviews: Iterable[Review],
    *,
    holders: Mapping[UUID, Holders] | None = None,
    recused: Mapping[UUID, frozenset[UUID]] | None = None,
) -> dict[UUID, Board]:
    """review -> its board; reviews that do not ask for one are left out.

    ``holders`` (by use case) and ``recused`` (by review) when they are at hand.
    """
    wanted = [r for r in reviews if asks_the_board(r)]
    if not wanted:
        return {}
    held = _holders({r.use_case_id for r in wanted}) if holders is None else holders
    out = _recused(wanted) if recused is None else recused
    meetings = _meetings(wanted)
    rules = {r.pk: rule_of(body_of(r.policy_version).data) for r in wanted}
    business = _business(wanted, held, rules)
    return {
        r.pk: Board(
            rule=rules[r.pk],
            members=held[r.use_case_id].get(BOARD, frozenset()),
            recused=out[r.pk],
            holding={key: held[r.use_case_id].get(key, frozenset()) for key in rules[r.pk].must_include},
            business=frozenset(p for p, unit in business if unit != r.use_case.unit_id),
            **meetings.get(r.pk, {}),
        )
        for r in wanted
    }


def _recused(reviews: list[Review]) -> dict[UUID, frozenset[UUID]]:
    members = unit_members([r.use_case for r in reviews])
    interests = recused_on(reviews)
    return {r.pk: frozenset(members.get(r.use_case_id, ())) | interests[r.pk] for r in reviews}


def asks_the_board(review: Review) -> bool:
    return any(slot["role"] == BOARD for slot in review.slots)


def recused_on(reviews: Iterable[Review]) -> dict[UUID, frozenset[UUID]]:
    """review -> people who declared an interest in it or in its use case. One query."""
    wanted = list(reviews)
    standing = Q(review__isnull=True, ended_at__isnull=True, use_case__in=[r.use_case_id for r in wanted])
    rows = Recusal.objects.filter(standing | Q(review__in=[r.pk for r in wanted]))
    found = list(rows.only("use_case_id", "review_id", "person_id"))
    return {r.pk: frozenset(x.person_id for x in found if _concerns(x, r)) for r in wanted}


def _concerns(recusal: Recusal, review: Review) -> bool:
    if recusal.review_id is None:
        return bool(recusal.use_case_id == review.use_case_id)
    return bool(recusal.review_id == review.pk)


def unit_members(use_cases: Iterable[UseCase]) -> dict[UUID, set[UUID]]:
    """use case -> people with a role on the sponsoring unit itself or on the use case.

    The root unit stands for the whole organisation and is nobody's own.
    """
    scopes: dict[UUID, list[UUID]] = {}
    for use_case in use_cases:
        scopes.setdefault(use_case.pk, []).append(use_case.pk)
        if use_case.unit.path != "/":
            scopes.setdefault(use_case.unit_id, []).append(use_case.pk)
    found: dict[UUID, set[UUID]] = {}
    if not scopes:
        return found
    rows = RoleAssignment.objects.filter(scope_id__in=list(scopes), ended_at__isnull=True).exclude(role=BOARD)
    for scope, person in rows.values_list("scope_id", "user_id"):
        for use_case_id in scopes[scope]:
            found.setdefault(use_case_id, set()).add(person)
    return found


def _holders(use_cases: set[UUID]) -> dict[UUID, Holders]:
    found: dict[UUID, Holders] = {}
    for use_case, people in people_on(use_cases).items():
        roles: dict[str, set[UUID]] = {}
        for held in people:
            roles.setdefault(held.role, set()).add(held.user.pk)
        found[use_case] = {role: frozenset(who) for role, who in roles.items()}
    return found


def _meetings(reviews: list[Review]) -> dict[UUID, dict[str, Any]]:
    """review -> chair of its newest meeting, whether one took it up, whether there are minutes. One query."""
    items = AgendaItem.objects.filter(review__in=[r.pk for r in reviews]).exclude(
        meeting__state=Meeting.State.CANCELLED
    )
    found: dict[UUID, dict[str, Any]] = {}
    rows = items.order_by("meeting__starts_at", "meeting__number")
    for review, state, chair, minutes in rows.values_list(
        "review_id", "meeting__state", "meeting__chair_id", "minutes"
    ):
        entry = found.setdefault(review, {"taken_up": False, "minuted": False})
        entry["chair"] = chair
        entry["taken_up"] = entry["taken_up"] or state in TAKEN_UP
        entry["minuted"] = entry["minuted"] or bool(minutes.strip())
    return found


def _business(
    reviews: list[Review], held: Mapping[UUID, Holders], rules: Mapping[UUID, Rule]
) -> list[tuple[UUID, UUID]]:
    """(member, unit) of the business roles that members hold on a unit or on a use case of it."""
    asking = [r for r in reviews if rules[r.pk].business_member]
    members = {p for r in asking for p in held[r.use_case_id].get(BOARD, ())}
    if not members:
        return []
    rows = RoleAssignment.objects.filter(user__in=members, role__in=BUSINESS, ended_at__isnull=True)
    held_on = list(rows.values_list("user_id", "scope_kind", "scope_id"))
    cases = [scope for _who, kind, scope in held_on if kind == RoleAssignment.Scope.USE_CASE]
    units = dict(UseCase.objects.filter(pk__in=cases).values_list("pk", "unit_id")) if cases else {}
    return [(who, units.get(scope, scope)) for who, _kind, scope in held_on]
