"""Being somebody else with one press, in demonstration mode alone."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.demo import demo_people, demo_roles
from kernel.htmx import render

BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_http_methods(["GET", "POST"])
def demo(request: HttpRequest) -> HttpResponse:
    """Choose one of the people of the demonstration; there is no such page anywhere else."""
    if not settings.TOLLGATE_DEMO:
        raise Http404
    after = _after(request)
    if request.method == "POST":
        try:
            somebody = get_object_or_404(demo_people(), pk=request.POST.get("person"))
        except (ValidationError, ValueError) as error:
            raise Http404 from error
        login(request, somebody, backend=BACKEND)
        messages.info(request, _("You are %(name)s now.") % {"name": somebody})
        return redirect(after or settings.LOGIN_REDIRECT_URL)
    return render(request, "accounts/demo.html", {"groups": demo_roles(), "next": after})


def _after(request: HttpRequest) -> str:
    """Where to go afterwards: only within this installation."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if safe else ""
