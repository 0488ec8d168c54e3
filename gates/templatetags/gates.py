"""Words of the gates in templates: {% load gates %}."""

from __future__ import annotations

from django import template

from accounts.roles import role_name as name_of_role

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
def title_words(key: str) -> str:
    """A key as words: "poc_to_pilot" is shown as "PoC to pilot"."""
    words = str(key).replace("_", " ")
    return (words[:1].upper() + words[1:]).replace("Poc", "PoC").replace(" poc", " PoC")
