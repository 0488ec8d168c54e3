"""Pages of single things: a model version, an issue, an incident, a dataset."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import actions_on, can, for_user
from accounts.models import User
from governance import services
from governance.catalogue import bundle_parts, card_completeness, card_sections, validation_kinds
from governance.failure_modes import failure_modes
from governance.forms.datasets import CertifyForm, DatasetForm
from governance.incident_link import incident_links
from governance.models import Incident, Issue, ModelVersion, PostMortem
from governance.panels.models import TONES, is_certified
from governance.selectors import visible_datasets
from governance.services.models import needs_two_to_promote
from governance.views.common import acts, attempt, panel_url
from kernel.htmx import render
from portfolio.models import UseCase
from portfolio.views.common import answer, person_of

CANDIDATE = ("approve-version", "promote-version", "card", "retire-version")
LIVE = ("approve-version", "card", "retire-version")


@require_safe
@login_required
def version(request: HttpRequest, pk: str) -> HttpResponse:
    """A version: what it is made of, how good it is, its card, and who stands for it."""
    user = person_of(request)
    rows = ModelVersion.objects.select_related("model__use_case__unit", "author", "approved_by")
    found = get_object_or_404(for_user(rows, user, "use_case.view"), pk=pk)
    use_case = found.model.use_case
    keys = {"candidate": CANDIDATE, "live": LIVE}.get(found.state, ())
    runs = found.validation_runs.select_related("recorded_by").order_by("-performed_at")[:50]
    context = {
        **_frame(use_case, "models"),
        "version": found,
        "tone": TONES.get(found.state, "neutral"),
        "bundle": [
            {
                "label": part.label,
                "value": found.bundle.get(part.key, ""),
                "note": "" if found.bundle.get(part.key) else part.help,
            }
            for part in bundle_parts()
        ]
        + [
            {"label": key, "value": value}
            for key, value in found.bundle.items()
            if key not in {part.key for part in bundle_parts()}
        ],
        "metrics": [{"label": key, "value": value} for key, value in found.metrics.items()],
        "card": [
            {"label": section.label, "text": (found.card or {}).get(section.key, ""), "required": section.required}
            for section in card_sections()
        ],
        "complete": card_completeness(found.card or {}),
        "used": [
            {"use": use, "certified": is_certified(use.dataset)}
            for use in found.version_datasets.select_related("dataset")
        ],
        "runs": [
            {"run": run, "kind": validation_kinds()[run.kind].label if run.kind in validation_kinds() else run.kind}
            for run in runs
        ],
        "acts": acts(user, use_case, found, keys, actions_on(user, use_case), next=request.path),
        "needs_two": found.state == "candidate" and needs_two_to_promote(found) and not found.approved_by_id,
    }
    return render(request, "governance/version.html", context)


@require_safe
@login_required
def issue(request: HttpRequest, pk: str) -> HttpResponse:
    """An issue with what has to happen to it."""
    user = person_of(request)
    rows = Issue.objects.select_related("use_case__unit", "owner", "raised_by", "closed_by", "incident")
    found = get_object_or_404(for_user(rows, user, "use_case.view"), pk=pk)
    keys = ("close-issue", "edit-issue") if found.state == Issue.IssueState.OPEN else ()
    allowed = actions_on(user, found.use_case)
    context = {
        **_frame(found.use_case, "controls"),
        "issue": found,
        "acts": acts(user, found.use_case, found, keys, allowed, next=request.path),
    }
    return render(request, "governance/issue.html", context)


@require_safe
@login_required
def incident(request: HttpRequest, pk: str) -> HttpResponse:
    """An incident, its times, its cause, and the actions that follow from it."""
    user = person_of(request)
    rows = Incident.objects.select_related("use_case__unit", "reported_by", "managed_by", "closed_by")
    found = get_object_or_404(for_user(rows, user, "use_case.view"), pk=pk)
    keys = () if found.closed_at else ("edit-incident", "close-incident")
    allowed = actions_on(user, found.use_case)
    context = {
        **_frame(found.use_case, "controls"),
        "incident": found,
        "actions": found.actions.select_related("owner"),
        "acts": acts(user, found.use_case, found, keys, allowed, next=request.path),
        "related": _related(found, user),
        **_learnt(request, user, found, allowed),
    }
    return render(request, "governance/incident.html", context)


def _related(found: Incident, user: User) -> list[dict[str, Any]]:
    """What higher apps know of an incident."""
    each = [{"title": kind.title, "links": list(kind().links(found, user))} for kind in incident_links]
    return [part for part in each if part["links"]]


def _learnt(request: HttpRequest, user: User, found: Incident, allowed: frozenset[str]) -> dict[str, Any]:
    """The post-mortem, and what may be done about it."""
    written = PostMortem.objects.filter(incident=found).select_related("owner", "written_by", "approved_by").first()
    known = failure_modes()
    offered = acts(user, found.use_case, found, ("post-mortem",), allowed, next=request.path)
    if written is not None and found.closed_at:
        offered += acts(user, found.use_case, written, ("approve-post-mortem",), allowed, next=request.path)
    sealed = written is not None and written.is_sealed
    return {
        "post_mortem": written,
        "causes": [known[key] for key in written.causes if key in known] if written else [],
        "learnt_acts": [] if sealed else offered,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def dataset(request: HttpRequest, pk: str) -> HttpResponse:
    """A dataset: what it is, where it comes from, whether it is certified, and what rests on it."""
    user = person_of(request)
    found = get_object_or_404(visible_datasets(user).select_related("registered_by"), pk=pk)
    may_certify = user.is_person and can(user, "data_asset.certify", found.unit)
    form = CertifyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        call = lambda: services.certify_dataset(dataset=found, by=user, until=form.last_moment)  # noqa: E731
        if attempt(form, call) is not None:
            messages.success(request, _("Certified."))
            return redirect(request.path)
    users = ModelVersion.objects.filter(datasets=found).select_related("model__use_case").distinct()
    context = {
        "dataset": found,
        "form": form,
        "certified": is_certified(found),
        "may_certify": may_certify,
        "may_edit": can(user, "data_asset.register", found.unit),
        "versions": for_user(users, user, "use_case.view"),
    }
    return render(request, "governance/dataset.html", context, status=answer(form))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_dataset(request: HttpRequest, pk: str) -> HttpResponse:
    """Change how a dataset is described."""
    user = person_of(request)
    found = get_object_or_404(visible_datasets(user), pk=pk)
    form = DatasetForm(request.POST or None, initial={name: getattr(found, name) for name in DatasetForm.NAMES})
    if request.method == "POST" and form.is_valid():
        changes = {name: form.cleaned_data[name] for name in DatasetForm.NAMES}
        call = lambda: services.edit_dataset(dataset=found, changes=changes, by=user)  # noqa: E731
        if attempt(form, call) is not None:
            messages.success(request, _("Saved."))
            return redirect("governance:dataset", pk=found.pk)
    return render(request, "governance/dataset_edit.html", {"dataset": found, "form": form}, status=answer(form))


def _frame(use_case: UseCase, panel: str) -> dict[str, Any]:
    return {
        "use_case": use_case,
        "use_case_url": panel_url(use_case, "overview"),
        "panel_url": panel_url(use_case, panel),
    }
