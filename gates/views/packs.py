"""Downloads: the decision pack as JSON and PDF, and the minutes of a meeting as PDF."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.models import User
from gates.models import Meeting, Review
from gates.packs import paper
from gates.packs.decision import decision_pack, pack_bytes
from gates.selectors import reviews_for
from gates.services.boards.reading import agenda_of, meetings_for, sees_all
from kernel.errors import Conflict


@login_required
def pack_json(request: HttpRequest, number: int) -> HttpResponse:
    """Everything the decision rests on, machine-readable."""
    found = _review(request, number)
    return _download(pack_bytes(decision_pack(found)), "application/json", f"{found}-decision-pack.json")


@login_required
def pack_pdf(request: HttpRequest, number: int) -> HttpResponse:
    """The same on paper."""
    found = _review(request, number)
    return _download(paper.pack_pdf(decision_pack(found)), "application/pdf", f"{found}-decision-pack.pdf")


@login_required
def minutes_pdf(request: HttpRequest, number: int) -> HttpResponse:
    """Minutes of a closed meeting; whole, so only for who may see all of it."""
    user = cast(User, request.user)
    found = meetings_for(user).filter(number=number).first()
    if found is None:
        raise Http404
    if not sees_all(user):
        raise PermissionDenied(_("Minutes as a whole are for the board and for who sees every use case."))
    if found.state != Meeting.State.CLOSED:
        raise Conflict(_("Minutes are final once the meeting is closed."))
    return _download(paper.minutes_pdf(found, agenda_of(found, user)), "application/pdf", f"{found}-minutes.pdf")


def _download(content: bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _review(request: HttpRequest, number: int) -> Review:
    found = reviews_for(cast(User, request.user)).filter(number=number).first()
    if found is None:
        raise Http404
    return found
