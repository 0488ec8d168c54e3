"""A draft of a policy: its page, and the steps until it is published or given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import for_user
from accounts.models import User
from gates.forms.policies import ExtendForm, ReasonForm, StartDraftForm
from gates.in_force import body_of
from gates.models import Policy, PolicyVersion
from gates.policy_access import DRAFT, PUBLISH, authors_of, drafts_for, may, require_may, why_not_publish
from gates.services.policies import (
    discard_draft,
    propose_draft,
    publish_draft,
    rebase_draft,
    send_back_draft,
    start_draft,
    start_extension,
)
from gates.services.simulations import simulate_draft
from gates.views.policies import compared
from kernel.errors import DomainError
from kernel.htmx import render
from ledger.selectors import events_for
from portfolio.models import BusinessUnit


@login_required
def draft(request: HttpRequest, pk: str) -> HttpResponse:
    """What a draft changes, rule by rule and line by line, and what can be done with it now."""
    version = find_draft(request, pk)
    against = version.base or version
    context = {
        **draft_frame(request, version, "changes"),
        **(compared(against, version) if version.base else {"groups": [], "change_count": 0, "first": True}),
        "events": events_for(subject=version)[:20],
        "reason_form": ReasonForm(auto_id="reason_%s"),
    }
    return render(request, "gates/policy_draft.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, key: str) -> HttpResponse:
    """Begin a draft from the version in force."""
    policy = get_object_or_404(Policy.objects.select_related("unit"), key=key)
    require_may(_user(request), DRAFT, policy.unit)
    current = get_object_or_404(PolicyVersion.objects.select_related("policy"), policy=policy, state="published")
    posted = request.POST if request.method == "POST" else None
    form = StartDraftForm(posted, initial={"label": next_label(current.label)})
    if form.is_valid():
        try:
            made = start_draft(policy=policy, by=_user(request), **form.cleaned_data)
        except DomainError as wrong:
            explain(form, wrong)
        else:
            return redirect("gates:policy_draft_form", pk=made.pk)
    context = {"form": form, "version": current, "policy": policy}
    return render(request, "gates/policy_start.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def extend(request: HttpRequest) -> HttpResponse:
    """Begin what a unit adds to the organisation's policy or tightens in it."""
    user = _user(request)
    units = for_user(BusinessUnit.objects.filter(parent__isnull=False), user, DRAFT)
    form = ExtendForm(request.POST if request.method == "POST" else None, units=units)
    if form.is_valid():
        try:
            made = start_extension(by=user, **form.cleaned_data)
        except DomainError as wrong:
            explain(form, wrong)
        else:
            return redirect("gates:policy_draft_form", pk=made.pk)
    return render(request, "gates/policy_extend.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_POST
def step(request: HttpRequest, pk: str, verb: str) -> HttpResponse:
    """One step of a draft. What it needs beside the draft comes with the form."""
    version = find_draft(request, pk)
    verbs = _verbs(request, version)
    if verb not in verbs:
        raise Http404
    try:
        said, where = verbs[verb]()
    except DomainError as wrong:
        messages.error(request, f"{wrong} {wrong.hint}".strip())
        where = reverse("gates:policy_draft", args=[version.pk])
    else:
        messages.success(request, said)
    return redirect(where)


def find_draft(request: HttpRequest, pk: str) -> PolicyVersion:
    """A draft that the person may see; published meanwhile, it is a version like any other."""
    found = drafts_for(_user(request)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def draft_frame(request: HttpRequest, version: PolicyVersion, current: str) -> dict[str, Any]:
    """What the pages of a draft share: tabs, state, and which steps are open to the person."""
    user = _user(request)
    unit = version.policy.unit
    alive = version.state in ("draft", "proposed")
    published = PolicyVersion.objects.filter(policy=version.policy, state="published").first()
    may_edit, publishes = alive and may(user, DRAFT, unit), version.state == "proposed" and may(user, PUBLISH, unit)
    newest = version.simulations.order_by("-asked_at").defer("result").first()
    tabs = [("changes", _("Changes"), "gates:policy_draft")]
    if may_edit:
        tabs += [("form", _("Form"), "gates:policy_draft_form"), ("text", _("Text"), "gates:policy_draft_text")]
    tabs.append(("simulation", _("Simulation"), "gates:policy_simulation"))
    return {
        "version": version,
        "policy": body_of(version),
        "tabs": [{"label": t, "url": reverse(u, args=[version.pk]), "current": k == current} for k, t, u in tabs],
        "may_edit": may_edit,
        "may_send_back": publishes,
        "publish_refusal": why_not_publish(user, version) if publishes else "",
        "may_simulate": alive and (may_edit or may(user, PUBLISH, unit)),
        "behind": published if alive and published and published.pk != version.base_id else None,
        "authors": User.objects.filter(pk__in=authors_of(version)).order_by("full_name"),
        "newest_simulation": newest,
    }


def explain(form: Any, wrong: DomainError) -> None:
    """Put a refusal of a service at its field, or at the top of the form."""
    lines = {name: said for name, said in wrong.errors.items() if name in form.fields}
    for name, said in lines.items():
        form.add_error(name, said)
    if not lines:
        form.add_error(None, f"{wrong} {wrong.hint}".strip())


def next_label(label: str) -> str:
    """The next minor version: 1.4.2 becomes 1.5.0."""
    parts = [int(part) for part in label.partition("+")[0].split(".") if part.isdecimal()][:3]
    major, minor = (*parts, 0, 0)[:2]
    return f"{major}.{minor + 1}.0"


def _verbs(request: HttpRequest, version: PolicyVersion) -> dict[str, Callable[[], tuple[str, str]]]:
    """Step -> what carries it out and answers with what to say and where to go."""
    user, reason = _user(request), request.POST.get("reason", "")
    page = reverse("gates:policy_draft", args=[version.pk])
    listed = reverse("gates:policies")

    def propose() -> tuple[str, str]:
        propose_draft(version=version, by=user, note=reason)
        return _("Proposed: those who may publish it have been told."), page

    def publish() -> tuple[str, str]:
        made = publish_draft(version=version, by=user)
        said = _("%(label)s is in force. Every use case is being judged by it.") % {"label": made.label}
        return said, reverse("gates:policy", args=[made.policy.key])

    def send_back() -> tuple[str, str]:
        send_back_draft(version=version, by=user, reason=reason)
        return _("Sent back: its authors have been told."), page

    def discard() -> tuple[str, str]:
        discard_draft(version=version, by=user, reason=reason)
        return _("The draft is given up. It stays on record."), listed

    def rebase() -> tuple[str, str]:
        rebase_draft(version=version, by=user)
        return _(
            "Compared with the version in force from now on. Read what it would change before you propose it."
        ), page

    def simulate() -> tuple[str, str]:
        simulate_draft(version=version, by=user)
        return _("The simulation runs."), reverse("gates:policy_simulation", args=[version.pk])

    return {
        "propose": propose,
        "publish": publish,
        "send-back": send_back,
        "discard": discard,
        "rebase": rebase,
        "simulate": simulate,
    }


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
