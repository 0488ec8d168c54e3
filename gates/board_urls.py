"""Addresses of the board and of decision packs, below those of the gates."""

from __future__ import annotations

from django.urls import path

from gates.views import boards, interests, packs

urlpatterns = [
    path("board/", boards.meetings, name="board"),
    path("board/new/", boards.call, name="board_call"),
    path("board/interests/", interests.interests, name="interests"),
    path("board/interests/<uuid:pk>/end/", interests.end, name="interest_end"),
    path("board/interests/declare/<slug:key>/", interests.declare, name="interest_declare"),
    path("board/<int:number>/", boards.meeting, name="board_meeting"),
    path("board/<int:number>/change/", boards.change, name="board_change"),
    path("board/<int:number>/open/", boards.open_, name="board_open"),
    path("board/<int:number>/close/", boards.close, name="board_close"),
    path("board/<int:number>/cancel/", boards.cancel, name="board_cancel"),
    path("board/<int:number>/agenda/", boards.agenda, name="board_agenda"),
    path("board/<int:number>/attendance/", boards.attendance, name="board_attendance"),
    path("board/<int:number>/minutes/", boards.minutes, name="board_minutes"),
    path("board/<int:number>/minutes.pdf", packs.minutes_pdf, name="board_minutes_pdf"),
    path("board/<int:number>/calendar.ics", boards.calendar, name="board_calendar"),
    path("board/<int:number>/revote/<int:review>/", boards.revote, name="board_revote"),
    path("reviews/<int:number>/pack.json", packs.pack_json, name="pack_json"),
    path("reviews/<int:number>/pack.pdf", packs.pack_pdf, name="pack_pdf"),
]
