"""What governance puts on the work list of the home page."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portfolio.work_item import WorkItem


def rest_of(number: int, url: str) -> Iterator[WorkItem]:
    """One line for what is not listed singly, so that a hundred small things do not hide the few large ones."""
    if number > 0:
        title = ngettext("%(number)d more", "%(number)d more", number) % {"number": number}
        yield WorkItem(title=title, url=url, detail=_("In the register of governance"), verb=_("Show them"))
