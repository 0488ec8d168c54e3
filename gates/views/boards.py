"""The board's meetings: the list, one meeting, and the steps that lead it. Each step calls one service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import can_everywhere, require_everywhere
from accounts.models import User
from gates.forms.boards import MeetingFilter, MeetingForm, MinutesForm, ReasonForm
from gates.models import Meeting, Review
from gates.packs.calendar import calendar_of
from gates.selectors import reviews_for
from gates.services import boards
from gates.services.boards.meetings import IN_SESSION, MANAGE, PLANNED, may_lead, members, require_to_lead
from gates.services.boards.reading import agenda_of, meetings_for, seats_of, sees_all, waiting_reviews
from kernel.errors import DomainError, Invalid
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows

COLUMNS = (
    Column("number", gettext_lazy("Meeting"), "number", largest_first=True),
    Column("title", gettext_lazy("Title"), "title"),
    Column("starts_at", gettext_lazy("Starts"), "starts_at", largest_first=True),
    Column("place", gettext_lazy("Place"), "place"),
    Column("chair", gettext_lazy("Chair"), "chair__full_name"),
    Column("item_count", gettext_lazy("Reviews"), "item_count", numeric=True, largest_first=True),
    Column("state", gettext_lazy("State"), "state", value=lambda m: m.get_state_display()),
)


@login_required
def meetings(request: HttpRequest) -> HttpResponseBase:
    """Meetings to come and past ones."""
    user = _user(request)
    form = MeetingFilter(request.GET)
    rows = _filtered(meetings_for(user), form)
    table: TableState[Meeting] = TableState.from_request(request, columns=COLUMNS, default_sort="-starts_at")
    if table.export_format:
        return export_rows(table.export_format, "board-meetings", table.columns, table.order(rows).iterator())
    may_call = can_everywhere(user, MANAGE)
    context = {
        "table": table.paginate(rows),
        "form": form,
        "may_call": may_call,
        "waiting": waiting_reviews(user) if may_call else [],
    }
    return render(request, "gates/board/meetings.html", context, partial="table")


@login_required
def meeting(request: HttpRequest, number: int) -> HttpResponse:
    """One meeting: who is there, its agenda with findings, votes and minutes."""
    found = _meeting(request, number)
    return render(request, "gates/board/meeting.html", meeting_context(found, _user(request)))


def meeting_context(found: Meeting, user: User) -> dict[str, Any]:
    """Everything the page of a meeting shows."""
    leads = may_lead(found, user)
    seats = seats_of(found)
    active = found.state in (PLANNED, IN_SESSION)
    items = agenda_of(found, user)
    return {
        "meeting": found,
        "seats": seats,
        "present": sum(1 for seat in seats if seat.present),
        "own_seat": next((s for s in seats if s.person.pk == user.pk), None) if active else None,
        "items": items,
        "hidden": found.item_count - len(items),  # type: ignore[attr-defined]  # counted by meetings_for
        "owed": [item for item in items if item.may_vote],
        "unwritten": [item for item in items if not item.row.minutes.strip()],
        "whole": sees_all(user),
        "leads": leads,
        "may_open": leads and found.state == PLANNED,
        "writes": leads and found.state == IN_SESSION,
        "changes_agenda": leads and active,
        "suggestions": waiting_reviews(user) if leads and active else [],
    }


@login_required
@require_http_methods(["GET", "POST"])
def call(request: HttpRequest) -> HttpResponse:
    """Call a meeting, with the reviews that wait for one."""
    user = _user(request)
    require_everywhere(user, MANAGE)
    everybody, waiting = members(), waiting_reviews(user)
    first = {
        "title": _("Meeting of the AI governance board"),
        "chair": str(user.pk) if user in everybody else "",
        "reviews": [str(r.number) for r in waiting],
    }
    form = MeetingForm(_posted(request), members=everybody, waiting=waiting, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            made = boards.call_meeting(by=user, reviews=form.chosen(), **form.given())
        except DomainError as wrong:
            _explain(form, wrong)
        else:
            messages.success(request, _("%(meeting)s is called; its members have been told.") % {"meeting": made})
            return redirect("gates:board_meeting", number=made.number)
    return render(request, "gates/board/call.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, number: int) -> HttpResponse:
    """Another time, place, title or chair."""
    found, user = _meeting(request, number), _user(request)
    require_to_lead(found, user)
    first = {"title": found.title, "starts_at": found.starts_at, "place": found.place, "chair": str(found.chair_id)}
    form = MeetingForm(_posted(request), members=members(), initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            boards.change_meeting(meeting=found, by=user, **form.given())
        except Invalid as wrong:
            _explain(form, wrong)
        else:
            messages.success(request, _("%(meeting)s has changed; its members have been told.") % {"meeting": found})
            return redirect("gates:board_meeting", number=number)
    context = {"form": form, "meeting": found}
    return render(request, "gates/board/change.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def open_(request: HttpRequest, number: int) -> HttpResponse:
    return _step(
        request, number, lambda m, user: boards.open_meeting(meeting=m, by=user), _("%(meeting)s is in session.")
    )


@login_required
@require_POST
def close(request: HttpRequest, number: int) -> HttpResponse:
    """Close it; what is missing is listed on its page."""
    return _step(
        request,
        number,
        lambda m, user: boards.close_meeting(meeting=m, by=user),
        _("%(meeting)s is closed and its minutes are on record."),
    )


@login_required
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, number: int) -> HttpResponse:
    """Call it off, with a reason."""
    found, user = _meeting(request, number), _user(request)
    require_to_lead(found, user)
    form = ReasonForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        boards.cancel_meeting(meeting=found, by=user, reason=form.cleaned_data["reason"])
        messages.success(request, _("%(meeting)s is called off; its members have been told.") % {"meeting": found})
        return redirect("gates:board_meeting", number=number)
    context = {"form": form, "meeting": found}
    return render(request, "gates/board/cancel.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def revote(request: HttpRequest, number: int, review: int) -> HttpResponse:
    """Have the board vote again on one item."""
    found, user = _meeting(request, number), _user(request)
    require_to_lead(found, user)
    about = _review(request, review)
    form = ReasonForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        boards.call_revote(meeting=found, review=about, by=user, reason=form.cleaned_data["reason"])
        messages.success(request, _("The board votes again on %(review)s.") % {"review": about})
        return redirect("gates:board_meeting", number=number)
    context = {"form": form, "meeting": found, "review": about}
    return render(request, "gates/board/revote.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def agenda(request: HttpRequest, number: int) -> HttpResponse:
    """Add, remove or move one review: ``review`` and ``do`` (add, remove, up, down)."""
    about, what = _review(request, _number(request.POST.get("review"))), request.POST.get("do")

    def change_agenda(found: Meeting, user: User) -> None:
        if what == "add":
            boards.add_item(meeting=found, review=about, by=user)
        elif what == "remove":
            boards.remove_item(meeting=found, review=about, by=user)
        elif what in ("up", "down"):
            item = found.items.filter(review=about).first()
            place = (item.position if item else 1) + (1 if what == "down" else -1)
            boards.move_item(meeting=found, review=about, position=place, by=user)
        else:
            raise Invalid(_("Say what to do with the agenda."), errors={"do": [_("add, remove, up or down")]})

    said = {
        "add": _("%(review)s is on the agenda of %(meeting)s."),
        "remove": _("%(review)s is off the agenda of %(meeting)s."),
    }
    return _step(request, number, change_agenda, said.get(what or "", ""), review=about)


@login_required
@require_POST
def attendance(request: HttpRequest, number: int) -> HttpResponse:
    """One's own answer, or what who leads marks of another: ``person`` and ``present`` (yes, no)."""
    people = {str(m.pk): m for m in members()}
    who = people.get(request.POST.get("person", ""))
    if who is None:
        raise Http404
    present = request.POST.get("present") == "yes"
    return _step(request, number, lambda m, user: boards.attend(meeting=m, person=who, present=present, by=user), "")


