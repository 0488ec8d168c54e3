"""Ask for an end or a pivot, whatever is open at the next gate."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import can, require
from gates.forms import EndForm
from gates.in_force import policy_for
from gates.services.reviews import submit_review
from kernel.errors import Conflict, DomainError
from portfolio.views.common import find_use_case, person_of


@login_required
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, key: str) -> HttpResponse:
    """Say why; the facts are frozen as they are, and sponsors and the board decide."""
    use_case, user = find_use_case(request, key), person_of(request)
    if not can(user, "use_case.stop", use_case):
        require(user, "gate.submit", use_case)
    _version, policy = policy_for(use_case)
    gate = policy.next_gate(use_case.stage)
    if gate is None:
        raise Conflict(_("%(key)s has no next gate: it has ended.") % {"key": key})
    form = EndForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = submit_review(use_case=use_case, gate=gate.key, by=user, asks_to_end=True, **form.cleaned_data)
        except DomainError as wrong:
            for name, lines in (wrong.errors or {"": [f"{wrong} {wrong.hint}".strip()]}).items():
                for line in lines:
                    form.add_error(name if name in form.fields else None, line)
        else:
            messages.success(request, _("%(review)s asks for a decision; who decides is told.") % {"review": made})
            return redirect("gates:review", number=made.number)
    context = {"use_case": use_case, "gate": gate, "form": form}
    return render(request, "gates/end.html", context, status=422 if form.errors else 200)
