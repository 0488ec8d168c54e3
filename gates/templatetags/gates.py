"""Words of the gates in templates: {% load gates %}."""

from __future__ import annotations

from datetime import date

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.roles import role_name as name_of_role
from gates.closing_plans import PARTS
from gates.escalation import days_late
from gates.models import Decision, Review

register = template.Library()

VOTE_STATES = {"approve": "signed", "approve_with_conditions": "signed", "reject": "rejected"}


@register.filter
def role_name(key: str) -> str:
    """The name of a role: "technical_lead" is shown as "Technical lead"."""
    return name_of_role(key)


@register.filter
def vote_state(verdict: str) -> str:
    """How a seat looks after a vote: signed or rejected."""
    return VOTE_STATES.get(verdict, "signed")


@register.filter
def sign_method(method: str) -> str:
    """How a signer proved who they are, in words."""
    if method.startswith("sso:"):
        return _("Sign-in at the identity provider (%(name)s)") % {"name": method.removeprefix("sso:")}
    words = {
        "password": _("Password"),
        "totp": _("Code of an authenticator app"),
        "webauthn": _("Passkey"),
        "recovery_codes": _("Recovery code"),
        "demonstration": _("Demonstration mode, no password of their own"),
        "session": _("Signed-in session"),
    }
    return words.get(method, method)


@register.filter
def plan_parts(decision: Decision) -> list[tuple[str, str | date]]:
    """What a stop or a retirement says beside its reason: (label, words or day)."""
    found: list[tuple[str, str | date]] = []
    if decision.reason_code:
        found.append((_("Why it stops"), title_words(decision.reason_code)))
    for part in PARTS.get(decision.outcome, ()):
        said = decision.plan.get(part.key)
        if said:
            found.append((str(part.label), date.fromisoformat(said) if part.is_day else said))
    return found


@register.filter
def title_words(key: str) -> str:
    """A key as words: "poc_to_pilot" is shown as "PoC to pilot"."""
    words = str(key).replace("_", " ")
    return (words[:1].upper() + words[1:]).replace("Poc", "PoC").replace(" poc", " PoC")


@register.filter
def late(review: Review) -> str:
    """How late the decision of an open review is, and when it went up; empty when it is in time."""
    days = days_late(review, timezone.now())
    if not days:
        return ""
    words = ngettext("%(days)d day late", "%(days)d days late", days) % {"days": days}
    if review.escalated_at is None:
        return words
    return _("%(late)s, escalated on %(day)s") % {"late": words, "day": date_format(review.escalated_at, "j M Y")}
