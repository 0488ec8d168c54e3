"""The board: its meetings, their agenda and minutes, and who takes no part in what."""

from gates.services.boards.agenda import add_item, call_revote, move_item, remove_item
from gates.services.boards.meetings import attend, call_meeting, cancel_meeting, change_meeting, open_meeting
from gates.services.boards.minutes import close_meeting, write_minutes
from gates.services.boards.recusals import recuse, take_back

__all__ = [
    "add_item",
    "attend",
    "call_meeting",
    "call_revote",
    "cancel_meeting",
    "change_meeting",
    "close_meeting",
    "move_item",
    "open_meeting",
    "recuse",
    "remove_item",
    "take_back",
    "write_minutes",
]
