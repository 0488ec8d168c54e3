"""What the board waits for: an answer whether one comes, votes in a meeting in session, minutes of the chair."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.access import possible_actions
from accounts.models import User
from gates.models import AgendaItem, Attendance, Meeting
from gates.services.boards.meetings import IN_SESSION, MANAGE, PLANNED, members
from gates.services.boards.reading import agenda_of
from portfolio.work_item import WorkItem, WorkSource, work_sources

SOON = timedelta(days=21)


@work_sources.register
class BoardMeetings(WorkSource):
    """Meetings that ask something of the person; one query for everybody who is not on the board."""

    key = "board"
    title = gettext_lazy("Board")
    order = 15

    def items(self, user: User) -> Iterator[WorkItem]:
        if MANAGE not in possible_actions(user) or user not in members():
            return
        answered = Attendance.objects.filter(meeting=OuterRef("pk"), person=user)
        asked = Q(state=IN_SESSION) | Q(state=PLANNED, starts_at__lt=timezone.now() + SOON)
        rows = Meeting.objects.filter(asked).annotate(answered=Exists(answered)).order_by("starts_at")
        for meeting in rows[:10]:
            if meeting.state == PLANNED and not meeting.answered:
                yield _invitation(meeting)
            elif meeting.state == IN_SESSION:
                yield from _session(meeting, user)


def _invitation(meeting: Meeting) -> WorkItem:
    return WorkItem(
        title=_("%(meeting)s: say whether you come") % {"meeting": meeting},
        url=_url(meeting),
        detail=f"{meeting.title}{', ' + meeting.place if meeting.place else ''}",
        due_at=meeting.starts_at,
        tone="info",
        verb=_("Answer"),
    )


def _session(meeting: Meeting, user: User) -> Iterator[WorkItem]:
    owed = [item for item in agenda_of(meeting, user) if item.may_vote]
    if owed:
        yield WorkItem(
            title=ngettext("%(meeting)s: you owe a vote", "%(meeting)s: you owe %(n)s votes", len(owed))
            % {"meeting": meeting, "n": len(owed)},
            url=_url(meeting),
            detail=", ".join(str(item.review) for item in owed),
            due_at=meeting.opened_at,
            tone="attention",
            verb=_("Vote"),
        )
    if user.pk == meeting.chair_id:
        blank = AgendaItem.objects.filter(meeting=meeting, minutes="").select_related("review").order_by("position")
        missing = [str(item.review) for item in blank]
        yield WorkItem(
            title=_("%(meeting)s: write the minutes") % {"meeting": meeting}
            if missing
            else _("%(meeting)s: close it") % {"meeting": meeting},
            url=_url(meeting),
            detail=", ".join(missing),
            due_at=meeting.opened_at,
            tone="attention",
            verb=_("Write") if missing else _("Close"),
        )


def _url(meeting: Meeting) -> str:
    return reverse("gates:board_meeting", kwargs={"number": meeting.number})
