"""Call a meeting of the board, change it, open or cancel it, and say who is there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.utils import timezone

from accounts.access import can_everywhere, require_everywhere
from accounts.models import User
from accounts.people import current
from gates.models import Attendance, Meeting, Policy, Review
from gates.seats import BOARD
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, unit_of_work
from notify.services import tell

MANAGE = "board.manage"
GRACE = timedelta(hours=1)
"""A meeting that is called on the spot may have begun already."""
PLANNED, IN_SESSION = Meeting.State.PLANNED, Meeting.State.IN_SESSION


def call_meeting(
    *,
    title: str,
    starts_at: datetime,
    by: User,
    place: str = "",
    chair: User | None = None,
    reviews: Iterable[Review] = (),
) -> Meeting:
    """Call the members together, with a first agenda if there is one; they are told.

    The chair is a member; without one named, the caller if they are a member. ``Invalid`` says at which field.
    """
    from gates.services.boards.agenda import put_on

    require_everywhere(by, MANAGE)
    with unit_of_work(by=by) as uow:
        lock_rows(Policy.objects.filter(is_primary=True)).first()  # one number at a time
        everybody = members()
        chosen = chair or (by if by in everybody else None)
        given = _checked(title, starts_at, place, chosen, everybody)
        number = int(Meeting.objects.aggregate(last=Max("number"))["last"] or 0) + 1
        meeting = Meeting.objects.create(number=number, called_by=by, **given)
        uow.record("meeting.called", subject=meeting, after=_recorded(meeting))
        for review in reviews:
            put_on(uow, meeting, review, by)
        _tell(meeting, "meeting.called", f"{meeting}: the board meets on {_when(meeting)}", but=by)
    return meeting


def change_meeting(
    *, meeting: Meeting, by: User, title: str, starts_at: datetime, place: str = "", chair: User | None = None
) -> Meeting:
    """Another time, place, title or chair; only before it opens. Members are told."""
    with unit_of_work(by=by) as uow:
        fresh = locked(meeting)
        require_to_lead(fresh, by)
        require_state(fresh, PLANNED)
        given = _checked(title, starts_at, place, chair or fresh.chair, members())
        before = _recorded(fresh)
        for name, value in given.items():
            setattr(fresh, name, value)
        fresh.save(update_fields=list(given))
        if before == _recorded(fresh):
            return fresh
        uow.record("meeting.changed", subject=fresh, before=before, after=_recorded(fresh))
        _tell(fresh, "meeting.changed", f"{fresh} has changed: {_when(fresh)}", but=by)
    return fresh


def open_meeting(*, meeting: Meeting, by: User) -> Meeting:
    """Begin it. Its agenda has something on it; members who owe a vote are told."""
    with unit_of_work(by=by) as uow:
        fresh = locked(meeting)
        require_to_lead(fresh, by)
        require_state(fresh, PLANNED)
        if not fresh.items.exists():
            raise Conflict(f"{fresh} has nothing on its agenda.", hint="Add a review first, or cancel the meeting.")
        _set_state(uow, fresh, IN_SESSION, "meeting.opened", opened_at=timezone.now())
        _tell(fresh, "meeting.opened", f"{fresh} is in session: your votes are asked for", but=by)
    return fresh


def cancel_meeting(*, meeting: Meeting, by: User, reason: str) -> Meeting:
    """Call it off before it opens; its reviews are free for another agenda."""
    _say_why(reason)
    with unit_of_work(by=by) as uow:
        fresh = locked(meeting)
        require_to_lead(fresh, by)
        require_state(fresh, PLANNED)
        _set_state(uow, fresh, Meeting.State.CANCELLED, "meeting.cancelled", note=reason.strip())
        _tell(fresh, "meeting.cancelled", f"{fresh} is called off", body=reason.strip(), but=by)
    return fresh


def attend(*, meeting: Meeting, present: bool, by: User, person: User | None = None) -> Attendance:
    """Say whether one is there; who leads the meeting says it of others as well."""
    who = person or by
    with unit_of_work(by=by) as uow:
        fresh = locked(meeting)
        require_state(fresh, PLANNED, IN_SESSION)
        if who != by:
            require_to_lead(fresh, by)
        if who not in members():
            raise PermissionDenied(f"{who.full_name} is not a member of the board.")
        row, _new = Attendance.objects.update_or_create(meeting=fresh, person=who, defaults={"present": present})
        after = {"person": who.pk, "present": present}
        uow.record("meeting.attended", subject=fresh, after=after)
    return row


def members() -> list[User]:
    """Active people who hold the role of a board member anywhere, by name."""
    holders = current(role=BOARD).values("user_id")
    return list(User.objects.filter(pk__in=holders, kind=User.Kind.PERSON).order_by("full_name", "email"))


def may_lead(meeting: Meeting, user: User) -> bool:
    """The chair, and whoever manages the board in the whole organisation."""
    scopes = user.token_scopes
    if scopes is not None and MANAGE not in scopes:
        return False
    return user.is_active and (user.pk == meeting.chair_id or can_everywhere(user, MANAGE))


def require_to_lead(meeting: Meeting, by: User) -> None:
    if not may_lead(meeting, by):
        raise PermissionDenied(f"Only the chair of {meeting} or who manages the board does this.")


def require_state(meeting: Meeting, *states: str) -> None:
    """``Conflict`` that says in which state the meeting is."""
    if meeting.state not in states:
        wanted = " or ".join(str(Meeting.State(state).label).lower() for state in states)
        raise Conflict(
            f"{meeting} is {meeting.get_state_display().lower()}; for this it has to be {wanted}.",
            hint="Reload the page to see how it stands.",
        )


def locked(meeting: Meeting) -> Meeting:
    """The meeting under its row lock, as it is now."""
    return lock_rows(Meeting.objects.select_related("chair").filter(pk=meeting.pk)).get()


def tell_members(meeting: Meeting, kind: str, title: str, *, body: str = "", but: User) -> None:
    _tell(meeting, kind, title, body=body, but=but)


def _set_state(uow: UnitOfWork, meeting: Meeting, state: str, action: str, *, note: str = "", **fields: object) -> None:
    before = {"state": meeting.state}
    meeting.state = state
    for name, value in fields.items():
        setattr(meeting, name, value)
    meeting.save(update_fields=["state", *fields])
    uow.record(action, subject=meeting, before=before, after={"state": state, **fields}, note=note[:300])


set_state = _set_state


def _checked(
    title: str, starts_at: datetime, place: str, chair: User | None, everybody: list[User]
) -> dict[str, object]:
    errors: dict[str, list[str]] = {}
    if not title.strip():
        errors["title"] = ["Give the meeting a name."]
    if len(title.strip()) > 200:
        errors["title"] = ["At most 200 characters."]
    if len(place.strip()) > 300:
        errors["place"] = ["At most 300 characters."]
    if timezone.is_naive(starts_at) or starts_at < timezone.now() - GRACE:
        errors["starts_at"] = ["Choose a time to come."]
    if chair is None:
        errors["chair"] = ["Choose who chairs it."]
    elif chair not in everybody:
        errors["chair"] = [f"{chair.full_name} is not a member of the board."]
    if errors:
        raise Invalid("The meeting is not complete.", errors=errors)
    return {"title": title.strip(), "starts_at": starts_at, "place": place.strip(), "chair": chair}


def _say_why(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Say why.", errors={"reason": ["Say why; this becomes part of the record."]})


say_why = _say_why


def _recorded(meeting: Meeting) -> dict[str, object]:
    names = ("number", "title", "starts_at", "place", "state")
    return {**{name: getattr(meeting, name) for name in names}, "chair": meeting.chair_id}


def _when(meeting: Meeting) -> str:
    return f"{meeting.starts_at:%-d %b %Y, %H:%M} UTC"


def _tell(meeting: Meeting, kind: str, title: str, *, body: str = "", but: User) -> None:
    tell(
        recipients=[member for member in members() if member.pk != but.pk],
        kind=kind,
        title=title,
        body=body or f"{meeting.title}{', ' + meeting.place if meeting.place else ''}",
        url=f"/gates/board/{meeting.number}/",
    )
