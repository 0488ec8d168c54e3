"""Import in the browser: file and profile, preview, confirm, progress, report."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import require
from accounts.models import User
from kernel.errors import Invalid
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from portfolio.forms.imports import ImportForm, PreviewFilter
from portfolio.importing.previews import load_preview
from portfolio.importing.profiles import all_profiles
from portfolio.importing.reach import ACTION
from portfolio.models import ImportRun
from portfolio.services.imports import cancel_import, confirm_import, prepare_import
from portfolio.views.import_tables import PREVIEW_COLUMNS, ListTable, chosen, rows_with_problems

RUN_COLUMNS = (
    Column("file_name", gettext_lazy("File"), "file_name"),
    Column("profile", gettext_lazy("Profile"), "profile"),
    Column("state", gettext_lazy("State"), "state"),
    Column("rows", gettext_lazy("Rows"), "rows", numeric=True),
    Column("created", gettext_lazy("Created"), "created", numeric=True),
    Column("updated", gettext_lazy("Updated"), "updated", numeric=True),
    Column("started_by", gettext_lazy("By"), "started_by__full_name"),
    Column("created_at", gettext_lazy("When"), "created_at", largest_first=True),
)
PROBLEM_COLUMNS = (
    Column("row", gettext_lazy("Row"), numeric=True),
    Column("column", gettext_lazy("Column")),
    Column("message", gettext_lazy("Message")),
)


@login_required
@require_http_methods(["GET", "POST"])
def import_start(request: HttpRequest) -> HttpResponseBase:
    """The form to hand a file in, and the imports there have been."""
    user = cast(User, request.user)
    require(user, ACTION)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            run = prepare_import(upload=form.cleaned_data["file"], profile=form.cleaned_data["profile"], by=user)
        except Invalid as error:
            _say(form, error)
        else:
            return redirect("portfolio:import_run", pk=run.pk)
    table: TableState[ImportRun] = TableState.from_request(
        request, columns=RUN_COLUMNS, default_sort="-created_at", page_size=25
    )
    rows = ImportRun.objects.select_related("started_by").defer("problems", "details")
    if table.export_format:
        return export_rows(table.export_format, "imports", table.columns, table.order(rows).iterator())
    context = {"form": form, "profiles": all_profiles(), "table": table.paginate(rows)}
    status = 422 if form.errors else 200
    return render(request, "portfolio/import.html", context, partial="table" if status == 200 else None, status=status)


@login_required
@require_GET
def import_run(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One import, as far as it has come."""
    run = _run(request, pk)
    context: dict[str, Any] = {"run": run, "steps": _steps(run), "page_class": "page--wide"}
    if run.state == ImportRun.State.PREVIEW:
        return _preview(request, run, context)
    if asks_for_progress(request):
        if run.is_under_way:
            return render(request, "portfolio/import_run.html", context, partial="progress")
        # It is over: the whole page says how it went.
        response = HttpResponse(status=204)
        response.headers["HX-Refresh"] = "true"
        return response
    return render(request, "portfolio/import_run.html", context)


def asks_for_progress(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False)) and request.GET.get("part") == "progress"


def _preview(request: HttpRequest, run: ImportRun, context: dict[str, Any]) -> HttpResponse:
    form = PreviewFilter(request.GET)
    rows = chosen(rows_with_problems(load_preview(run), run.problems), form)
    table = ListTable.from_request(request, columns=PREVIEW_COLUMNS, default_sort="row", page_size=50)
    context |= {"table": table.paginate(rows), "form": form}  # type: ignore[arg-type]  # a list, which ListTable sorts
    return render(request, "portfolio/import_preview.html", context, partial="table")


@login_required
@require_POST
def import_confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Have it carried out."""
    run = confirm_import(run=_run(request, pk), by=cast(User, request.user))
    return redirect("portfolio:import_run", pk=run.pk)


@login_required
@require_POST
def import_cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Give it up."""
    cancel_import(run=_run(request, pk), by=cast(User, request.user))
    messages.info(request, _("The import was cancelled. Nothing has changed."))
    return redirect("portfolio:import_start")


@login_required
@require_GET
def import_problems(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The problems as a file."""
    run = _run(request, pk)
    export_format = "xlsx" if request.GET.get("format") == "xlsx" else "csv"
    return export_rows(export_format, f"import-problems-{run.created_at:%Y-%m-%d}", PROBLEM_COLUMNS, run.problems)


@login_required
@require_GET
def import_summary(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the command would have printed, as a file."""
    run = _run(request, pk)
    names = ("rows", "created", "updated", "unchanged", "duplicates", "problems")
    response = JsonResponse({name: getattr(run, name) for name in names}, json_dumps_params={"indent": 2})
    response.headers["Content-Disposition"] = f'attachment; filename="import-{run.created_at:%Y-%m-%d}.json"'
    return response


def _run(request: HttpRequest, pk: UUID) -> ImportRun:
    require(cast(User, request.user), ACTION)
    return get_object_or_404(ImportRun.objects.select_related("started_by"), pk=pk)


def _say(form: ImportForm, error: Invalid) -> None:
    """What is wrong with the file, at the field that it is wrong with."""
    said = error.errors or {"file": [error.message]}
    for name, lines in said.items():
        for line in dict.fromkeys(lines):
            form.add_error(name if name in form.fields else None, line)
    if error.hint:
        form.add_error("file", error.hint)


def _steps(run: ImportRun) -> list[dict[str, Any]]:
    """Where this import is on its way."""
    names = (_("File"), _("Preview"), _("Import"), _("Report"))
    at = {"preview": 1, "queued": 2, "running": 2}.get(run.state, 3)
    over = run.state in {ImportRun.State.FAILED, ImportRun.State.CANCELLED}
    states = ["passed"] * at + ["stopped" if over else "passed" if at == 3 else "current"] + ["future"] * (3 - at)
    return [{"label": name, "state": state} for name, state in zip(names, states, strict=True)]
