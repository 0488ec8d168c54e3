"""Minutes: written while the meeting is in session, frozen with a digest when it closes."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from gates.models import AgendaItem, Attendance, Meeting, Recusal, Review
from gates.seats import BOARD, boards_of
from gates.services.boards.agenda import item_of
from gates.services.boards.meetings import (
    IN_SESSION,
    locked,
    members,
    require_state,
    require_to_lead,
    set_state,
    tell_members,
)
from kernel.canonical import digest
from kernel.errors import Invalid, NotReady
from ledger import unit_of_work
from portfolio.signals import announce_change

FORMAT = 1
LONGEST = 20_000
AUTOMATIC = "Holds a role in the sponsoring unit or on the use case (SOD-13)."


def write_minutes(*, meeting: Meeting, text: str, by: User, review: Review | None = None) -> Meeting:
    """What was said about one item, or in general without ``review``. Only while the meeting is in session."""
    words = text.replace("\r\n", "\n").strip()
    if len(words) > LONGEST:
        raise Invalid("These minutes are too long.", errors={"minutes": [f"At most {LONGEST} characters."]})
    with unit_of_work(by=by) as uow:
        fresh = locked(meeting)
        require_to_lead(fresh, by)
        require_state(fresh, IN_SESSION)
        row: AgendaItem | Meeting = item_of(fresh, review) if review is not None else fresh
        if row.minutes == words:
            return fresh
        before, row.minutes = {"minutes": row.minutes}, words
        row.save(update_fields=["minutes"])
        use_case = review.use_case if review is not None else None
        uow.record("meeting.minutes_written", subject=row, use_case=use_case, before=before, after={"minutes": words})
        if review is not None:
            announce_change(uow, review.use_case_id, "review")
    return fresh


def close_meeting(*, meeting: Meeting, by: User) -> Meeting:
    """End it: minutes are frozen, their digest goes on record, members are told.

    ``NotReady`` names every item without minutes, and that nobody is marked as present.
    """
    with unit_of_work(by=by) as uow:
        fresh = locked(meeting)
        require_to_lead(fresh, by)
        require_state(fresh, IN_SESSION)
        _require_complete(fresh)
        now = timezone.now()
        _keep_automatic(fresh)
        _keep_absent(fresh)
        fresh.closed_at = now = max(now, timezone.now())
        digest_now = digest(minutes_body(fresh))
        set_state(uow, fresh, Meeting.State.CLOSED, "meeting.closed", closed_at=now, minutes_digest=digest_now)
        for item in fresh.items.select_related("review__use_case__unit"):
            after = {"meeting": fresh.number, "minutes_digest": digest_now}
            uow.record("review.minuted", subject=item.review, use_case=item.review.use_case, after=after)
            announce_change(uow, item.review.use_case_id, "review")
        tell_members(fresh, "meeting.closed", f"{fresh} is closed; its minutes are on record", but=by)
    return fresh


def minutes_body(meeting: Meeting) -> dict[str, Any]:
    """What the digest of the minutes is over. Nothing in it changes once the meeting is closed."""
    items = list(meeting.items.select_related("review__use_case").order_by("position"))
    kept = recusals_of(meeting, [item.review for item in items])
    there = meeting.attendances.filter(present=True).values_list("person_id", flat=True)
    return {
        "v": FORMAT,
        "meeting": meeting.number,
        "title": meeting.title,
        "starts_at": meeting.starts_at,
        "place": meeting.place,
        "chair": meeting.chair_id,
        "opened_at": meeting.opened_at,
        "closed_at": meeting.closed_at,
        "present": sorted(str(person) for person in there),
        "minutes": meeting.minutes,
        "items": [
            {
                "position": item.position,
                "review": item.review.number,
                "use_case": item.review.use_case.key,
                "minutes": item.minutes,
                "recused": sorted(str(r.person_id) for r in kept if concerns(r, item.review)),
            }
            for item in items
        ],
    }


def recusals_of(meeting: Meeting, reviews: list[Review]) -> list[Recusal]:
    """Recusals that were in force when the meeting closed (or are now), from its reviews. One query."""
    until = meeting.closed_at or timezone.now()
    in_force = Q(ended_at__isnull=True) | Q(ended_at__gt=until)
    about = Q(review__in=[r.pk for r in reviews]) | Q(
        review__isnull=True, use_case__in=[r.use_case_id for r in reviews]
    )
    rows = Recusal.objects.filter(in_force, about, declared_at__lte=until).select_related("person")
    return list(rows.order_by("declared_at", "pk"))


def concerns(recusal: Recusal, review: Review) -> bool:
    if recusal.review_id is not None:
        return bool(recusal.review_id == review.pk)
    return bool(recusal.use_case_id == review.use_case_id)


def _require_complete(meeting: Meeting) -> None:
    errors: dict[str, list[str]] = {}
    unwritten = [i.review for i in meeting.items.select_related("review") if not i.minutes.strip()]
    if unwritten:
        errors["minutes"] = [f"{review}: write what was said, or take it off the agenda." for review in unwritten]
    if not meeting.attendances.filter(present=True).exists():
        errors["attendance"] = ["Mark who was present."]
    if errors:
        raise NotReady(f"{meeting} cannot be closed yet.", errors=errors)


def _keep_absent(meeting: Meeting) -> None:
    """Members who said nothing were not there: the list of members stays as it was that day."""
    known = set(meeting.attendances.values_list("person_id", flat=True))
    missing = [m for m in members() if m.pk not in known]
    Attendance.objects.bulk_create(Attendance(meeting=meeting, person=m, present=False) for m in missing)


def _keep_automatic(meeting: Meeting) -> None:
    """Put on record which members were out by their unit: roles change, minutes do not."""
    rows = meeting.items.select_related("review__use_case__unit", "review__policy_version__policy")
    reviews = {item.review_id: item.review for item in rows}
    known = recusals_of(meeting, list(reviews.values()))
    for pk, board in boards_of(reviews.values()).items():
        declared = {r.person_id for r in known if concerns(r, reviews[pk])}
        for person in sorted((board.members & board.recused) - declared, key=str):
            Recusal.objects.get_or_create(
                review=reviews[pk],
                person_id=person,
                defaults={"use_case": reviews[pk].use_case, "reason": AUTOMATIC},
            )


__all__ = ["AUTOMATIC", "BOARD", "close_meeting", "concerns", "minutes_body", "recusals_of", "write_minutes"]