@login_required
@require_http_methods(["GET", "POST"])
def minutes(request: HttpRequest, number: int) -> HttpResponse:
    """Write the minutes of one item (``?review=``) or the general ones."""
    found, user = _meeting(request, number), _user(request)
    require_to_lead(found, user)
    asked = request.GET.get("review") or request.POST.get("review")
    about = _review(request, _number(asked)) if asked else None
    item = found.items.filter(review=about).first() if about else None
    form = MinutesForm(_posted(request), initial={"minutes": item.minutes if item else found.minutes})
    if request.method == "POST" and form.is_valid():
        try:
            boards.write_minutes(meeting=found, review=about, text=form.cleaned_data["minutes"], by=user)
        except Invalid as wrong:
            _explain(form, wrong)
        else:
            messages.success(request, _("The minutes are kept."))
            place = f"item-{about.number}" if about else "minutes"
            return redirect(f"/gates/board/{number}/#{place}")
    context = {"form": form, "meeting": found, "review": about}
    return render(request, "gates/board/minutes.html", context, status=422 if form.errors else 200)


@login_required
def calendar(request: HttpRequest, number: int) -> HttpResponse:
    """The meeting as a calendar file."""
    found = _meeting(request, number)
    url = request.build_absolute_uri(f"/gates/board/{number}/")
    answer = HttpResponse(calendar_of(found, url=url), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{found}.ics"'
    return answer


def _step(
    request: HttpRequest,
    number: int,
    verb: Callable[[Meeting, User], object],
    said: str,
    *,
    review: Review | None = None,
) -> HttpResponse:
    """Do one thing and show the meeting; a refusal is said on its page, where the person looks."""
    found, user = _meeting(request, number), _user(request)
    try:
        verb(found, user)
    except DomainError as wrong:
        lines = [line for some in wrong.errors.values() for line in some]
        messages.error(request, " ".join([str(wrong), *lines, wrong.hint]).strip())
    else:
        if said:
            messages.success(request, said % {"meeting": found, "review": review})
    return redirect("gates:board_meeting", number=number)


def _filtered(rows: QuerySet[Meeting, Meeting], form: MeetingFilter) -> QuerySet[Meeting, Meeting]:
    if not form.is_valid():
        return rows
    wanted = form.cleaned_data
    if text := wanted["q"].strip():
        number = text.upper().removeprefix("M-")
        match = Q(title__icontains=text) | Q(place__icontains=text) | Q(chair__full_name__icontains=text)
        rows = rows.filter(match | Q(number=int(number)) if number.isdecimal() and len(number) < 9 else match)
    if wanted["state"]:
        rows = rows.filter(state=wanted["state"])
    upcoming = Q(state=IN_SESSION) | Q(state=PLANNED, starts_at__gte=timezone.now())
    if wanted["when"] == "upcoming":
        rows = rows.filter(upcoming)
    elif wanted["when"] == "past":
        rows = rows.exclude(upcoming)
    return rows


def _meeting(request: HttpRequest, number: int) -> Meeting:
    found = meetings_for(_user(request)).filter(number=number).first()
    if found is None:
        raise Http404
    return found


def _review(request: HttpRequest, number: int) -> Review:
    found = reviews_for(_user(request)).filter(number=number).first()
    if found is None:
        raise Http404
    return found


def _number(text: str | None) -> int:
    if not text or not text.isdecimal() or len(text) > 9:
        raise Http404
    return int(text)


def _explain(form: Any, wrong: DomainError) -> None:
    form.add_error(None, f"{wrong} {wrong.hint}".strip())
    for name, lines in wrong.errors.items():
        for line in lines:
            form.add_error(name if name in form.fields else None, line)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
