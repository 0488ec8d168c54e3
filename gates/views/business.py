"""The business view beyond its tab: on paper, and the links between KPIs and metrics."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actions_on
from gates.business import business_report
from gates.business_rows import COLUMNS, rows_of
from gates.forms.business import LinkForm
from gates.packs.business import business_pdf
from kernel.exports import export_rows
from kernel.htmx import render
from monitoring.models import KpiLink
from monitoring.services.kpi_links import RIGHTS, link_kpi, unlink_kpi
from portfolio.models import Kpi, UseCase
from portfolio.views.common import answer, attempt, find_use_case, person_of


@require_safe
@login_required
def pdf(request: HttpRequest, key: str) -> HttpResponse:
    """The same as the tab, on paper."""
    use_case = find_use_case(request, key)
    found = HttpResponse(business_pdf(business_report(use_case)), content_type="application/pdf")
    found["Content-Disposition"] = f'attachment; filename="{use_case.key}-business.pdf"'
    return found


@require_safe
@login_required
def csv(request: HttpRequest, key: str) -> HttpResponseBase:
    """Every number and line of the tab as rows; ``?format=xlsx`` as a workbook."""
    use_case = find_use_case(request, key)
    form = "xlsx" if request.GET.get("format") == "xlsx" else "csv"
    return export_rows(form, f"{use_case.key}-business", COLUMNS, rows_of(business_report(use_case)))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def link(request: HttpRequest, key: str, kpi: str) -> HttpResponse:
    """Say which metric stands behind a KPI."""
    use_case = find_use_case(request, key)
    found = get_object_or_404(Kpi, use_case=use_case, key=kpi, is_current=True)
    if not set(RIGHTS) & actions_on(person_of(request), use_case):
        raise PermissionDenied(_("Whoever defines KPIs or sets up monitoring here links them."))
    form = LinkForm(request.POST or None, use_case=use_case, kpi=kpi)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        made = attempt(form, lambda: link_kpi(use_case=use_case, kpi=kpi, by=person_of(request), **given))
        if made is not None:
            messages.success(request, _("Linked: the business sees what stands behind it."))
            return redirect(_tab(use_case))
    context = {"form": form, "use_case": use_case, "kpi": found, "cancel_url": _tab(use_case)}
    return render(request, "gates/business_link.html", context, status=answer(form))


@require_POST
@login_required
def unlink(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """The metric does not stand behind the KPI any more."""
    use_case = find_use_case(request, key)
    unlink_kpi(
        link=get_object_or_404(KpiLink.objects.select_related("use_case"), pk=pk, use_case=use_case),
        by=person_of(request),
    )
    messages.success(request, _("Unlinked."))
    return redirect(_tab(use_case))


def _tab(use_case: UseCase) -> str:
    return reverse("portfolio:use_case_panel", args=[use_case.key, "business"])
