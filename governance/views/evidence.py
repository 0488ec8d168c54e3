"""One piece of evidence: its page, and its file, handed out as a download that no browser runs."""

from __future__ import annotations

from base64 import b64encode

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.access import actions_on, for_user
from governance.models import Evidence
from governance.previews import preview_of
from governance.views.common import acts, panel_url
from kernel.htmx import render
from portfolio.views.common import person_of


@require_safe
@login_required
def evidence(request: HttpRequest, pk: str) -> HttpResponse:
    """Everything that is known of it, and what the person may do with it."""
    user = person_of(request)
    rows = Evidence.objects.select_related(
        "use_case__unit", "added_by", "verified_by", "withdrawn_by", "version__model"
    )
    found = get_object_or_404(for_user(rows, user, "use_case.view"), pk=pk)
    use_case = found.use_case
    keys = [] if found.withdrawn_at else ["withdraw-evidence"]
    if keys and not found.verified_by_id:
        keys.insert(0, "verify-evidence")
    context = {
        "evidence": found,
        "use_case": use_case,
        "use_case_url": panel_url(use_case, "overview"),
        "panel_url": panel_url(use_case, "evidence"),
        "preview": preview_of(found),
        "acts": acts(user, use_case, found, keys, actions_on(user, use_case), next=request.path),
        "runs": found.validation_runs.select_related("version"),
        "documents": found.documents.all(),
    }
    return render(request, "governance/evidence.html", context)


@require_safe
@login_required
def evidence_file(request: HttpRequest, pk: str) -> HttpResponseBase:
    """The file as a download, for whoever may see its use case."""
    rows = for_user(Evidence.objects.filter(kind=Evidence.Kind.FILE), person_of(request), "use_case.view")
    return download(get_object_or_404(rows, pk=pk))


def download(found: Evidence) -> HttpResponseBase:
    """An attachment whatever it is: never shown, never guessed at, and without any right if it were opened anyway."""
    try:
        file = found.file.open("rb")
    except OSError as error:
        raise Http404 from error
    response = FileResponse(
        file, as_attachment=True, filename=found.file_name or found.sha256, content_type="application/octet-stream"
    )
    response.headers["Content-Length"] = str(found.size)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Repr-Digest"] = f"sha-256=:{_base64(found.sha256)}:"
    return response


def _base64(hexadecimal: str) -> str:
    return b64encode(bytes.fromhex(hexadecimal)).decode()
