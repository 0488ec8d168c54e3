"""What a draft would change for the portfolio: progress while it runs, then the use cases that turn."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.models import User
from gates.forms.policies import TurnFilter
from gates.models import Simulation
from gates.policy_access import visible_turns
from gates.services.simulations import RUNNING, stop_simulation
from gates.views.policy_drafts import draft_frame, find_draft
from kernel.errors import DomainError
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows

DIRECTIONS = {
    "blocks": (gettext_lazy("Blocks: passes today, would not"), "blocked", "cross-circle"),
    "releases": (gettext_lazy("Releases: is blocked today, would pass"), "met", "check-circle"),
    "at_risk": (gettext_lazy("Puts a passed gate at risk"), "blocked", "shield"),
    "secured": (gettext_lazy("Takes a passed gate out of risk"), "met", "shield"),
    "more": (gettext_lazy("Stays blocked, by more"), "attention", "arrow-up"),
    "less": (gettext_lazy("Stays blocked, by less"), "info", "arrow-down"),
}
COLUMNS = (
    Column("use_case", gettext_lazy("Use case"), "name", value=lambda t: f"{t['key']} {t['name']}"),
    Column("unit", gettext_lazy("Unit"), "unit"),
    Column("tier", gettext_lazy("Tier"), "tier"),
    Column("gate", gettext_lazy("Gate"), "gate_title", value=lambda t: t["gate_title"]),
    Column("direction", gettext_lazy("What turns"), "direction"),
    Column(
        "criteria",
        gettext_lazy("Criteria that turn"),
        value=lambda t: "; ".join(f"{c['id']} {c['title']}: {c['reason']}" for c in t["criteria"]),
    ),
)


class Turns(TableState[Any]):
    """Rows of a result, which are kept as one document and not as rows of a table."""

    def order(self, rows: Any) -> Any:
        path = next(column for column in self.columns if column.key == self.sort_key).sort_paths[0]
        return sorted(rows, key=lambda turn: (str(turn[path]).casefold(), turn["key"]), reverse=self.descending)


@login_required
def simulation(request: HttpRequest, pk: str) -> HttpResponseBase:
    """The newest run of a draft, or ``?run=``: how far it is, or what it found."""
    version = find_draft(request, pk)
    runs = version.simulations.select_related("asked_by", "against__policy").order_by("-asked_at")
    wanted = request.GET.get("run", "")
    found = next((run for run in runs.defer("result")[:20] if not wanted or str(run.pk) == wanted), None)
    if found is None and wanted:
        raise Http404
    context = {
        **draft_frame(request, version, "simulation"),
        "simulation": found,
        "running": found is not None and found.state in RUNNING,
        "outdated": found is not None and found.draft_digest != version.digest,
        "runs": list(runs.defer("result")[:10]),
    }
    if found is not None and found.state == "done":
        shown = _result(request, found)
        if isinstance(shown, HttpResponseBase):
            return shown
        context.update(shown)
        part = "table" if request.headers.get("HX-Target") == "table" else "simulation"
    else:
        part = "simulation"
    return render(request, "gates/policy_simulation.html", context, partial=part)


@login_required
@require_POST
def stop(request: HttpRequest, pk: str) -> HttpResponse:
    """Stop the run of a draft that is under way."""
    version = find_draft(request, pk)
    running = version.simulations.filter(state__in=RUNNING).order_by("-asked_at").first()
    try:
        if running is not None:
            stop_simulation(simulation=running, by=_user(request))
            messages.info(request, _("The simulation is stopped."))
    except DomainError as wrong:
        messages.error(request, str(wrong))
    return redirect("gates:policy_simulation", pk=version.pk)


def _result(request: HttpRequest, found: Simulation) -> dict[str, Any] | HttpResponseBase:
    result: dict[str, Any] = found.result
    turns = visible_turns(_user(request), result)
    units = sorted({turn["unit"] for turn in turns})
    counts = result["counts"]
    form = TurnFilter(request.GET or None, directions=[(k, v[0]) for k, v in DIRECTIONS.items()], units=units)
    rows = _filtered(turns, form)
    table = Turns.from_request(request, columns=COLUMNS, default_sort="direction")
    if table.export_format:
        return export_rows(table.export_format, "simulation", table.columns, table.order(rows))
    return {
        "result": result,
        "counts": counts,
        "table": table.paginate(cast(Any, rows)),
        "form": form,
        "directions": {key: {"label": v[0], "tone": v[1], "icon": v[2]} for key, v in DIRECTIONS.items()},
        "hidden": len(result["turns"]) - len(turns),
    }


def _filtered(turns: list[dict[str, Any]], form: TurnFilter) -> list[dict[str, Any]]:
    if not form.is_valid():
        return turns
    wanted = form.cleaned_data
    text = wanted["q"].strip().casefold()
    return [
        turn
        for turn in turns
        if all(not wanted[name] or turn[name] == wanted[name] for name in ("direction", "unit", "tier"))
        and (not text or text in _searched(turn))
    ]


def _searched(turn: dict[str, Any]) -> str:
    criteria = " ".join(f"{c['id']} {c['title']}" for c in turn["criteria"])
    return f"{turn['key']} {turn['name']} {criteria}".casefold()


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
